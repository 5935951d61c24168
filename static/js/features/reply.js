// The reply: the message that the next message answers, shown above the field until it is sent or cancelled.
// room.reply: `id` or null, set(id), clear(), and the event "change" for an act of the member.

import { iconButton, make } from "../elements/dom.js";
import { t } from "../words/words.js";

export function start(room) {
  if (!room.me) return;
  const reply = new Reply(room, document.querySelector("#composer .composer-reply"));
  room.reply = reply;
  room.timeline.addEventListener("change", ({ detail }) => {
    if (reply.id !== null && room.timeline.isGone(reply.id)) reply.drop();
    else if (detail.textChanged?.some(({ id }) => id === reply.id)) reply.set(reply.id);
  });
  room.actions.reply = ({ id }) => reply.choose(id);
  room.composer.addEventListener("escape", () => reply.id !== null && reply.choose(null));
  room.onClick("#messages [data-quick=reply]", (pressed, message) => reply.choose(message.id));
}

// The choice in a message's menu (elements/message_menu.js).
export function choice({ me, isMuted, actions }, message) {
  return me && !isMuted() && { action: "reply", label: t("reply"), glyph: "reply", run: () => actions.reply(message) };
}

class Reply extends EventTarget {
  id = null;

  #room;
  #bar;

  constructor(room, bar) {
    super();
    this.#room = room;
    this.#bar = bar;
  }

  choose(id) {
    const { isMuted, toast } = this.#room;
    if (id !== null && isMuted()) {
      toast(t("muted_now"));
      return;
    }
    this.set(id);
    this.dispatchEvent(new Event("change"));
    this.#room.composer.focus();
  }

  // The message was recalled or deleted, so its quote is removed here too.
  drop() {
    this.set(null);
    this.dispatchEvent(new Event("change"));
  }

  set(id) {
    this.id = id;
    const message = id === null ? null : this.#room.timeline.get(id);
    this.#bar.hidden = !message;
    const parts = message && [
      make("bdi", "quote-author", message.user),
      make("bdi", "quote-text", message.text || t("picture")),
      iconButton("side-button", "close", t("cancel_reply"), () => this.choose(null)),
    ];
    this.#bar.replaceChildren(...(parts ?? []));
  }

  clear() {
    this.set(null);
  }
}
