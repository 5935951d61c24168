// What the screen leaves: an on-screen keyboard takes half of a phone, and a large zoom most of a window.
//
// On a phone's page the room is as high as the visible part: some browsers (Safari, and WeChat on iPhones) move the
// page under the keyboard instead of making it smaller. On both pages html[data-low] lets the style sheets drop what
// would push the composer off a very low screen.

// A phone on its side has 320 px or more, with the keyboard open 200 px or less.
const LOW_PX = 260;

export function start({ ui }) {
  const { visualViewport: visible, document } = window;
  if (!visible) return;
  const fit = () => {
    // While the page is zoomed in by fingers, the visible part is smaller for another reason.
    if (visible.scale > 1.01) return;
    document.documentElement.toggleAttribute("data-low", visible.height < LOW_PX);
    if (ui !== "mobile") return;
    document.documentElement.style.setProperty("--visible-height", `${visible.height}px`);
    scrollTo(0, 0);
  };
  visible.addEventListener("resize", fit);
  fit();
}
