// The orders that a member has given and the server has not answered: each ends accepted, refused, or is given up.
//
// An order keeps its `client_id` and the window that it is meant for, however often it is sent: the server stores it
// once, and never in another window. Entries are kept over a reload, so that none disappears without an answer.

import { newClientId } from "./outbox.js";

const RETRY_MS = 3000;
const RETRIED = new Set(["busy", "too_fast", "storage_full"]);

export class OrderOutbox extends EventTarget {
  entries = [];

  #send;
  #key;
  #online = false;

  // `send(entry)` starts sending one, and is false where there is no connection; the answer arrives by accept() or
  // refuse().
  constructor({ send, user_id }) {
    super();
    this.#send = send;
    this.#key = `orders:${user_id}`;
    this.entries = read(this.#key).map((entry) => (entry.state === "sending" ? { ...entry, state: "waiting" } : entry));
  }

  // `id` and `no` are those of an order that is changed; `shown` says the order in words.
  add({ window_id, lines, text, shown, id = null, no = null }) {
    const entry = { client_id: newClientId(), window_id, lines, text, shown, id, no, state: "waiting", code: "", reason: "" };
    this.entries.push(entry);
    this.#changed();
    this.#sendWaiting();
    return entry;
  }

  find(client_id) {
    return this.entries.find((entry) => entry.client_id === client_id);
  }

  accept(client_id) {
    const entry = this.find(client_id);
    if (entry) this.discard(client_id);
    return entry;
  }

  refuse(client_id, { code, message, retry_after_ms }) {
    const entry = this.find(client_id);
    if (!entry) return;
    if (RETRIED.has(code)) {
      entry.state = "waiting";
      setTimeout(() => this.#sendWaiting(), retry_after_ms ?? RETRY_MS);
    } else {
      Object.assign(entry, { state: "refused", code, reason: message });
    }
    this.#changed();
  }

  discard(client_id) {
    this.entries = this.entries.filter((entry) => entry.client_id !== client_id);
    this.#changed();
  }

  // What was being sent when the connection closed may or may not have arrived: it is sent again.
  setOnline(online) {
    this.#online = online;
    for (const entry of this.entries) {
      if (entry.state === "sending") entry.state = "waiting";
    }
    this.#changed();
    this.#sendWaiting();
  }

  #sendWaiting() {
    if (!this.#online) return;
    for (const entry of this.entries) {
      if (entry.state === "waiting" && this.#send(entry)) entry.state = "sending";
    }
    this.#changed();
  }

  #changed() {
    write(this.#key, this.entries);
    this.dispatchEvent(new Event("change"));
  }
}

// The receipts of accepted orders, by window: what the ledger page checks the journal against.
export function keepReceipt(window_id, { no, receipt }) {
  const kept = read("receipts", {});
  const others = (kept[window_id] ?? []).filter((each) => each.receipt !== receipt);
  write("receipts", { ...kept, [window_id]: [...others, { no, receipt }] });
}

function read(key, missing = []) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? missing;
  } catch {
    return missing;
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // No storage, or a full one: the entries live as long as the page.
  }
}
