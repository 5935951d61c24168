// What the member has sent and the server has not confirmed yet.
//
// One entry travels at a time, so that the room sees them in the order they were written. An entry
// keeps its `client_id` however often it travels: the server stores it once.

const AGAIN_MS = 3000;
const NOT_FINAL = new Set(["too_fast", "busy", "offline"]);

export class Outbox extends EventTarget {
  entries = [];
  interval_ms = 0;

  #shelf;
  #deliver;
  #now;
  #later;
  #timer = null;
  #nextAt = 0;
  #online = false;

  // `deliver(entry)` starts sending one; what came of it arrives by settle() and refuse().
  // `shelf` keeps entries over a reload: load(), save(entry), remove(client_id).
  constructor({ deliver, shelf, now = () => performance.now(), later = (run, ms) => setTimeout(run, ms) }) {
    super();
    this.#deliver = deliver;
    this.#shelf = shelf;
    this.#now = now;
    this.#later = later;
  }

  // Entries that an earlier page left unsent; those already on their way here are not doubled.
  async restore() {
    const kept = await this.#shelf.load();
    const known = new Set(this.entries.map((entry) => entry.client_id));
    const missing = kept.filter((entry) => !known.has(entry.client_id));
    for (const entry of missing) {
      entry.progress = 0;
      if (entry.state === "sending") entry.state = "waiting";
    }
    this.entries = [...missing, ...this.entries];
    this.#changed();
    this.pump();
  }

  // `image`: {blob, name, width, height} or null. Resolves to the entry once it is safe on the shelf.
  async add({ text, reply_to = null, image = null, created_ms }) {
    const entry = {
      client_id: newClientId(), text, reply_to, image, created_ms,
      state: "waiting", progress: 0, code: "", reason: "",
    };
    this.entries.push(entry);
    this.#changed();
    this.pump();
    entry.shelved = await this.#shelf.save(entry);
    // It may have been settled while the shelf was writing.
    if (!this.find(entry.client_id)) this.#shelf.remove(entry.client_id);
    return entry;
  }

  find(client_id) {
    return this.entries.find((entry) => entry.client_id === client_id);
  }

  // The server has it: by its message, or by its ack.
  settle(client_id) {
    const entry = this.find(client_id);
    if (!entry) return;
    if (entry.state === "sending") this.#nextAt = this.#now() + this.interval_ms;
    this.#remove(entry);
  }

  // The server said no, or the way there broke (code "offline").
  refuse(client_id, { code, message = "", retry_after_ms }) {
    const entry = this.find(client_id);
    if (!entry) return;
    entry.progress = 0;
    if (NOT_FINAL.has(code)) {
      entry.state = "waiting";
      this.#nextAt = this.#now() + (retry_after_ms ?? AGAIN_MS);
    } else {
      Object.assign(entry, { state: "failed", code, reason: message });
      this.#shelf.save(entry);
    }
    this.#changed();
    this.pump();
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
    this.pump();
  }

  // Taken back before it was sent. Returns the entry, so that its text can be put back.
  discard(client_id) {
    const entry = this.find(client_id);
    if (!entry) return undefined;
    entry.abort?.();
    this.#remove(entry);
    return entry;
  }

  // A text that travelled when the line broke may or may not have arrived: it goes again, as itself.
  // Pictures travel over HTTP and learn of a broken line by themselves.
  setOnline(online) {
    this.#online = online;
    for (const entry of this.entries) {
      if (!online && entry.state === "sending" && !entry.image) entry.state = "waiting";
    }
    this.#changed();
    this.pump();
  }

  // Milliseconds until the next message may go; 0 when it may go now.
  get wait_ms() {
    return Math.max(0, this.#nextAt - this.#now());
  }

  pump() {
    if (!this.#online || this.entries.some((entry) => entry.state === "sending")) return;
    const entry = this.entries.find((each) => each.state === "waiting");
    if (!entry) return;
    const wait = this.wait_ms;
    if (wait > 0) {
      if (this.#timer === null) {
        this.#timer = this.#later(() => {
          this.#timer = null;
          this.pump();
        }, wait);
      }
      return;
    }
    entry.state = "sending";
    this.#changed();
    this.#deliver(entry);
  }

  #remove(entry) {
    this.entries = this.entries.filter((each) => each !== entry);
    this.#shelf.remove(entry.client_id);
    this.#changed();
    this.pump();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

// crypto.randomUUID is missing on plain http; random bytes are not.
function newClientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
