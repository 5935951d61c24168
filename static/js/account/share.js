// The buttons of an address that is shown once (templates/share.html). If the browser does not let a script copy, the
// script selects the address, so that the reader can copy it.

import { copy, select } from "../elements/clipboard.js";

export function start(part) {
  const address = part.querySelector(".share-address");
  const state = part.querySelector("[role=status]");
  const copyButton = part.querySelector("[data-copy]");
  const sheetButton = part.querySelector("[data-share-sheet]");
  copyButton.hidden = false;
  copyButton.addEventListener("click", async () => {
    const copied = await copy(address.textContent);
    if (!copied) select(address);
    state.textContent = copied ? part.dataset.copied : part.dataset.selected;
  });
  sheetButton.hidden = !navigator.share;
  // The promise is rejected when the reader closes the sheet.
  sheetButton.addEventListener("click", () => navigator.share({ title: part.dataset.title, url: address.textContent }).catch(() => {}));
}

for (const part of document.querySelectorAll("[data-share]")) start(part);
