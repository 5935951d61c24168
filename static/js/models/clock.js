// The server's clock as this page reads it, and the ordering window that runs by it.
//
// It runs on the monotonic clock of the page, so that a device whose clock is ten minutes wrong,
// or is put right while we run, counts down like everybody else's.

const BEST_FOR_MS = 10 * 60_000;

export class Clock {
  #monotonic;
  #sample = null;

  constructor(monotonic = () => performance.now()) {
    this.#monotonic = monotonic;
  }

  // Learns that the server's clock showed `server_ms` half of `round_trip_ms` ago.
  // A slower answer says less: it is ignored while a quicker one is fresh.
  learn(server_ms, round_trip_ms = Infinity) {
    const at = this.#monotonic();
    const best = this.#sample;
    // No word arrives before it was sent. A clock that says so is slow, however quick the answer was
    // that set it: a window of 100 seconds would open with 101.
    if (best && server_ms > at + best.offset) best.offset = server_ms - at;
    if (best && best.round_trip_ms < round_trip_ms && at - best.at < BEST_FOR_MS) return;
    const travel = Number.isFinite(round_trip_ms) ? round_trip_ms / 2 : 0;
    this.#sample = { at, round_trip_ms, offset: server_ms + travel - at };
  }

  // After a sleep the monotonic clock may have stood still: the next answer counts, however slow.
  doubt() {
    if (this.#sample) this.#sample.round_trip_ms = Infinity;
  }

  now() {
    return this.#monotonic() + (this.#sample?.offset ?? 0);
  }
}

// Whole seconds left until `end_ms`, counted as people do: 0.2 s left is still "1".
export function secondsLeft(end_ms, now_ms) {
  return Math.max(0, Math.ceil((end_ms - now_ms) / 1000));
}

// "1:05", or "1:00:05" from an hour on.
export function clockFace(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (!parts[0]) parts.shift();
  return parts.map((part, i) => (i ? String(part).padStart(2, "0") : part)).join(":");
}

// The ordering window as the server last told it. It ends at its own deadline even where the
// server's word for it has not arrived.
export class OrderingWindow extends EventTarget {
  #clock;
  current = null;

  constructor(clock) {
    super();
    this.#clock = clock;
  }

  set(window) {
    this.current = window;
    this.dispatchEvent(new Event("change"));
  }

  get isOpen() {
    return this.current?.state === "open" && this.current.closes_ms > this.#clock.now();
  }

  get seconds() {
    return this.isOpen ? secondsLeft(this.current.closes_ms, this.#clock.now()) : 0;
  }

  // The window that a preset message speaks of, while it is open; null otherwise.
  leftOf({ kind, closes_ms, created_ms }) {
    if (kind !== "preset" || !closes_ms || !this.isOpen) return null;
    return closes_ms === this.current.closes_ms || created_ms >= this.current.opened_ms ? this.current : null;
  }
}
