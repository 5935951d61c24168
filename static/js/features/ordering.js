// The ordering window: its frame, and the modules that a room without a window never fetches: the countdown with its
// card (features/countdown.js), and orders (features/order.js).

import { OrderingWindow } from "../models/clock.js";

export function start(room) {
  room.window = new OrderingWindow(room.clock);
  room.window.last = room.page.last_window ?? null;
  room.window.set(room.page.window);
  room.onHello(({ window, last_window }) => {
    room.window.last = last_window;
    room.window.set(window);
  });
  room.onFrame("window", ({ type, ...window }) => {
    room.clock.addSample(window.now_ms);
    room.window.set(window);
  });
  loadOnce(room, "./countdown.js", () => room.window.current || room.window.last);
  if (room.me) startOrders(room);
}

function startOrders(room) {
  const load = loadOnce(room, "./order.js", () => room.window.isOpen || hasUnanswered(room.me));
  // The card with these buttons is shown before features/order.js is loaded.
  const open = async (options) => {
    await load();
    room.orders?.open(null, options);
  };
  room.onClick("[data-place-order]", () => open());
  room.onClick("[data-my-orders]", () => open({ showMine: true }));
}

// Returns a function that loads the module if needed, and returns a promise or null.
function loadOnce(room, module, isNeeded) {
  let started = null;
  const load = () => {
    if (isNeeded()) started ??= import(module).then(({ start }) => start(room));
    return started;
  };
  room.window.addEventListener("change", load);
  load();
  return load;
}

// Reads the storage of models/order_outbox.js.
function hasUnanswered({ id }) {
  try {
    return (localStorage.getItem(`orders:${id}`) ?? "[]") !== "[]";
  } catch {
    return false;
  }
}
