// The room's socket, and its coming back.
//
// States: "connecting" until `hello` has arrived, then "online"; "offline" while it waits for the
// next attempt, or for good when the login ended. Only `hello` means online: an open socket behind
// a stuck proxy is not the room.

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const HELLO_WITHIN_MS = 10_000;
const SILENCE_MS = 25_000;
const PONG_WITHIN_MS = 8_000;
const CHECK_WITHIN_MS = 3_000;
// A guest may not ask whether anybody is there; after this long without a word they come in anew.
const GUEST_SILENCE_MS = 120_000;
const ENDED = new Map([[4401, "login_required"], [4403, "banned"]]);

export class RoomSocket extends EventTarget {
  state = "connecting";
  ended = "";

  #address;
  #socket = null;
  #attempts = 0;
  #retry = 0;
  #watch = 0;
  #mute;
  #heardAt = 0;

  // `address()` is asked anew at each attempt: it carries how far the page has come. `mute`: a
  // guest's, who listens and sends nothing at all.
  constructor(address, { mute = false } = {}) {
    super();
    this.#address = address;
    this.#mute = mute;
  }

  start() {
    addEventListener("online", () => this.#wake());
    addEventListener("offline", () => this.#check());
    addEventListener("pageshow", (event) => event.persisted && this.#wake());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#wake();
    });
    this.#connect();
  }

  // False when nothing is there to take it.
  send(frame) {
    if (this.#mute || this.state !== "online") return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  ping() {
    this.send({ type: "ping", t: performance.now() });
  }

  // The reader will not wait.
  retryNow() {
    if (this.state === "offline" && !this.ended) this.#connect();
  }

  #connect() {
    clearTimeout(this.#retry);
    this.#become("connecting");
    const socket = new WebSocket(this.#address());
    this.#socket = socket;
    this.#expect(HELLO_WITHIN_MS);
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(data);
    socket.onclose = ({ code }) => socket === this.#socket && this.#lost(code);
  }

  #receive(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    this.#listen();
    if (frame.type === "hello") {
      this.#attempts = 0;
      this.#become("online", frame);
      this.ping();
    } else {
      this.dispatchEvent(Object.assign(new Event("frame"), { frame }));
    }
  }

  // A line can die without a word. After a silence we ask, and hang up when nobody answers.
  #listen() {
    clearTimeout(this.#watch);
    this.#heardAt = performance.now();
    this.#watch = setTimeout(() => this.#ask(PONG_WITHIN_MS), this.#mute ? GUEST_SILENCE_MS : SILENCE_MS);
  }

  #ask(within_ms) {
    if (this.#mute) {
      this.#comeAnew();
      return;
    }
    this.ping();
    this.#expect(within_ms);
  }

  // Costs a handshake and tells for certain; the room goes on from where this page was.
  #comeAnew() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#connect();
  }

  #expect(within_ms) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#hangUp(), within_ms);
  }

  // close() waits for the other side, who may be gone: we do not wait with it.
  #hangUp() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#lost(0);
  }

  #lost(code) {
    clearTimeout(this.#watch);
    this.#socket = null;
    this.ended = ENDED.get(code) ?? "";
    this.#become("offline");
    if (this.ended) return;
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    // Spread over the upper half, so that a room's members do not all return in one instant.
    const jittered = Math.max(FIRST_WAIT_MS, wait * (0.5 + Math.random() / 2));
    this.#retry = setTimeout(() => this.#connect(), jittered);
  }

  #wake() {
    if (this.ended) return;
    if (this.state === "offline") this.#connect();
    else if (this.state === "online") this.#check();
  }

  #check() {
    if (this.state !== "online") return;
    // A guest who just heard the room needs no proof of it.
    if (this.#mute && performance.now() - this.#heardAt < SILENCE_MS) return;
    this.#ask(CHECK_WITHIN_MS);
  }

  #become(state, hello = null) {
    this.state = state;
    this.dispatchEvent(Object.assign(new Event("state"), { hello }));
  }
}
