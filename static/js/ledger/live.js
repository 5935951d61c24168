// The connection of a ledger's pages to the room: they listen, and request changed data again.

import { RoomSocket } from "../net/socket.js";

const RELOAD_MS = 1000;
// The pause in ms after a reload that failed for a temporary reason.
const RETRY_MS = 5000;

// Returns a started socket that only listens.
export function listen(onFrame) {
  const address = () => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/chat/`;
  const socket = new RoomSocket(address, { listenOnly: true });
  socket.addEventListener("frame", ({ frame }) => onFrame(frame));
  socket.start();
  socket.deliver();
  return socket;
}

// Requests changed data, at most once a second. A change during a request causes another request, because the answer
// may not have it.
export class Reloader {
  #ask;
  #show;
  #fail;
  #timer = 0;
  #asked = 0;
  #drawn = 0;

  // `ask()` resolves to the value for `show`; `fail` gets the Refused.
  constructor({ ask, show, fail }) {
    this.#ask = ask;
    this.#show = show;
    this.#fail = fail;
  }

  get isAsking() {
    return this.#asked > this.#drawn;
  }

  soon() {
    if (!this.#timer) this.#timer = setTimeout(() => this.now(), RELOAD_MS);
  }

  async now() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const turn = (this.#asked += 1);
    let found;
    try {
      found = await this.#ask();
    } catch (refused) {
      this.#fail(refused);
      const passes = !refused.status || refused.status === 429 || refused.status >= 500;
      if (passes && !this.#timer) this.#timer = setTimeout(() => this.now(), RETRY_MS);
      return;
    }
    if (turn < this.#drawn) return;
    this.#drawn = turn;
    this.#show(found);
  }
}
