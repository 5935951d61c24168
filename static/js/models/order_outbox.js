// The member's orders that the server has not answered. In the end each order is accepted, refused or discarded.
//
// An order keeps its `client_id` and its window at each attempt, so that the server stores it once, and never in
// another window. Entries are kept over a reload, so that each of them gets an answer.

import { newClientId } from "./outbox.js";

const RETRY_MS = 3000;
const RETRIED = new Set(["busy", "too_fast", "storage_full"]);

export class OrderOutbox extends EventTarget {
  entries = [];

  #send;
  #key;
  #online = false;

  // `send(entry)` starts to send an entry, and returns false if there is no connection; the answer arrives by accept()
  // or refuse().
  constructor({ send, user_id }) {
    super();
    this.#send = send;
    this.#key = `orders:${user_id}`;
    this.entries = read(this.#key).map((entry) => (entry.state === "sending" ? { ...entry, state: "waiting" } : entry));
  }

  // `id` and `no`: of the order to change, if any; `shown`: the order in words.
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

  // An order that was being sent when the connection closed may or may not have arrived, so it is sent again.
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

// Stores the receipt of an accepted order, by window: the ledger page checks the journal against the receipts.
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
    // Storage is forbidden or full: the entries are lost with the page.
  }
}
