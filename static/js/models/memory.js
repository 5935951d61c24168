// What is remembered for a member: by this browser the unsent text, by the server how far they
// have read. Both outlive a reload, and a crash of the tab.

const TELL_AFTER_MS = 1000;

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

// How far the member has read. The server keeps it, for all their browsers; it hears of it a
// moment after the reading, once for many messages.
export class Reading {
  #tell;
  #later;
  #told;
  #waiting = false;

  // `tell(id)` is false when nobody hears it now: then hear() is called once somebody does.
  constructor(read_id, tell, later = (run) => setTimeout(run, TELL_AFTER_MS)) {
    this.lastRead = this.#told = read_id;
    this.#tell = tell;
    this.#later = later;
  }

  read(id) {
    if (id <= this.lastRead) return;
    this.lastRead = id;
    this.#soon();
  }

  // What the server knows, from a greeting: they may have read on elsewhere.
  hear(read_id) {
    this.#told = read_id;
    this.lastRead = Math.max(this.lastRead, read_id);
    this.#soon();
  }

  // At once: the page is about to be left.
  flush() {
    if (this.lastRead > this.#told && this.#tell(this.lastRead)) this.#told = this.lastRead;
  }

  #soon() {
    if (this.#waiting || this.lastRead <= this.#told) return;
    this.#waiting = true;
    this.#later(() => {
      this.#waiting = false;
      this.flush();
    });
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
