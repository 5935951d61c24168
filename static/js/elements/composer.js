// Where a message is written. What is typed is never lost: it is in the field, in the draft, in
// the outbox, or in the room.

import { length } from "../models/text.js";
import { t } from "../words/words.js";
import { iconButton, make } from "./dom.js";

const TYPING_EVERY_MS = 3000;
const MOST_WAITING = 20;
const COUNTER_FROM = 0.9;

export class Composer {
  #room;
  #form;
  #field;
  #send;
  #label;
  #replyTo = null;
  #typedAt = -Infinity;
  #ticking = false;
  #tray = null;

  constructor(room, form) {
    this.#room = room;
    this.#form = form;
    this.#field = form.elements.text;
    this.#send = form.querySelector("[type=submit]");
    this.#label = this.#send.querySelector(".send-label");
    this.#listen();
    this.#restoreDraft();
    this.#grow();
  }

  // On a touch screen Enter is a new line: the thumb has a button, and no Shift.
  get #enterSends() {
    return this.#room.ui === "desktop" && !matchMedia("(pointer: coarse)").matches;
  }

  focus() {
    this.#field.focus();
  }

  reply(id) {
    this.#replyTo = id;
    this.#drawReply();
    this.#saveDraft();
    this.focus();
  }

  insert(text) {
    this.#field.setRangeText(text, this.#field.selectionStart, this.#field.selectionEnd, "end");
    this.#changed();
  }

  // Puts a text back for another try; asks where it would push out what is being written.
  async putBack(text) {
    if (this.#field.value.trim() && this.#field.value.trim() !== text) {
      if (!(await this.#room.confirm(t("replace_draft"), t("replace")))) return;
    }
    this.#field.value = text;
    this.#changed();
    this.focus();
    this.#field.setSelectionRange(text.length, text.length);
  }

  async addFiles(files) {
    const { Tray } = await import("./tray.js");
    this.#tray ??= new Tray(this.#room, this.#form.querySelector(".tray"), () => this.#drawButton());
    this.#tray.add(files);
    if (this.#enterSends) this.focus();
  }

  drawOrdering(open) {
    this.#form.classList.toggle("composer--ordering", open);
    this.#field.placeholder = open ? t("placeholder_ordering") : t("placeholder");
  }

  #listen() {
    const { outbox } = this.#room;
    const field = this.#field;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    field.addEventListener("input", () => this.#changed());
    field.addEventListener("keydown", (event) => this.#key(event));
    // The first tap on the button must not fold the keyboard away.
    this.#send.addEventListener("mousedown", (event) => event.preventDefault());
    this.#form.elements.image.addEventListener("change", ({ target }) => {
      const files = [...target.files];
      target.value = "";
      if (files.length) this.addFiles(files);
    });
    outbox.addEventListener("change", () => {
      this.#tickButton();
      if (outbox.entries.every((entry) => entry.shelved !== false)) this.#saveDraft();
    });
    new ResizeObserver(() => this.#grow()).observe(this.#form);
  }

  #key(event) {
    // An input method uses Enter to choose a word. Safari ends the composition before it tells us
    // of the key, and then only the old key code still says so.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && this.#enterSends && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.#form.requestSubmit();
    } else if (event.key === "Escape" && this.#replyTo !== null) {
      this.#cancelReply();
    } else if (event.key === "ArrowUp" && !this.#field.value && !event.shiftKey) {
      if (this.#room.actions.takeBackLast()) event.preventDefault();
    }
  }

  #submit() {
    const { outbox, limits, clock, say } = this.#room;
    const text = this.#field.value.trim();
    const images = this.#tray?.images ?? [];
    if (!text && images.length === 0) {
      this.focus();
      return;
    }
    if (length(text) > limits.text_max) {
      say(t("too_long", { limit: limits.text_max }));
      return;
    }
    if (outbox.entries.length + Math.max(1, images.length) > MOST_WAITING) {
      say(t("too_many_waiting"));
      return;
    }
    // The words go with the first picture; the others follow alone.
    const parts = images.length ? images : [null];
    parts.forEach((image, i) => {
      const mine = i === 0 ? { text, reply_to: this.#replyTo } : { text: "", reply_to: null };
      this.#hand({ ...mine, image, created_ms: clock.now() + i });
    });
    this.#tray?.clear();
    this.#field.value = "";
    this.#replyTo = null;
    this.#drawReply();
    this.#grow();
    this.#drawButton();
    this.#room.view.sent();
  }

  async #hand(part) {
    const { outbox, previews } = this.#room;
    const adding = outbox.add(part);
    if (part.image) previews.set(outbox.entries.at(-1)?.client_id, part.image.preview);
    const entry = await adding;
    // The draft gives way only once the message is safe elsewhere: on the shelf, or in the room.
    if (entry.shelved) this.#saveDraft();
  }

  #changed() {
    this.#saveDraft();
    this.#grow();
    this.#drawButton();
    const now = performance.now();
    if (this.#field.value && now - this.#typedAt > TYPING_EVERY_MS) {
      this.#typedAt = now;
      this.#room.socket.send({ type: "typing" });
    }
  }

  #saveDraft() {
    this.#room.drafts.save({ text: this.#field.value, reply_to: this.#replyTo });
  }

  #restoreDraft() {
    const { text, reply_to } = this.#room.drafts.load();
    // A browser that brings a form back by itself may know something newer than we do.
    this.#field.value ||= text;
    this.#replyTo = reply_to !== null && this.#room.timeline.get(reply_to)?.state === "live" ? reply_to : null;
    this.#drawReply();
    this.#drawButton();
  }

  #drawReply() {
    const bar = this.#form.querySelector(".composer-reply");
    const message = this.#replyTo === null ? null : this.#room.timeline.get(this.#replyTo);
    bar.hidden = !message;
    if (!message) return;
    bar.replaceChildren(
      make("bdi", "quote-author", message.user),
      make("bdi", "quote-text", message.text || t("picture")),
      iconButton("side-button", "close", t("cancel_reply"), () => this.#cancelReply()),
    );
  }

  #cancelReply() {
    this.#replyTo = null;
    this.#drawReply();
    this.#saveDraft();
    this.focus();
  }

  // One to six lines; the stylesheet holds the ceiling.
  #grow() {
    const field = this.#field;
    field.style.setProperty("block-size", "auto");
    const edges = field.offsetHeight - field.clientHeight;
    field.style.setProperty("block-size", `${field.scrollHeight + edges}px`);
  }

  #drawButton() {
    const { limits } = this.#room;
    const count = length(this.#field.value.trim());
    const counter = this.#form.querySelector(".counter");
    counter.hidden = count < limits.text_max * COUNTER_FROM;
    counter.textContent = String(limits.text_max - count);
    counter.classList.toggle("counter--over", count > limits.text_max);
    this.#form.classList.toggle("composer--ready", count > 0 || Boolean(this.#tray?.images.length));
  }

  // The interval runs down on the button; a message sent meanwhile waits and goes by itself.
  #tickButton() {
    if (this.#ticking) return;
    const wait = this.#room.outbox.wait_ms;
    this.#label.textContent = wait > 0 ? t("wait_seconds", { seconds: (wait / 1000).toFixed(1) }) : t("send");
    this.#send.classList.toggle("send--waiting", wait > 0);
    this.#send.title = wait > 0 ? t("wait_long", { seconds: (wait / 1000).toFixed(1) }) : "";
    if (wait <= 0) return;
    this.#ticking = true;
    setTimeout(() => {
      this.#ticking = false;
      this.#tickButton();
    }, 100);
  }
}
