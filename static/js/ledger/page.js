// The page of one ledger: its state, sums and orders, updated live, and the acts on them.

import { getJSON, postJSON } from "../net/http.js";
import { clockFace, phrases, t, withUnit } from "../words/words.js";
import { offerCorrection } from "./correct.js";
import { Reloader, listen } from "./live.js";
import { Members } from "./members.js";
import { make, node, say, words } from "./nodes.js";
import { Proof } from "./proof.js";
import { RowList } from "./row_list.js";
import { dateTime, timeOfDay } from "./times.js";

const root = document.getElementById("ledger");
const $ = (id) => document.getElementById(id);
const page = { id: Number(root.dataset.window), zone: root.dataset.zone, isAdmin: "admin" in root.dataset, ledger: null, present: [], skew_ms: 0 };
const members = new Members(page, notice);
const proof = new Proof(page);
const orderRows = new RowList($("orders"), ({ id }) => id, orderRow);
const names = new Intl.Collator();
// The Readings of readings.js, for administrators.
let readings = null;
const reloader = new Reloader({
  ask: () => getJSON(`/api/windows/${page.id}/`),
  show,
  fail: (refused) => {
    $("ledger-failed").hidden = false;
    $("ledger-failed").textContent = refused.message || words.failed;
  },
});

start();

function start() {
  $("print").hidden = false;
  $("print").addEventListener("click", () => print());
  $("copy").addEventListener("click", copy);
  if (page.isAdmin) {
    $("keep").hidden = false;
    $("keep").addEventListener("click", keepTemplate);
    startReadings();
  }
  $("orders").addEventListener("click", correct);
  const socket = listen(onFrame);
  socket.addEventListener("state", () => {
    $("ledger-lost").hidden = socket.state !== "offline";
    if (socket.state === "online") reloader.soon();
  });
  reloader.now();
  setInterval(drawLeft, 1000);
}

async function startReadings() {
  const { Readings } = await import("./readings.js");
  readings = new Readings(page.id, notice);
  if (page.ledger) readings.show(page.ledger.orders);
}

function onFrame(frame) {
  if (frame.type === "presence") {
    page.present = frame.people ?? [];
    drawAbsent();
  } else if (frame.type === "marks" && frame.window_id === page.id) {
    members.mark(frame);
  } else if (frame.type === "reading" && frame.window_id === page.id) {
    readings?.confirmed(frame);
    if (reloader.isAsking) reloader.soon(); // The answer that is on its way may be older than this change.
  } else if (concerns(frame)) {
    reloader.soon();
  }
}

function concerns({ type, id, message }) {
  if (type === "window") return id === page.id;
  if (type === "message") return message.window_id === page.id;
  return (type === "recall" || type === "delete") && page.ledger?.orders.some((order) => order.id === id);
}

function show(ledger) {
  page.ledger = ledger;
  page.skew_ms = ledger.window.now_ms - Date.now();
  $("ledger-failed").hidden = true;
  root.hidden = false;
  draw();
}

function draw() {
  const { window, items, orders, total } = page.ledger;
  $("ledger-counts").textContent = t("order_counts", window) + (total ? ` · ¥${total}` : "");
  const left = new Map(window.items.map((item) => [item.id, item.left]));
  $("items").replaceChildren(...items.map((item) => itemRow(item, left.get(item.item))));
  $("total").textContent = total ? `¥${total}` : "";
  $("digest").textContent = window.digest ?? "";
  orderRows.show(orders.length ? orders : [{ id: 0 }]);
  readings?.show(orders);
  drawState(window);
  members.draw();
  drawAbsent();
  proof.draw();
}

function drawState({ state, closes_ms }) {
  const tag = words[state];
  if ($("ledger-tag").textContent !== tag) $("ledger-tag").textContent = tag;
  $("ledger-state").dataset.state = state;
  $("ledger-ends").textContent = say(state === "open" ? "until" : "ended", { time: dateTime(closes_ms, page.zone) });
  drawLeft();
}

function drawLeft() {
  if (!page.ledger) return;
  const { state, closes_ms } = page.ledger.window;
  const seconds = Math.ceil((closes_ms - Date.now() - page.skew_ms) / 1000);
  $("ledger-left").textContent = state === "open" && seconds > 0 ? say("left", { time: clockFace(seconds) }) : "";
}

function itemRow(item, left) {
  const row = make("tr");
  const name = make("th");
  name.scope = "row";
  name.append(node("bdi", "", item.name));
  const amount = item.amount === null ? "" : `¥${item.amount}`;
  row.append(name, node("td", "tabular", withUnit(item.quantity, item.unit)), node("td", "tabular", amount), node("td", "tabular", left ?? ""));
  return row;
}

// Order 0 is a row that says that there is no order.
function orderRow(order) {
  if (!order.id) return node("li", "hint", words.none);
  const row = make("li", `ledger-order ledger-order--${order.state}`);
  row.dataset.order = order.id;
  row.append(node("b", "ledger-no tabular", say("no", order)), node("bdi", "ledger-name", order.user));
  const isStanding = order.state === "accepted";
  row.append(node("span", "ledger-total tabular", order.total ? `¥${order.total}` : ""));
  row.append(node("span", "ledger-words", isStanding ? phrases(order).join(t("comma")) : words.withdrawn));
  const more = make("span", "ledger-more");
  const time = node("time", "tabular hint", timeOfDay(order.created_ms, page.zone));
  time.dateTime = new Date(order.created_ms).toISOString();
  if (isStanding && order.changed_ms > order.created_ms) more.append(node("span", "tag tag--quiet", words.changed));
  more.append(time);
  if (isStanding && page.isAdmin) {
    const button = node("button", "button button--small", words.correct);
    button.type = "button";
    more.append(button);
  }
  row.append(more);
  return row;
}

// For administrators, while the window is open: the members who are in the room and have not ordered.
function drawAbsent() {
  if (!page.ledger || !page.isAdmin) return;
  const { window, members: given } = page.ledger;
  const ordered = new Set(given.map(({ user_id }) => user_id));
  const absent = page.present.filter(({ id }) => !ordered.has(id)).map(({ name }) => name).sort(names.compare);
  $("absent").hidden = window.state !== "open" || absent.length === 0;
  $("absent").textContent = say("absent", { count: absent.length, names: absent.join(t("comma")) });
}

async function correct({ target }) {
  const row = target.closest("button")?.closest("[data-order]");
  if (!row) return;
  const order = page.ledger.orders.find(({ id }) => id === Number(row.dataset.order));
  if (await offerCorrection(page.ledger.window, order)) reloader.now();
}

async function keepTemplate() {
  try {
    await postJSON("/orders/templates/", { act: "make", window: page.id });
    notice(words.kept);
  } catch (refused) {
    notice(refused.message);
  }
}

async function copy(event) {
  if (!navigator.clipboard) return; // the link downloads the text instead
  event.preventDefault();
  try {
    const answer = await fetch(event.currentTarget.href);
    await navigator.clipboard.writeText(await answer.text());
    notice(words.copied);
  } catch {
    notice(words.failed);
  }
}

function notice(text) {
  $("ledger-notice").hidden = false;
  $("ledger-notice").textContent = text;
}
