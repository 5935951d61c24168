// Dialogs: [data-opens] opens a dialog; [data-closes] or a click beside it closes it. Also a question, and a toast.

const TOAST_MS = 4000;

// One set of listeners serves all dialogs of the page. If an opener is in an open dialog, that dialog is closed. If
// several openers were clicked before this module was loaded, the last one opens its dialog.
export function start(room) {
  room.onClick("[data-opens]", (opener) => {
    document.querySelector("dialog[open]")?.close();
    document.getElementById(opener.dataset.opens).showModal();
  });
  room.onClick("[data-closes]", (closer) => closer.closest("dialog").close());
  // The search's form has no action: until features/search.js is loaded, Enter in it would reload the page.
  document.getElementById("search").addEventListener("submit", (event) => event.preventDefault());
  for (const dialog of document.querySelectorAll("dialog")) closeByClickBeside(dialog);
  closeByGoingBack();
}

// An open dialog is one history entry, so that going back closes it and does not leave the room.
function closeByGoingBack() {
  const openDialogs = () => [...document.querySelectorAll("dialog[open]")];
  let entered = false;
  // The number of history steps that this page takes back itself, because a dialog was closed in another way.
  let ownSteps = 0;
  const enter = () => {
    entered = true;
    history.pushState({ dialog: true }, "");
  };
  // A dialog that was open before a reload has left this entry.
  if (history.state?.dialog) history.replaceState(null, "");
  const follow = () => {
    const isOpen = openDialogs().length > 0;
    if (isOpen && !entered) enter();
    else if (!isOpen && entered) {
      entered = false;
      ownSteps += 1;
      history.back();
    }
  };
  new MutationObserver(follow).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["open"] });
  // The card of a member or a picture may have been opened before this module was loaded.
  follow();
  addEventListener("popstate", () => {
    if (ownSteps > 0) {
      ownSteps -= 1;
      if (entered) enter(); // another dialog was opened meanwhile and needs an entry again
      return;
    }
    if (!entered) return;
    entered = false;
    openDialogs().pop()?.close();
  });
}

// A press that began elsewhere (the long press that opened a sheet) must not close the dialog when it ends.
function closeByClickBeside(dialog) {
  let pressed = false;
  dialog.addEventListener("pointerdown", ({ target }) => (pressed = target === dialog));
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog && pressed) dialog.close();
  });
}

// Resolves to true when the reader agreed.
export function ask(question, agree, { danger = false } = {}) {
  const dialog = document.getElementById("confirm");
  dialog.querySelector(".confirm-question").textContent = question;
  const yes = dialog.querySelector("[value=yes]");
  yes.textContent = agree;
  yes.className = `button ${danger ? "button--danger" : "button--primary"}`;
  dialog.returnValue = "";
  dialog.showModal();
  yes.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

let hiding = 0;

export function toast(text) {
  const node = document.getElementById("toast");
  node.textContent = text;
  node.hidden = false;
  // The toast is shown inside an open dialog, because the dialog covers the rest of the page.
  (document.querySelector("dialog[open]") ?? document.body).append(node);
  clearTimeout(hiding);
  hiding = setTimeout(() => {
    node.hidden = true;
    document.body.append(node);
  }, TOAST_MS);
}
