// The bar of the ordering window: one countdown by the server's clock, the same in every browser.

import { clockFace } from "../models/clock.js";
import { t, timeLeft } from "../words/words.js";

const SPOKEN = [60, 30, 10];
const LOUD_FROM = 10;
const MINUTES_FROM = 120;

export class OrderingBar {
  #room;
  #root;
  #timer = 0;
  #before = { closes_ms: 0, seconds: 0 };
  #wasOpen = false;

  constructor(room, { root, announcer }) {
    this.#room = room;
    this.#root = root;
    this.announcer = announcer;
    this.countdown = root.querySelector("#countdown");
    room.window.addEventListener("change", () => this.#tick());
    // A page that slept has missed its ticks.
    document.addEventListener("visibilitychange", () => this.#tick());
    this.#tick();
  }

  #tick() {
    clearTimeout(this.#timer);
    const { window, clock, composer } = this.#room;
    const { isOpen, seconds } = window;
    this.#root.hidden = !isOpen;
    this.countdown.hidden = !isOpen;
    if (isOpen) this.#draw(seconds);
    if (isOpen !== this.#wasOpen) composer?.drawOrdering(isOpen);
    this.#drawPresets(isOpen, seconds);
    this.#speak(isOpen, seconds);
    this.#wasOpen = isOpen;
    // The next whole second, not a second from now: every browser turns at the same instant.
    if (isOpen) this.#timer = setTimeout(() => this.#tick(), ((window.current.closes_ms - clock.now()) % 1000) + 5);
  }

  #draw(seconds) {
    this.countdown.textContent = seconds;
    this.#root.classList.toggle("ordering--ending", seconds <= LOUD_FROM);
    // A long window is read in minutes; the seconds stand small beside them.
    this.#root.classList.toggle("ordering--long", seconds >= MINUTES_FROM);
    const face = this.#root.querySelector(".ordering-clock");
    face.textContent = seconds >= MINUTES_FROM ? clockFace(seconds) : "";
    this.#root.querySelector(".ordering-by").textContent = this.#room.window.current.by;
  }

  // Presets in the timeline that speak of this window count down with it.
  #drawPresets(isOpen, seconds) {
    for (const node of document.querySelectorAll("#messages .remaining")) {
      const about = { kind: "preset", closes_ms: Number(node.dataset.closes), created_ms: Number(node.dataset.created) };
      const runs = isOpen && this.#room.window.leftOf(about) !== null;
      node.hidden = !runs;
      if (runs) node.textContent = timeLeft(seconds);
    }
  }

  // A screen reader hears the opening, 60, 30, 10 and the end; not every second. A busy or sleeping
  // page skips seconds, and with them perhaps a mark: it is spoken once it has been passed.
  #speak(isOpen, seconds) {
    if (isOpen && !this.#wasOpen) this.#say(t("ordering_opened", { seconds }));
    else if (isOpen && this.#passed(seconds)) this.#say(t("seconds_left", { seconds }));
    else if (!isOpen && this.#wasOpen) this.#say(t("ordering_closed"));
    if (isOpen) this.#before = { closes_ms: this.#room.window.current.closes_ms, seconds };
  }

  // An end that was moved passes no mark.
  #passed(seconds) {
    const { closes_ms, seconds: before } = this.#before;
    const from = closes_ms === this.#room.window.current.closes_ms ? before : seconds + 1;
    return SPOKEN.some((mark) => seconds <= mark && mark < from);
  }

  #say(words) {
    this.announcer.textContent = words;
  }
}
