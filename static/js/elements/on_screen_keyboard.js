// Fits the page to the visible height. An on-screen keyboard covers half of a phone, and a large zoom leaves only a
// small part of a window.
//
// On a phone's page the room is as high as the visible part, because some browsers (Safari, and WeChat on iPhones) move
// the page under the keyboard instead of making it smaller. html[data-keyboard]: the keyboard is open. On both pages
// html[data-low] lets the style sheets hide what would push the composer off a very low screen.

// A phone in landscape has 320 px or more, with the keyboard open 200 px or less.
const LOW_PX = 260;
// With the keyboard open a phone shows about half of its height, otherwise nine tenths.
const KEYBOARD_SHARE = 0.75;

export function start({ ui }) {
  const { visualViewport: visible, document } = window;
  if (!visible) return;
  let width = 0;
  let tallest = 0;
  const fit = () => {
    // While the reader zooms with two fingers, the visible part is smaller, but no keyboard is open.
    if (visible.scale > 1.01) return;
    document.documentElement.toggleAttribute("data-low", visible.height < LOW_PX);
    if (ui !== "mobile") return;
    // After a rotation the screen has another height.
    tallest = visible.width === width ? Math.max(tallest, visible.height) : visible.height;
    width = visible.width;
    document.documentElement.toggleAttribute("data-keyboard", visible.height < KEYBOARD_SHARE * tallest);
    document.documentElement.style.setProperty("--visible-height", `${visible.height}px`);
    scrollTo(0, 0);
  };
  visible.addEventListener("resize", fit);
  // A browser scrolls a very low desktop page only to the line with the caret. This also shows the button beside the
  // field.
  const main = document.querySelector(".room-main");
  main.addEventListener("focusin", () => document.documentElement.dataset.low !== undefined && main.scrollIntoView({ block: "end" }));
  fit();
}
