// Ordering: the button beside the field, and the state of each order until the server has answered it.
//
// A window with items opens a sheet (elements/order_sheet.js). A window of free text takes the text in the field.
// The button says what it does, so that a chat text is never an order, nor an order a chat text.

import { button, icon, make } from "../elements/dom.js";
import { OrderOutbox, keepReceipt } from "../models/order_outbox.js";
import { t } from "../words/words.js";

const NOTE_MAX = 200;

// features/ordering.js loads this module with the first window that opens, which can be after the socket is online.
export function start(room) {
  const { socket } = room;
  const outbox = new OrderOutbox({ send: (entry) => socket.send(frameOf(entry)), user_id: room.me.id });
  const ordering = { outbox, sheet: null, button: document.getElementById("order-button"), tray: document.getElementById("order-tray") };
  room.orders = { open: (message, options) => openSheet(room, ordering, message, options), outbox };
  outbox.addEventListener("change", () => drawTray(room, ordering));
  room.onHello(() => outbox.setOnline(!room.userChanged));
  socket.addEventListener("state", ({ hello }) => {
    if (!hello) outbox.setOnline(false);
    drawButton(room, ordering);
  });
  room.onFrame("ack", (ack) => onAck(room, outbox, ack));
  room.onFrame("refused", (refusal) => refusal.client_id && outbox.refuse(refusal.client_id, refusal));
  room.window.addEventListener("change", () => {
    drawButton(room, ordering);
    ordering.sheet?.draw();
  });
  ordering.button.addEventListener("click", () => order(room, ordering));
  room.onClick("[data-order-entry]", (clicked) => onEntry(room, outbox, clicked));
  if (socket.state === "online") outbox.setOnline(!room.userChanged);
  drawButton(room, ordering);
  drawTray(room, ordering);
}

// The choices in the menu of an order (elements/message_menu.js).
export function changeChoice(room, message) {
  if (!canChange(room, message)) return null;
  return { action: "change-order", label: t("order_change"), glyph: "swap", run: () => room.orders.open(message) };
}

export function withdrawChoice(room, message) {
  if (!canChange(room, message)) return null;
  const run = async () => (await import("../elements/order_sheet.js")).withdraw(room, message);
  return { action: "recall", label: t("order_withdraw"), glyph: "recall", run };
}

// True while its author, or an administrator, may change or withdraw the order in the room; corrections after the
// close are made on the ledger's page, with a reason.
function canChange(room, { kind, order, user_id }) {
  if (kind !== "order" || !room.me) return false;
  const isOpen = room.openWindow()?.id === order?.window_id;
  return isOpen && (user_id === room.me.id || room.me.role === "administrator");
}

function order(room, ordering) {
  const window = room.openWindow();
  if (!window) return;
  const text = room.composer.text.trim();
  if (window.items?.length || !text) {
    openSheet(room, ordering);
  } else if ([...text].length > NOTE_MAX) {
    room.toast(t("too_long", { limit: NOTE_MAX }));
  } else {
    ordering.outbox.add({ window_id: window.id, lines: [], text, shown: text });
    room.composer.clear();
  }
}

async function openSheet(room, ordering, message, options) {
  const { OrderSheet } = await import("../elements/order_sheet.js");
  ordering.sheet ??= new OrderSheet(room, document.getElementById("order"), ordering.outbox);
  ordering.sheet.open(message, options);
}

function frameOf({ client_id, window_id, lines, text, id }) {
  return id ? { type: "order_change", client_id, id, lines, text } : { type: "order", client_id, window_id, lines, text };
}

function onAck(room, outbox, { client_id, no, receipt }) {
  const entry = outbox.accept(client_id);
  if (!entry) return;
  keepReceipt(entry.window_id, { no, receipt });
  room.toast(entry.id ? t("order_changed", { no }) : t("order_accepted", { no }));
}

function drawButton(room, { button: node }) {
  const window = room.openWindow();
  node.hidden = !window;
  if (!window) return;
  const isOnline = room.socket.state === "online";
  node.replaceChildren(make("span", "", t("order")), ...(isOnline ? [] : [make("span", "order-button-offline", t("order_offline"))]));
  node.title = isOnline ? "" : t("order_offline_long");
}

// Draws, above the field, the refused orders and the orders without an answer, with their buttons.
function drawTray(room, { outbox, tray }) {
  tray.hidden = outbox.entries.length === 0;
  tray.replaceChildren(...outbox.entries.map((entry) => {
    const node = make("li", `order-entry order-entry--${entry.state}`);
    node.dataset.clientId = entry.client_id;
    node.append(icon(entry.state === "refused" ? "alert" : "clock"), make("bdi", "order-entry-words", entry.shown));
    node.append(make("span", "order-entry-state", stateOf(entry)), entryActs(room, entry));
    return node;
  }));
}

function stateOf({ state, reason }) {
  if (state === "refused") return t("order_not_counted", { reason });
  return state === "sending" ? t("order_sending") : t("order_waiting");
}

function entryActs(room, { state, id, window_id }) {
  const acts = make("span", "order-entry-acts");
  const window = room.openWindow();
  const isHere = window?.id === window_id;
  if (state === "refused" && window && (isHere || !id)) {
    const label = id ? t("order_change") : isHere ? t("order_again") : t("order_again_here");
    acts.append(entryButton("again", label));
  }
  if (state !== "sending") acts.append(entryButton("discard", state === "refused" ? t("order_dismiss") : t("order_give_up")));
  return acts;
}

function entryButton(act, label) {
  const node = button("status-button", label);
  node.dataset.orderEntry = act;
  return node;
}

// "again" repeats the change. For a new order it orders again in the window that is open now, because the member chose
// that. An order with items is shown first, because a refused order has to be corrected.
function onEntry(room, outbox, clicked) {
  const entry = outbox.find(clicked.closest("li").dataset.clientId);
  const window = room.openWindow();
  if (!entry) return;
  outbox.discard(entry.client_id);
  if (clicked.dataset.orderEntry !== "again" || !window) return;
  const { id, no, lines, text, shown } = entry;
  if (!id && !window.items.length && !lines.length) outbox.add({ window_id: window.id, lines, text, shown });
  else room.orders.open({ id, order: { no, lines: window.id === entry.window_id ? lines : [], note: text } });
}
