// The ordering window: its frame, its bar, and one countdown by the server's clock, the same in every
// browser.

import { OrderingWindow } from "../models/clock.js";
import { LONG_S, clockFace, t, timeLeft } from "../words/words.js";

const ANNOUNCED_AT_S = [60, 30, 10];
const ENDING_S = 10;

export function start(room) {
  room.window = new OrderingWindow(room.clock);
  room.window.set(room.page.window);
  room.onHello(({ window }) => room.window.set(window));
  room.onFrame("window", ({ type, ...window }) => {
    room.clock.addSample(window.now_ms);
    room.window.set(window);
  });
  if (room.me) startOrders(room);
  new OrderingBar(room, { root: document.getElementById("ordering"), announcer: document.getElementById("announcer") });
}

// Most visits find no window open and have no order on its way: then features/order.js is not fetched.
function startOrders(room) {
  let started = null;
  const startOnce = () => {
    if (room.window.isOpen || hasUnanswered(room.me)) started ??= import("./order.js").then(({ start }) => start(room));
    return started;
  };
  room.window.addEventListener("change", startOnce);
  // The bar, with this button in it, is shown before that feature is loaded.
  room.onClick("[data-my-orders]", async () => {
    await startOnce();
    room.orders?.open(null, { showMine: true });
  });
  startOnce();
}

// As models/order_outbox.js keeps them.
function hasUnanswered({ id }) {
  try {
    return (localStorage.getItem(`orders:${id}`) ?? "[]") !== "[]";
  } catch {
    return false;
  }
}

class OrderingBar {
  #room;
  #root;
  #timer = 0;
  #label;
  #before = { closes_ms: 0, seconds: 0 };
  #wasOpen = false;

  constructor(room, { root, announcer }) {
    this.#room = room;
    this.#root = root;
    this.announcer = announcer;
    this.countdown = root.querySelector("#countdown");
    this.#label = root.querySelector(".ordering-label bdi").textContent;
    room.window.addEventListener("change", () => {
      this.#tick();
      room.view.redraw();
    });
    // The timers of a hidden page may not have run.
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
    if (isOpen !== this.#wasOpen) {
      composer?.drawOrdering(isOpen);
      this.#room.view.redraw();
    }
    this.#drawCard(seconds);
    this.#announce(isOpen, seconds);
    this.#wasOpen = isOpen;
    // At the next whole second, so that all browsers change at the same time.
    if (isOpen) this.#timer = setTimeout(() => this.#tick(), ((window.current.closes_ms - clock.now()) % 1000) + 5);
  }

  #draw(seconds) {
    this.countdown.textContent = seconds;
    this.#root.classList.toggle("ordering--ending", seconds <= ENDING_S);
    // A long window is shown in minutes, with the seconds small beside them.
    this.#root.classList.toggle("ordering--long", seconds >= LONG_S);
    const face = this.#root.querySelector(".ordering-clock");
    face.textContent = seconds >= LONG_S ? clockFace(seconds) : "";
    const { id, by, title, orders, members, opened_ms, closes_ms, planned } = this.#room.window.current;
    const share = (closes_ms - this.#room.now()) / (closes_ms - opened_ms);
    this.#root.style.setProperty("--share-left", Math.min(1, Math.max(0, share)).toFixed(4));
    this.#root.classList.toggle("ordering--planned", Boolean(planned));
    for (const node of this.#root.querySelectorAll(".ordering-opener bdi")) node.textContent = by;
    this.#root.querySelector(".ordering-label bdi").textContent = title || this.#label;
    const link = this.#root.querySelector(".ordering-orders");
    link.hidden = !orders;
    this.#root.classList.toggle("ordering--ordered", orders > 0);
    link.href = `/orders/${id}/`;
    link.textContent = t("order_counts", { orders, members });
  }

  // The newest preset in the timeline that announced this window counts down too; the others are redrawn
  // when it is replaced or closed.
  #drawCard(seconds) {
    const node = document.querySelector("#messages .remaining");
    if (node) node.textContent = timeLeft(seconds);
  }

  // A screen reader announces the opening, 60, 30 and 10 seconds, and the end. The timers of a busy or
  // hidden page skip seconds: a mark that was skipped is announced as soon as it has been passed.
  #announce(isOpen, seconds) {
    if (isOpen && !this.#wasOpen) this.#write(t("ordering_opened", { seconds }));
    else if (isOpen && this.#passed(seconds)) this.#write(t("seconds_left", { seconds }));
    else if (!isOpen && this.#wasOpen) this.#write(t("ordering_closed"));
    if (isOpen) this.#before = { closes_ms: this.#room.window.current.closes_ms, seconds };
  }

  // A new deadline passes no mark.
  #passed(seconds) {
    const { closes_ms, seconds: before } = this.#before;
    const from = closes_ms === this.#room.window.current.closes_ms ? before : seconds + 1;
    return ANNOUNCED_AT_S.some((mark) => seconds <= mark && mark < from);
  }

  #write(text) {
    this.announcer.textContent = text;
  }
}
