// The composer: the text field and its button. Other modules decide what happens with the text.
//
// A feature may use it for something else than a new message: it sets `task` meanwhile, an object {label, submit(), draft,
// noPictures}. `label` is on the button; `draft`, {text, reply_to}, is what the feature restores afterwards, and
// features/drafts.js changes it with the draft; `noPictures` says why pictures cannot be added.
//
// Events: "change" (the text was changed, by hand or by insert() and restoreText()), "submit",
// "escape", and "up" (the arrow key in an empty field).

import { t } from "../words/words.js";
import { length } from "./dom.js";

const COUNTER_FROM = 0.9;

export class Composer extends EventTarget {
  // When the text was last changed, by performance.now().
  changedAt = -Infinity;

  #room;
  #form;
  #field;
  #send;
  #label;
  #ticking = false;
  #task = null;

  constructor(room, form) {
    super();
    this.#room = room;
    this.#form = form;
    this.#field = form.elements.text;
    this.#send = form.querySelector("[type=submit]");
    this.#label = this.#send.querySelector(".send-label");
    this.#listen();
    this.draw();
  }

  // On a touch screen Enter is a new line, because there is a send button and no Shift key.
  get enterSends() {
    return this.#room.ui === "desktop" && !matchMedia("(pointer: coarse)").matches;
  }

  get text() {
    return this.#field.value;
  }

  // Sets a text that is not new, such as the draft, so it fires no "change".
  set text(text) {
    this.#field.value = text;
    this.draw();
  }

  get task() {
    return this.#task;
  }

  set task(task) {
    this.#task = task;
    this.#form.classList.toggle("composer--task", task !== null);
    this.draw();
  }

  focus() {
    this.#field.focus();
  }

  clear() {
    this.text = "";
  }

  // Replaces the selection as typing does, so that it can be undone.
  insert(text) {
    this.focus();
    // setRangeText() and `value` clear the browser's undo history; only this obsolete command keeps it. It fires
    // "input", which draws.
    if (document.activeElement === this.#field && document.execCommand("insertText", false, text)) return;
    this.#field.setRangeText(text, this.#field.selectionStart, this.#field.selectionEnd, "end");
    this.#changed();
  }

  // Puts a text back, so that the member can send it again. Asks first if it would replace other text.
  async restoreText(text) {
    if (this.#field.value.trim() && this.#field.value.trim() !== text) {
      if (!(await this.#room.confirm(t("replace_draft"), t("replace")))) return;
    }
    this.#field.select();
    this.insert(text);
  }

  drawOrdering(open) {
    this.#form.classList.toggle("composer--ordering", open);
    this.#field.placeholder = open ? t("placeholder_ordering") : t("placeholder");
  }

  draw() {
    this.#drawHeight();
    this.#drawButton();
    this.#drawWait();
  }

  #listen() {
    const { outbox } = this.#room;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.dispatchEvent(new Event("submit"));
    });
    this.#field.addEventListener("input", () => this.#changed());
    this.#field.addEventListener("keydown", (event) => this.#onKey(event));
    // A tap on the button must not close the on-screen keyboard.
    this.#send.addEventListener("mousedown", (event) => event.preventDefault());
    outbox.addEventListener("change", () => this.#drawWait());
    new ResizeObserver(() => this.#drawHeight()).observe(this.#form);
  }

  #onKey(event) {
    // With an input method, Enter chooses a word. Safari ends the composition before the key event, so only the
    // obsolete key code shows that the key belonged to the input method.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && this.enterSends && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      // requestSubmit() is missing in Safari before 16.
      this.#send.click();
    } else if (event.key === "Escape") {
      this.dispatchEvent(new Event("escape"));
    } else if (event.key === "ArrowUp" && !this.#field.value && !event.shiftKey) {
      event.preventDefault();
      this.dispatchEvent(new Event("up"));
    }
  }

  #changed() {
    this.changedAt = performance.now();
    this.draw();
    this.dispatchEvent(new Event("change"));
  }

  // One to six lines; the style sheet holds the maximum.
  #drawHeight() {
    const field = this.#field;
    field.style.setProperty("block-size", "auto");
    const edges = field.offsetHeight - field.clientHeight;
    field.style.setProperty("block-size", `${field.scrollHeight + edges}px`);
  }

  #drawButton() {
    const { limits, attachments } = this.#room;
    const count = length(this.#field.value.trim());
    const counter = this.#form.querySelector(".counter");
    counter.hidden = count < limits.text_max * COUNTER_FROM;
    counter.textContent = String(limits.text_max - count);
    counter.classList.toggle("counter--over", count > limits.text_max);
    this.#form.classList.toggle("composer--ready", count > 0 || Boolean(attachments?.images.length));
  }

  // The button shows the rest of the send interval. A message that is sent before its end waits in the outbox. A task
  // does not wait.
  #drawWait() {
    if (this.#ticking) return;
    const wait = this.#task ? 0 : this.#room.outbox.wait_ms;
    this.#label.textContent = wait > 0 ? t("wait_seconds", { seconds: (wait / 1000).toFixed(1) }) : this.#task?.label ?? t("send");
    this.#send.classList.toggle("send--waiting", wait > 0);
    this.#send.title = wait > 0 ? t("wait_long", { seconds: (wait / 1000).toFixed(1) }) : "";
    if (wait <= 0) return;
    this.#ticking = true;
    setTimeout(() => {
      this.#ticking = false;
      this.#drawWait();
    }, 100);
  }
}
