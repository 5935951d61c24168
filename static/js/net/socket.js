// The room's WebSocket, and its reconnecting.
//
// States: "connecting" until `hello` has arrived, then "online"; "offline" while it waits for the next
// attempt, or permanently when the login has ended. Only `hello` means online: a proxy may open a socket
// that does not reach the room.

const WAIT_MIN_MS = 2000;
const RETRY_MIN_MS = 100;
const WAIT_MAX_MS = 30_000;
const HELLO_WITHIN_MS = 10_000;
const SILENCE_MS = 25_000;
const PONG_WITHIN_MS = 8_000;
const CHECK_WITHIN_MS = 3_000;
// A guest may not send a ping: after this time without a frame their page reconnects.
const GUEST_SILENCE_MS = 120_000;
// After this many attempts without a `hello`, something on the way blocks WebSockets.
const BLOCKED_AFTER = 2;
const ENDED = new Map([[4401, "login_required"], [4403, "banned"]]);

export class RoomSocket extends EventTarget {
  state = "connecting";
  ended = "";

  #address;
  #socket = null;
  #attempts = 0;
  #cannotBeMade = false;
  #wasOnline = false;
  #retry = 0;
  #watch = 0;
  #listenOnly;
  #receivedAt = 0;
  // Frames that arrived before deliver() was called; null after it.
  #undelivered = [];

  // `address()` is called at each attempt: it holds the last `seq` of the page. `listenOnly`: a guest's
  // socket, which sends nothing.
  constructor(address, { listenOnly = false } = {}) {
    super();
    this.#address = address;
    this.#listenOnly = listenOnly;
  }

  // Connects. Frames are kept until deliver(), so that the features can load during the handshake.
  start() {
    addEventListener("online", () => this.#onWake());
    addEventListener("offline", () => this.#check());
    addEventListener("pageshow", (event) => event.persisted && this.#onWake());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#onWake();
    });
    this.#connect();
  }

  // No connection has reached the room, and none is likely to: HTTP is used where possible.
  get isBlocked() {
    return !this.#wasOnline && (this.#cannotBeMade || this.#attempts >= BLOCKED_AFTER);
  }

  deliver() {
    const frames = this.#undelivered;
    this.#undelivered = null;
    for (const data of frames) this.#receive(data);
  }

  // False if not connected.
  send(frame) {
    if (this.#listenOnly || this.state !== "online") return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  ping() {
    this.send({ type: "ping", t: performance.now() });
  }

  // Stops permanently: the page cannot use it.
  stop() {
    this.ended = "stopped";
    clearTimeout(this.#watch);
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#setState("offline");
  }

  // Connects without waiting for the next attempt.
  retryNow() {
    if (this.state === "offline" && !this.ended) this.#connect();
  }

  #connect() {
    clearTimeout(this.#retry);
    this.#setState("connecting");
    const socket = this.#make();
    if (!socket) {
      this.#onClosed(0);
      return;
    }
    this.#socket = socket;
    this.#dropAfter(HELLO_WITHIN_MS);
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(data);
    socket.onclose = ({ code }) => socket === this.#socket && this.#onClosed(code);
  }

  // Null if the constructor throws because of a policy, a setting or an extension of the browser.
  #make() {
    try {
      return new WebSocket(this.#address());
    } catch {
      this.#cannotBeMade = true;
      return null;
    }
  }

  #receive(data) {
    if (this.#undelivered) {
      clearTimeout(this.#watch); // the connection is alive; deliver() starts the watch
      this.#undelivered.push(data);
      return;
    }
    this.#onAlive();
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (frame.type === "hello") {
      this.#attempts = 0;
      this.#wasOnline = true;
      this.#setState("online", frame);
      this.ping();
    } else {
      this.dispatchEvent(Object.assign(new Event("frame"), { frame }));
    }
  }

  // A connection can fail without a close. After a time without frames the page sends a ping, and drops the connection
  // if no frame follows.
  #onAlive() {
    clearTimeout(this.#watch);
    this.#receivedAt = performance.now();
    this.#watch = setTimeout(() => this.#ping(PONG_WITHIN_MS), this.#listenOnly ? GUEST_SILENCE_MS : SILENCE_MS);
  }

  #ping(within_ms) {
    if (this.#listenOnly) {
      this.#reconnect();
      return;
    }
    this.ping();
    this.#dropAfter(within_ms);
  }

  // A new handshake is a reliable check; the page continues from its last `seq`.
  #reconnect() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#connect();
  }

  #dropAfter(within_ms) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#drop(), within_ms);
  }

  // Drop the socket without close(), because close() waits for the server, which may be unreachable.
  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#onClosed(0);
  }

  #onClosed(code) {
    clearTimeout(this.#watch);
    this.#socket = null;
    // A closed connection must not deliver frames that would set "online". The next connection brings them again.
    if (this.#undelivered) this.#undelivered = [];
    this.ended = ENDED.get(code) ?? "";
    this.#setState("offline");
    if (this.ended) return;
    const wait = Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    // When the server stops, all pages lose their connections at the same time, so they reconnect spread over the
    // whole first wait, and over the upper half of each later wait.
    const spread = this.#attempts > 1 ? 0.5 + Math.random() / 2 : Math.random();
    const jittered = Math.max(RETRY_MIN_MS, wait * spread);
    this.#retry = setTimeout(() => this.#connect(), jittered);
  }

  #onWake() {
    if (this.ended) return;
    if (this.state === "offline") this.#connect();
    else if (this.state === "online") this.#check();
  }

  #check() {
    if (this.state !== "online") return;
    // A guest's connection needs no check if it has just received a frame.
    if (this.#listenOnly && performance.now() - this.#receivedAt < SILENCE_MS) return;
    this.#ping(CHECK_WITHIN_MS);
  }

  #setState(state, hello = null) {
    this.state = state;
    this.dispatchEvent(Object.assign(new Event("state"), { hello }));
  }
}
