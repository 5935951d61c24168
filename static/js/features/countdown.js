// One countdown by the server's clock, the same in every browser: it updates the window's card, its newest preset, the
// composer, and what a screen reader announces.

import { WindowCard } from "../elements/window_card.js";
import { t, timeLeft } from "../words/words.js";

const ANNOUNCED_AT_S = [60, 30, 10];

// features/ordering.js loads this module with the first window that the page knows.
export function start(room) {
  new Countdown(room, document.getElementById("announcer"));
}

class Countdown {
  #room;
  #announcer;
  #card;
  #timer = 0;
  #before = { closes_ms: 0, seconds: 0 };
  #wasOpen = false;

  constructor(room, announcer) {
    this.#room = room;
    this.#announcer = announcer;
    this.#card = new WindowCard(room, document.getElementById("ordering"));
    room.window.addEventListener("change", () => {
      this.#tick();
      room.view.redraw();
    });
    // A hidden page may not have run its timers.
    document.addEventListener("visibilitychange", () => this.#tick());
    this.#tick();
  }

  #tick() {
    clearTimeout(this.#timer);
    const { window, clock, composer, view } = this.#room;
    const { isOpen, seconds } = window;
    this.#card.draw();
    if (isOpen !== this.#wasOpen) {
      composer?.drawOrdering(isOpen);
      view.redraw();
    }
    this.#drawNotice(seconds);
    this.#announce(isOpen, seconds);
    this.#wasOpen = isOpen;
    // Draws at the next whole second, so that all browsers change at the same time.
    if (isOpen) this.#timer = setTimeout(() => this.#tick(), ((window.current.closes_ms - clock.now()) % 1000) + 5);
  }

  // The newest preset in the timeline that announced this window counts down too. An older preset is drawn again when
  // it is replaced or its window closes.
  #drawNotice(seconds) {
    const node = document.querySelector("#messages .remaining");
    if (node) node.textContent = timeLeft(seconds);
  }

  // A screen reader announces the opening, 60, 30 and 10 seconds, and the end. A busy or hidden page skips seconds, so
  // each mark is announced as soon as it has passed.
  #announce(isOpen, seconds) {
    if (isOpen && !this.#wasOpen) this.#write(t("ordering_opened", { seconds }));
    else if (isOpen && this.#passed(seconds)) this.#write(t("seconds_left", { seconds }));
    else if (!isOpen && this.#wasOpen) this.#write(t("ordering_closed"));
    if (isOpen) this.#before = { closes_ms: this.#room.window.current.closes_ms, seconds };
  }

  // True if a mark has passed since the last tick. A new deadline passes no mark.
  #passed(seconds) {
    const { closes_ms, seconds: before } = this.#before;
    const from = closes_ms === this.#room.window.current.closes_ms ? before : seconds + 1;
    return ANNOUNCED_AT_S.some((mark) => seconds <= mark && mark < from);
  }

  #write(text) {
    this.#announcer.textContent = text;
  }
}
