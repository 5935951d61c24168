// Keeps the composer above an on-screen keyboard where the browser moves the page under it (Safari, and
// WeChat on iPhones): the room is as high as the visible part.

export function start({ ui }) {
  if (ui !== "mobile") return;
  const { visualViewport: visible, document } = window;
  if (!visible) return;
  const fit = () => {
    // While the page is zoomed in, the visible part is smaller for another reason.
    if (visible.scale > 1.01) return;
    document.documentElement.style.setProperty("--visible-height", `${visible.height}px`);
    scrollTo(0, 0);
  };
  visible.addEventListener("resize", fit);
  fit();
}
