// What this browser remembers for a member: the unsent text, and how far they have read.
// Both outlive a reload, and a crash of the tab.

export class Drafts {
  #storage;
  #key;

  constructor(user_id, storage = browserStorage()) {
    this.#storage = storage;
    this.#key = `draft:${user_id}`;
  }

  load() {
    try {
      const kept = JSON.parse(this.#storage.getItem(this.#key) ?? "null");
      return { text: String(kept?.text ?? ""), reply_to: kept?.reply_to ?? null };
    } catch {
      return { text: "", reply_to: null };
    }
  }

  save({ text, reply_to = null }) {
    try {
      if (!text && reply_to === null) this.#storage.removeItem(this.#key);
      else this.#storage.setItem(this.#key, JSON.stringify({ text, reply_to }));
    } catch {
      // A full or forbidden storage costs the draft its reload, not the member the room.
    }
  }

  clear() {
    this.save({ text: "" });
  }
}

// The newest message that the member has had before their eyes.
export class Reading {
  #storage;
  #key;

  constructor(user_id, storage = browserStorage()) {
    this.#storage = storage;
    this.#key = `read:${user_id}`;
    this.lastRead = Number(this.#attempt(() => storage.getItem(this.#key))) || 0;
  }

  read(id) {
    if (id <= this.lastRead) return;
    this.lastRead = id;
    this.#attempt(() => this.#storage.setItem(this.#key, String(id)));
  }

  #attempt(act) {
    try {
      return act();
    } catch {
      return undefined;
    }
  }
}

// Some browsers throw on the mere mention of localStorage when cookies are refused.
function browserStorage() {
  try {
    return globalThis.localStorage ?? nowhere;
  } catch {
    return nowhere;
  }
}

const nowhere = { getItem: () => null, setItem() {}, removeItem() {} };
