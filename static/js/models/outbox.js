// The messages that the member has written and the server has not confirmed.
//
// One entry is sent at a time, so that they arrive in the order in which they were written. An entry
// keeps its `client_id` however often it is sent: the server stores it once.

const RETRY_MS = 3000;
const RETRIED = new Set(["too_fast", "busy", "offline"]);

export class Outbox extends EventTarget {
  entries = [];

  #storage;
  #send;
  #interval_ms;
  #now;
  #later;
  #timer = null;
  #nextAt = 0;
  #online = false;

  // `send(entry)` starts sending one; its result arrives by confirm() or refuse(). `storage` keeps
  // entries over a reload: load(), save(entry), remove(client_id). `interval_ms()` is the least time
  // between two messages.
  constructor({ send, storage, interval_ms, now = () => performance.now(), later = (run, ms) => setTimeout(run, ms) }) {
    super();
    this.#send = send;
    this.#storage = storage;
    this.#interval_ms = interval_ms;
    this.#now = now;
    this.#later = later;
  }

  // Adds the entries that an earlier page left unsent, without those that are here already.
  async restore() {
    const stored = await this.#storage.load();
    const known = new Set(this.entries.map((entry) => entry.client_id));
    const missing = stored.filter((entry) => !known.has(entry.client_id));
    for (const entry of missing) {
      entry.progress = 0;
      if (entry.state === "sending") entry.state = "waiting";
    }
    this.entries = [...missing, ...this.entries];
    this.#changed();
    this.sendNext();
  }

  // `image`: {blob, name, width, height} or null. Event "stored" tells when an entry has been stored.
  add({ text, reply_to = null, image = null, created_ms }) {
    const entry = {
      client_id: newClientId(), text, reply_to, image, created_ms,
      state: "waiting", progress: 0, code: "", reason: "",
    };
    this.entries.push(entry);
    this.#changed();
    this.sendNext();
    this.#store(entry);
    return entry;
  }

  find(client_id) {
    return this.entries.find((entry) => entry.client_id === client_id);
  }

  // The server has stored it: its message or its ack has arrived.
  confirm(client_id) {
    const entry = this.find(client_id);
    if (!entry) return;
    if (entry.state === "sending") this.#nextAt = this.#now() + this.#interval_ms();
    this.#remove(entry);
  }

  // The server refused it, or could not be reached (code "offline").
  refuse(client_id, { code, message = "", retry_after_ms }) {
    const entry = this.find(client_id);
    if (!entry) return;
    entry.progress = 0;
    if (RETRIED.has(code)) {
      entry.state = "waiting";
      this.#nextAt = this.#now() + (retry_after_ms ?? RETRY_MS);
    } else {
      Object.assign(entry, { state: "failed", code, reason: message });
      this.#storage.save(entry);
    }
    this.#changed();
    this.sendNext();
  }

  progress(client_id, part) {
    const entry = this.find(client_id);
    if (!entry) return;
    entry.progress = part;
    this.#changed();
  }

  retry(client_id) {
    const entry = this.find(client_id);
    if (!entry || entry.state !== "failed") return;
    Object.assign(entry, { state: "waiting", code: "", reason: "" });
    this.#changed();
    this.sendNext();
  }

  // Removes an unsent entry and returns it, so that its text can be restored to the field.
  discard(client_id) {
    const entry = this.find(client_id);
    if (!entry) return undefined;
    entry.abort?.();
    this.#remove(entry);
    return entry;
  }

  // A text that was being sent when the connection closed may or may not have arrived: it is sent again,
  // with the same client_id. Pictures go over HTTP, and fail there by themselves.
  setOnline(online) {
    this.#online = online;
    for (const entry of this.entries) {
      if (!online && entry.state === "sending" && !entry.image) entry.state = "waiting";
    }
    this.#changed();
    this.sendNext();
  }

  // Milliseconds until the next message may be sent; 0: now.
  get wait_ms() {
    return Math.max(0, this.#nextAt - this.#now());
  }

  sendNext() {
    if (!this.#online || this.entries.some((entry) => entry.state === "sending")) return;
    const entry = this.entries.find((each) => each.state === "waiting");
    if (!entry) return;
    const wait = this.wait_ms;
    if (wait > 0) {
      if (this.#timer === null) {
        this.#timer = this.#later(() => {
          this.#timer = null;
          this.sendNext();
        }, wait);
      }
      return;
    }
    entry.state = "sending";
    this.#changed();
    this.#send(entry);
  }

  async #store(entry) {
    entry.stored = await this.#storage.save(entry);
    // It may have been confirmed while it was being stored.
    if (!this.find(entry.client_id)) this.#storage.remove(entry.client_id);
    if (entry.stored) this.dispatchEvent(new Event("stored"));
  }

  #remove(entry) {
    this.entries = this.entries.filter((each) => each !== entry);
    this.#storage.remove(entry.client_id);
    this.#changed();
    this.sendNext();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

// crypto.randomUUID is missing on plain http; random bytes are not.
export function newClientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
