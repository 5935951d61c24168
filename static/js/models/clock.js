// The server's clock as this page knows it, and the ordering window that ends by it.
//
// It uses the page's monotonic clock, so that a countdown is right on a device whose own clock is
// wrong, or is set while the page is open.

const FRESH_MS = 10 * 60_000;

export class Clock {
  #monotonic;
  #best = null;

  constructor(monotonic = () => performance.now()) {
    this.#monotonic = monotonic;
  }

  // Adds a sample: when the monotonic clock showed `at_ms`, the server's clock had shown `server_ms` half of
  // `round_trip_ms` earlier. A sample with a longer round trip is ignored while a better sample is recent.
  addSample(server_ms, round_trip_ms = Infinity, at_ms = this.#monotonic()) {
    const best = this.#best;
    // An answer cannot arrive before the server has sent it. If it seems to, the offset is too low, even if its round
    // trip was short: a countdown of 100 seconds would begin at 101.
    if (best && server_ms > at_ms + best.offset_ms) best.offset_ms = server_ms - at_ms;
    if (best && best.round_trip_ms < round_trip_ms && at_ms - best.at_ms < FRESH_MS) return;
    const travel_ms = Number.isFinite(round_trip_ms) ? round_trip_ms / 2 : 0;
    this.#best = { at_ms, round_trip_ms, offset_ms: server_ms + travel_ms - at_ms };
  }

  // The monotonic clock may have stopped while the device slept, so the next sample is used, even if its round trip is
  // long.
  expireSample() {
    if (this.#best) this.#best.round_trip_ms = Infinity;
  }

  now() {
    return this.#monotonic() + (this.#best?.offset_ms ?? 0);
  }
}

// Whole seconds until `end_ms`, rounded up: with 0.2 s left it is 1.
export function secondsLeft(end_ms, now_ms) {
  return Math.max(0, Math.ceil((end_ms - now_ms) / 1000));
}

// The ordering window as the server last sent it. It ends at its deadline even if the server's frame
// has not arrived by then.
export class OrderingWindow extends EventTarget {
  #clock;
  current = null;
  // The server's data of the window that was closed last, or null.
  last = null;

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
}
