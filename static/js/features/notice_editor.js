// The administrators' dialog that changes or removes the notice. It is a real form: if this module cannot be loaded,
// the browser sends it.

import { postJSON } from "../net/http.js";

let editor = null;

// The dialog is opened by elements/dialogs.js.
export function open(room) {
  editor ??= new Editor(room, document.getElementById("notice-editor"));
  editor.begin();
}

class Editor {
  #room;
  #dialog;
  #form;
  #isFirst = true;

  constructor(room, dialog) {
    this.#room = room;
    this.#dialog = dialog;
    this.#form = dialog.querySelector("form");
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#put(this.#form.elements.text.value);
    });
    dialog.querySelector("[data-take-down]").addEventListener("click", () => this.#put(""));
  }

  begin() {
    const { text } = this.#form.elements;
    // The dialog opens before this module is loaded, so text that was typed meanwhile stays.
    if (!this.#isFirst || !text.value) text.value = this.#room.notice?.text ?? "";
    this.#isFirst = false;
    this.#dialog.querySelector("[data-take-down]").hidden = !this.#room.notice;
    text.focus();
  }

  async #put(text) {
    try {
      await postJSON("/notice/", { text });
      this.#dialog.close();
    } catch (refused) {
      this.#room.toast(refused.message);
    }
  }
}
