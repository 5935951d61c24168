// The room's messages as this page knows them, in the server's order.
//
// News comes by three roads: the page, the socket, and pages of history asked for over HTTP. The
// roads race; the `seq` of each message decides, so that an answer read before a recall can never
// bring back what was recalled.

import { lowerBound } from "./scroll.js";

const REMEMBERED_CHANGES = 500;

export class Timeline extends EventTarget {
  ids = [];
  seq = 0;
  epoch = "";
  firstId = 0;
  hasMore = false;

  #byId = new Map();
  // Changes to messages that are not here yet: id -> {seq, state, by}, or the changed message itself.
  #early = new Map();

  get(id) {
    return this.#byId.get(id);
  }

  get oldestId() {
    return this.ids[0] ?? Infinity;
  }

  get newestId() {
    return this.ids.at(-1) ?? 0;
  }

  // Takes the place of everything known: the page's own messages, or a `sync` that starts anew.
  replace({ messages, seq, epoch, first_id, has_more }) {
    this.ids = [];
    this.#byId.clear();
    this.#early.clear();
    this.seq = seq;
    this.epoch = epoch;
    this.firstId = first_id;
    this.hasMore = has_more ?? (messages.length > 0 && messages[0].id > first_id);
    for (const message of messages) this.#take(message);
    this.#changed({ replaced: true });
  }

  // The changes missed while away, in `seq` order.
  catchUp(messages, { seq, first_id }) {
    const newest = this.newestId;
    const posted = messages.filter(({ id, state }) => state === "live" && id > newest);
    for (const message of messages) this.#hear(message);
    this.seq = Math.max(this.seq, seq);
    this.#forgetBelow(first_id);
    this.#changed({ posted });
  }

  // Older messages, from HTTP. They say nothing of how far the socket's stream has come.
  prepend(messages, { first_id, has_more }) {
    for (const message of messages) this.#take(message);
    this.hasMore = has_more;
    this.firstId = Math.max(this.firstId, first_id);
    this.#changed({});
  }

  post(seq, message) {
    const isNew = message.id > this.newestId;
    this.#hear(message);
    this.seq = Math.max(this.seq, seq);
    this.#changed(isNew ? { posted: [message] } : { changed: message.id });
  }

  // `state` is "recalled" or "deleted". Returns the message as it was, where it was known.
  withdraw(seq, id, state, by) {
    const known = this.#byId.get(id);
    this.seq = Math.max(this.seq, seq);
    if (known) {
      if (known.seq < seq) this.#take(emptied(known, { seq, state, by }));
    } else {
      this.#note(id, { seq, state, by });
    }
    this.#changed({ withdrawn: id });
    return known;
  }

  expire(ids, first_id) {
    for (const id of ids) this.#drop(id);
    this.#forgetBelow(first_id);
    this.#changed({});
  }

  // A member's new face or role holds for what they said before, too.
  renameFaces(user) {
    for (const message of this.#byId.values()) {
      if (message.user_id !== user.id) continue;
      this.#byId.set(message.id, { ...message, avatar: user.avatar, role: user.role, user: user.name });
    }
    this.#changed({ faces: true });
  }

  // Where a reply points: {state: "live", message}, or "recalled", "deleted", "gone", "earlier".
  original(id) {
    const message = this.#byId.get(id);
    if (message) return { state: message.state, message };
    if (id < this.firstId) return { state: "gone" };
    return { state: id < this.oldestId && this.hasMore ? "earlier" : "deleted" };
  }

  // My newest live message that can still be recalled, or undefined.
  lastRecallable(user_id, now_ms) {
    for (let i = this.ids.length - 1; i >= 0; i -= 1) {
      const message = this.#byId.get(this.ids[i]);
      if (message.user_id === user_id && message.state === "live" && message.kind !== "preset") {
        return message.recall_until_ms > now_ms ? message : undefined;
      }
    }
    return undefined;
  }

  // From the live stream. A change to what lies above the oldest page here waits for that page: put
  // in now it would leave a gap below it that nobody fetches.
  #hear(message) {
    if (this.hasMore && message.id < this.oldestId) this.#note(message.id, message);
    else this.#take(message);
  }

  #note(id, change) {
    this.#early.set(id, change);
    if (this.#early.size > REMEMBERED_CHANGES) this.#early.delete(this.#early.keys().next().value);
  }

  #take(message) {
    const known = this.#byId.get(message.id);
    const early = this.#early.get(message.id);
    if (known && known.seq >= message.seq) return;
    if (early && early.seq > message.seq) message = early.id ? early : emptied(message, early);
    this.#early.delete(message.id);
    if (message.state === "deleted") {
      this.#drop(message.id);
      return;
    }
    if (!known) this.#insert(message.id);
    this.#byId.set(message.id, message);
  }

  #insert(id) {
    if (this.ids.length === 0 || id > this.ids[this.ids.length - 1]) this.ids.push(id);
    else this.ids.splice(lowerBound(this.ids, id), 0, id);
  }

  #drop(id) {
    if (!this.#byId.delete(id)) return;
    this.ids.splice(lowerBound(this.ids, id), 1);
  }

  #forgetBelow(first_id) {
    this.firstId = Math.max(this.firstId, first_id);
    while (this.ids.length && this.ids[0] < first_id) this.#drop(this.ids[0]);
    if (this.oldestId <= this.firstId) this.hasMore = false;
  }

  #changed(detail) {
    this.dispatchEvent(Object.assign(new Event("change"), { detail }));
  }
}

function emptied(message, { seq, state, by }) {
  const recalled_by = state === "recalled" ? by : "";
  return { ...message, seq, state, recalled_by, text: "", image: "", thumb: "", client_id: "", reactions: [] };
}
