// Opens the menu of a message on a right click, a long press, or the keyboard's menu key.

const LONG_PRESS_MS = 450;
const MOVE_MAX_PX = 10;

// Calls `open(article, point, target)`. `point` is null for the keyboard. `open` returns true if it opened something.
export function listenForMenu(list, open) {
  list.addEventListener("contextmenu", (event) => {
    const article = event.target.closest("article");
    // On a link or a selection the browser opens its own menu.
    if (!article || event.target.closest("a") || String(getSelection())) return;
    const byKeyboard = event.button !== 2 && event.pointerType === "";
    if (open(article, byKeyboard ? null : { x: event.clientX, y: event.clientY }, event.target)) event.preventDefault();
  });
  listenForLongPress(list, open);
}

function listenForLongPress(list, open) {
  let timer = 0;
  let from = null;
  let opened = false;
  const stop = () => clearTimeout(timer);
  list.addEventListener("pointerdown", (event) => {
    const article = event.target.closest("article");
    if (event.pointerType !== "touch" || !article || event.target.closest("a")) return;
    from = event;
    timer = setTimeout(() => (opened = open(article, { x: from.clientX, y: from.clientY }, from.target)), LONG_PRESS_MS);
  });
  list.addEventListener("pointermove", (event) => {
    if (from && Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > MOVE_MAX_PX) stop();
  });
  for (const end of ["pointerup", "pointercancel"]) list.addEventListener(end, stop);
  // The sheet has opened under the finger, so lifting the finger must not click an item of the sheet.
  list.addEventListener("touchend", (event) => {
    if (opened) event.preventDefault();
    opened = false;
  });
}
