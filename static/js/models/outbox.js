// The messages that the member has written and the server has not confirmed.
//
// Texts and pictures are two lanes. In each lane one entry is sent at a time, so that entries arrive in the order in
// which they were written, and a text never waits behind a picture. An entry keeps its `client_id` at each attempt, so
// that the server stores it once. For the interval the pictures of one `album` count as one message.

const RETRY_MS = 3000;
const RETRIED = new Set(["too_fast", "busy", "offline", "stalled"]);

export class Outbox extends EventTarget {
  entries = [];

  #storage;
  #send;
  #interval_ms;
  #now;
  #later;
  // The time when the interval is over. For each lane: the time of the next attempt, and the timer for it.
  #nextAt = 0;
  #againAt = { text: 0, picture: 0 };
  #timers = { text: null, picture: null };
  // Albums with a stored picture. Their other pictures do not wait for the interval.
  #begun = new Set();
  #online = false;

  // `send(entry)` starts to send an entry; the result arrives by confirm() or refuse(). `storage` keeps
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

  // Adds the entries that an earlier page left unsent, except the entries that this page has already.
  async restore() {
    const stored = await this.#storage.load();
    const known = new Set(this.entries.map((entry) => entry.client_id));
    const missing = stored.filter((entry) => !known.has(entry.client_id));
    for (const entry of missing) {
      Object.assign(entry, { progress: 0, attempts: 0 });
      if (entry.state === "sending") entry.state = "waiting";
    }
    this.entries = [...missing, ...this.entries];
    this.#changed();
    this.sendNext();
  }

  // `image`: {blob, name, width, height} or null; `album`: a name that pictures sent together share, or null.
  // Event "stored": the entry has been stored.
  add({ text, reply_to = null, image = null, album = null, created_ms }) {
    const entry = {
      client_id: newClientId(), text, reply_to, image, album, created_ms,
      state: "waiting", progress: 0, attempts: 0, code: "", reason: "",
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

  // The server has stored the entry: its message or its ack has arrived.
  confirm(client_id) {
    const entry = this.find(client_id);
    if (!entry) return;
    if (entry.state === "sending") this.#startInterval(entry);
    this.#remove(entry);
  }

  // The server refused the entry, or could not be reached (code "offline").
  refuse(client_id, { code, message = "", retry_after_ms }) {
    const entry = this.find(client_id);
    if (!entry) return;
    entry.progress = 0;
    if (RETRIED.has(code)) {
      entry.state = "waiting";
      const at = this.#now() + (retry_after_ms ?? RETRY_MS);
      if (code === "too_fast") this.#nextAt = at;
      this.#againAt[laneOf(entry)] = at;
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
    if (part === 1) entry.arrivedAt = this.#now();
    this.#changed();
  }

  retry(client_id) {
    const entry = this.find(client_id);
    if (!entry || entry.state !== "failed") return;
    Object.assign(entry, { state: "waiting", attempts: 0, code: "", reason: "" });
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

  // A text that was being sent when the connection closed may or may not have arrived, so it is sent again with the
  // same client_id. Pictures go over HTTP, and their request fails by itself.
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
    for (const lane of ["text", "picture"]) this.#sendNextOf(lane);
  }

  #sendNextOf(lane) {
    const entries = this.entries.filter((entry) => laneOf(entry) === lane);
    if (!this.#online || entries.some((entry) => entry.state === "sending")) return;
    const entry = entries.find((each) => each.state === "waiting");
    if (!entry) return;
    const from = Math.max(this.#againAt[lane], this.#begun.has(entry.album) ? 0 : this.#nextAt);
    const wait = from - this.#now();
    if (wait > 0) {
      this.#timers[lane] ??= this.#later(() => {
        this.#timers[lane] = null;
        this.#sendNextOf(lane);
      }, wait);
      return;
    }
    entry.state = "sending";
    entry.attempts += 1;
    this.#changed();
    this.#send(entry);
  }

  // The server's interval starts when the server has the whole message, before it processes the picture.
  #startInterval(entry) {
    if (this.#begun.has(entry.album)) return;
    if (entry.album) this.#begun.add(entry.album);
    this.#nextAt = Math.max(this.#nextAt, (entry.arrivedAt ?? this.#now()) + this.#interval_ms());
  }

  async #store(entry) {
    entry.stored = await this.#storage.save(entry);
    // The server may have confirmed the entry while it was being stored.
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

function laneOf(entry) {
  return entry.image ? "picture" : "text";
}

// On plain http there is no crypto.randomUUID, but random bytes exist.
export function newClientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
