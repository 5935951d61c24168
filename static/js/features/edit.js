// Edits the member's own text: the choice in its menu, and the composer during the edit. The composer's draft comes
// back afterwards.

import { icon, iconButton, length, make, snippet } from "../elements/dom.js";
import { request } from "../net/request.js";
import { t } from "../words/words.js";

// Whether to offer the edit of `message`. The decision is the server's, which checks again
// (chatserver/features/messages/edit.py); this is the only place where the page repeats its rule.
function canEdit(room, { kind, state, user_id, created_ms }) {
  return kind === "text" && state === "live" && user_id === room.me?.id && !room.isMuted() && msLeft(room, created_ms) > 0;
}

function msLeft(room, created_ms) {
  return created_ms + (room.limits.edit_ms ?? 0) - room.now(); // the offline copy of an older version has no limit
}

// The choice in a message's menu (elements/message_menu.js).
export function choice(room, message) {
  return canEdit(room, message) && { action: "edit", label: t("edit"), glyph: "pencil", run: () => edit(room, message) };
}

// Edits the member's newest text that can be edited, if there is one.
export function open(room) {
  const last = room.timeline.newest((message) => canEdit(room, message));
  if (last) edit(room, last);
}

let editor = null;

function edit(room, message) {
  editor ??= new Editor(room, document.getElementById("composer"));
  editor.begin(message);
}

// The task of the composer (elements/composer.js) during an edit.
class Editor {
  label = t("save");
  noPictures = t("edit_no_pictures");
  draft = null;

  #room;
  #form;
  #bar;
  #words = make("span", "composer-task-words");
  #state = make("span", "composer-task-state");
  #message = null;
  #timer = 0;
  // True if the edit was sent and is not answered yet.
  #isSent = false;

  constructor(room, form) {
    this.#room = room;
    this.#form = form;
    this.#bar = make("div", "composer-task");
    this.#words.id = "composer-task";
    this.#state.setAttribute("role", "status");
    this.#bar.append(icon("pencil"), this.#words, this.#state, iconButton("side-button", "close", t("edit_cancel"), () => this.#cancel()));
    this.#bar.hidden = true;
    form.querySelector(".composer-above").prepend(this.#bar);
    room.composer.addEventListener("escape", () => this.#isOn && this.#cancel());
    room.timeline.addEventListener("change", () => this.#isOn && this.#onChange());
    room.socket.addEventListener("state", () => this.#isOn && this.#onConnection());
    // A reply is a new message, so it ends the edit.
    room.reply.addEventListener("change", () => {
      if (!this.#isOn || room.reply.id === null) return;
      this.#end(room.reply.id);
      room.reply.dispatchEvent(new Event("change")); // Saves the draft as the draft of a reply.
    });
    room.onFrame("refused", ({ id }) => {
      if (this.#isOn && id === this.#message.id) this.#isSent = false;
    });
  }

  get #isOn() {
    return this.#room.composer.task === this;
  }

  begin(message) {
    const { composer, reply } = this.#room;
    this.draft ??= { text: composer.text, reply_to: reply.id };
    this.#message = message;
    this.#isSent = false;
    composer.task = this;
    reply.set(null);
    composer.text = message.text;
    this.#form.elements.text.setAttribute("aria-describedby", this.#words.id);
    this.#words.replaceChildren(`${t("editing")} `, make("bdi", "quote-text", snippet(message.text)));
    this.#bar.hidden = false;
    this.#drawState();
    composer.focus();
    this.#form.elements.text.setSelectionRange(message.text.length, message.text.length);
  }

  async submit() {
    const { composer, limits, toast } = this.#room;
    const text = composer.text.trim();
    if (this.#isSent) return;
    if (!text) composer.focus();
    else if (text === this.#message.text) this.#end();
    else if (length(text) > limits.text_max) toast(t("too_long", { limit: limits.text_max }));
    else {
      this.#isSent = true;
      if (await request(this.#room, "edit", this.#message.id, { text })) this.#isSent = false;
    }
  }

  #onChange() {
    const { timeline, toast, composer } = this.#room;
    const now = timeline.get(this.#message.id);
    if (timeline.isGone(this.#message.id)) {
      toast(t("edit_gone"));
      this.#end();
    } else if (now && now.edited_ms !== this.#message.edited_ms) {
      this.#message = now;
      // If the connection was lost while an edit was sent, the edit may have arrived.
      if (this.#isSent || now.text === composer.text.trim()) this.#end();
    }
  }

  #onConnection() {
    if (this.#room.socket.state !== "online") this.#isSent = false;
    this.#drawState();
  }

  // Shows the reason before the member tries to save an edit that the server would refuse.
  #drawState() {
    const { socket } = this.#room;
    const left_ms = msLeft(this.#room, this.#message.created_ms);
    const isOffline = socket.state !== "online" && !socket.isBlocked;
    this.#state.textContent = left_ms <= 0 ? t("edit_over") : isOffline ? t("edit_offline") : "";
    clearTimeout(this.#timer);
    if (left_ms > 0) this.#timer = setTimeout(() => this.#drawState(), left_ms);
  }

  #cancel() {
    this.#end();
    this.#room.composer.focus();
  }

  // `reply_to`: the message that the draft answers after this call.
  #end(reply_to = this.draft.reply_to) {
    const { composer, reply, timeline } = this.#room;
    const { text } = this.draft;
    clearTimeout(this.#timer);
    this.draft = null;
    composer.task = null;
    this.#bar.hidden = true;
    this.#form.elements.text.removeAttribute("aria-describedby");
    reply.set(reply_to !== null && timeline.get(reply_to)?.state === "live" ? reply_to : null);
    composer.text = text;
  }
}
