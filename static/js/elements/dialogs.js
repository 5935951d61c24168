// Dialogs: opened by [data-opens], closed by [data-closes] or a click beside them. A question, and a toast.

const TOAST_MS = 4000;

// One set of listeners for all dialogs of the page.
export function start() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-opens]");
    if (opener) {
      opener.closest("dialog")?.close();
      document.getElementById(opener.dataset.opens).showModal();
      return;
    }
    if (event.target.closest?.("[data-closes]")) event.target.closest("dialog").close();
  });
  for (const dialog of document.querySelectorAll("dialog")) closeByClickBeside(dialog);
  closeByGoingBack();
}

// An open dialog is one entry of the history: going back closes it, and stays in the room.
function closeByGoingBack() {
  const openDialogs = () => [...document.querySelectorAll("dialog[open]")];
  let entered = false;
  // Steps back that this page takes itself, because a dialog was closed in another way.
  let ownSteps = 0;
  const enter = () => {
    entered = true;
    history.pushState({ dialog: true }, "");
  };
  // Left over from before a reload, in which the dialog was open.
  if (history.state?.dialog) history.replaceState(null, "");
  new MutationObserver(() => {
    const isOpen = openDialogs().length > 0;
    if (isOpen && !entered) enter();
    else if (!isOpen && entered) {
      entered = false;
      ownSteps += 1;
      history.back();
    }
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["open"] });
  addEventListener("popstate", () => {
    if (ownSteps > 0) {
      ownSteps -= 1;
      if (entered) enter(); // another one was opened meanwhile, whose entry this step has left
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
  // An open dialog covers all of the page but itself.
  (document.querySelector("dialog[open]") ?? document.body).append(node);
  clearTimeout(hiding);
  hiding = setTimeout(() => {
    node.hidden = true;
    document.body.append(node);
  }, TOAST_MS);
}
