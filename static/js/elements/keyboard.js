// Keeps the composer above an on-screen keyboard where the browser only slides the page under it
// (Safari, and WeChat on iPhones): the room takes the height that is left.

export function aboveTheKeyboard() {
  const { visualViewport: visible, document } = window;
  if (!visible) return;
  const fit = () => {
    // Zoomed in, the visible part is smaller for another reason.
    if (visible.scale > 1.01) return;
    document.documentElement.style.setProperty("--visible-height", `${visible.height}px`);
    scrollTo(0, 0);
  };
  visible.addEventListener("resize", fit);
  fit();
}
