// The page of one ledger: its sums, members and orders, live; its proof; marks and corrections for administrators.

import { RoomSocket } from "../net/socket.js";
import { getJSON, postJSON } from "../net/http.js";
import { clockFace } from "../words/words.js";
import { canCheck, check, receiptsOf } from "./journal.js";
import { offerCorrection } from "./correct.js";
import { make, node, say, words } from "./nodes.js";
import { RowList } from "./row_list.js";

const RELOAD_MS = 1000;
// After a reload that failed for a reason that passes.
const RETRY_MS = 5000;

const root = document.getElementById("ledger");
const $ = (id) => document.getElementById(id);
const page = { id: Number(root.dataset.window), isAdmin: "admin" in root.dataset, ledger: null, present: [], skew_ms: 0 };
// The timer of the next reload, 0: none; and which reload was asked for last, and drawn last.
let reloading = 0;
let asked = 0;
let drawn = 0;
// The digest whose corrections are shown.
let correctedTo;
let marking = Promise.resolve();
// The module of readings.js, for administrators.
let readings = null;
const orderRows = new RowList($("orders"), ({ id }) => id, orderRow);
const memberRows = new RowList($("members"), ({ user_id }) => user_id, memberRow);
const names = new Intl.Collator();

start();

function start() {
  $("print").hidden = false;
  $("print").addEventListener("click", () => print());
  $("copy").addEventListener("click", copy);
  $("filter").addEventListener("input", drawMembers);
  $("verify").addEventListener("click", verify);
  $("members").addEventListener("change", mark);
  $("orders").addEventListener("click", correct);
  listen();
  reload();
  if (page.isAdmin) startReadings();
  setInterval(drawState, 1000);
}

async function startReadings() {
  const { Readings } = await import("./readings.js");
  readings = new Readings(page.id, notice);
  if (page.ledger) readings.show(page.ledger.orders);
}

function listen() {
  const address = () => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/chat/`;
  const socket = new RoomSocket(address, { listenOnly: true });
  socket.addEventListener("state", () => {
    $("ledger-lost").hidden = socket.state !== "offline";
    if (socket.state === "online") reloadSoon();
  });
  socket.addEventListener("frame", ({ frame }) => onFrame(frame));
  socket.start();
  socket.deliver();
}

function onFrame(frame) {
  if (frame.type === "presence") {
    page.present = frame.people ?? [];
    drawAbsent();
  } else if (frame.type === "marks" && frame.window_id === page.id) {
    const member = page.ledger?.members.find(({ user_id }) => user_id === frame.user_id);
    if (member) {
      member.marks = frame.marks;
      drawMembers();
    }
  } else if (frame.type === "reading" && frame.window_id === page.id) {
    readings?.confirmed(frame);
    if (asked > drawn) reloadSoon(); // the answer under way may be older
  } else if (concerns(frame)) {
    reloadSoon();
  }
}

function concerns({ type, id, message }) {
  if (type === "window") return id === page.id;
  if (type === "message") return message.window_id === page.id;
  return (type === "recall" || type === "delete") && page.ledger?.orders.some((order) => order.id === id);
}

function reloadSoon() {
  if (!reloading) reloading = setTimeout(reload, RELOAD_MS);
}

// What is told while this one is under way is asked for again: it may not be in the answer.
async function reload() {
  clearTimeout(reloading);
  reloading = 0;
  const turn = (asked += 1);
  let ledger;
  try {
    ledger = await getJSON(`/api/windows/${page.id}/`);
  } catch (refused) {
    $("ledger-failed").hidden = false;
    $("ledger-failed").textContent = refused.message || words.failed;
    const passes = !refused.status || refused.status === 429 || refused.status >= 500;
    if (passes && !reloading) reloading = setTimeout(reload, RETRY_MS);
    return;
  }
  if (turn < drawn) return;
  drawn = turn;
  page.ledger = ledger;
  page.skew_ms = ledger.window.now_ms - Date.now();
  $("ledger-failed").hidden = true;
  root.hidden = false;
  draw();
}

function draw() {
  const { window, items, total } = page.ledger;
  $("ledger-counts").textContent = say("counts", window) + (total ? ` · ¥${total}` : "");
  const left = new Map(window.items.map((item) => [item.id, item.left]));
  $("items").replaceChildren(...items.map((item) => itemRow(item, left.get(item.item))));
  $("total").textContent = total ? `¥${total}` : "";
  $("digest").textContent = window.digest ?? "";
  orderRows.show(page.ledger.orders);
  readings?.show(page.ledger.orders);
  drawState();
  drawMembers();
  drawAbsent();
  if (window.digest !== correctedTo) drawCorrections(window.digest);
}

// The countdown, and that it is over.
function drawState() {
  if (!page.ledger) return;
  const { state, closes_ms } = page.ledger.window;
  const seconds = Math.max(0, Math.ceil((closes_ms - Date.now() - page.skew_ms) / 1000));
  if (state === "open" && seconds > 0) $("ledger-state").textContent = say("left", { time: clockFace(seconds) });
  else if (state === "closed" && $("ledger-state").dataset.was === "open") $("ledger-state").textContent = words.closed;
  $("ledger-state").dataset.was = state;
}

function itemRow(item, left) {
  const row = make("tr");
  const name = make("th");
  name.scope = "row";
  name.append(node("bdi", "", item.name));
  const amount = item.amount === null ? "" : `¥${item.amount}`;
  row.append(name, node("td", "tabular", `${item.quantity}${item.unit}`), node("td", "tabular", amount), node("td", "tabular", left ?? ""));
  return row;
}

function drawMembers() {
  const wanted = $("filter").value.trim().toLocaleLowerCase();
  const shown = page.ledger.members.filter(({ user }) => user.toLocaleLowerCase().includes(wanted));
  const said = new Map();
  for (const order of page.ledger.orders) {
    if (order.state === "accepted") said.set(order.user_id, [...(said.get(order.user_id) ?? []), ...phrases(order)]);
  }
  const rows = shown.map((member) => ({ ...member, said: said.get(member.user_id) ?? [] }));
  memberRows.show(rows.length ? rows : [{ user_id: 0 }]);
}

// Of the member 0: that there is none.
function memberRow({ user, user_id, total, marks, said }) {
  if (!user_id) return node("li", "hint", words.none);
  const row = make("li", "ledger-member");
  row.append(node("bdi", "ledger-name", user), node("span", "tabular", total ? `¥${total}` : ""));
  row.append(node("span", "ledger-words", said.join(words.comma)));
  if (marks) row.append(markBox(user, user_id, "paid", marks.paid), markBox(user, user_id, "collected", marks.collected));
  row.append(printBox("paid", marks?.paid), printBox("collected", marks?.collected));
  return row;
}

// On paper only: to be ticked there, or ticked already.
function printBox(mark, isOn) {
  const box = node("span", "print-box", `${isOn ? "☑" : "☐"} ${words[mark]}`);
  box.setAttribute("aria-hidden", "true");
  return box;
}

function markBox(user, user_id, mark, isOn) {
  const label = make("label", "ledger-mark");
  const box = make("input");
  Object.assign(box, { type: "checkbox", checked: isOn });
  Object.assign(box.dataset, { user: user_id, mark });
  box.setAttribute("aria-label", `${words[mark]}: ${user}`);
  label.append(box, node("span", "", words[mark]));
  return label;
}

// One after the other: two of one box must not overtake each other.
function mark({ target }) {
  const { user, mark: name } = target.dataset;
  const isOn = target.checked;
  marking = marking.then(async () => {
    try {
      await postJSON(`/orders/${page.id}/marks`, { user_id: Number(user), [name]: isOn });
    } catch (refused) {
      notice(refused.message);
      const now = document.querySelector(`#members [data-user="${user}"][data-mark="${name}"]`);
      if (now) now.checked = !isOn;
    }
  });
}

function orderRow(order) {
  const row = make("li", `ledger-order ledger-order--${order.state}`);
  row.dataset.order = order.id;
  row.append(node("b", "tabular", say("no", order)), node("bdi", "ledger-name", order.user));
  const isStanding = order.state === "accepted";
  row.append(node("span", "ledger-words", isStanding ? phrases(order).join(words.comma) : words.withdrawn));
  if (order.total) row.append(node("span", "tabular", `¥${order.total}`));
  row.append(time(order.created_ms));
  if (isStanding && order.changed_ms > order.created_ms) row.append(node("span", "tag", words.changed));
  if (isStanding && page.isAdmin) {
    const button = node("button", "button button--small", words.correct);
    button.type = "button";
    row.append(button);
  }
  return row;
}

function phrases({ lines, note }) {
  return [...lines.map(({ name, quantity, unit }) => `${name} ${quantity}${unit}`), note].filter(Boolean);
}

// To the second; `more`: what else to say of it.
function time(ms, more = {}) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium", hourCycle: "h23", ...more });
  const found = node("time", "tabular hint", format.format(ms));
  found.dateTime = new Date(ms).toISOString();
  return found;
}

// Who is in the room and has not ordered, while there is still time.
function drawAbsent() {
  if (!page.ledger) return;
  const { window, members } = page.ledger;
  const ordered = new Set(members.map(({ user_id }) => user_id));
  const absent = page.present.filter(({ id }) => !ordered.has(id)).map(({ name }) => name).sort(names.compare);
  $("absent").hidden = window.state !== "open" || absent.length === 0;
  $("absent").textContent = say("absent", { names: absent.join(words.comma) });
}

async function verify() {
  const verdict = $("verdict");
  verdict.hidden = false;
  verdict.classList.remove("ledger-verdict--wrong");
  if (!canCheck) {
    verdict.textContent = words.cannot_check;
    return;
  }
  try {
    const journal = await getJSON(`/api/windows/${page.id}/journal`);
    const { wrong, heads, isCut } = await check(journal, page.ledger.window.digest);
    const receipts = receiptsOf(page.id);
    const missing = receipts.find(({ receipt }) => !heads.includes(receipt));
    verdict.classList.toggle("ledger-verdict--wrong", Boolean(wrong || isCut || missing));
    if (wrong) verdict.textContent = say("broken", { entry: wrong });
    else if (isCut) verdict.textContent = words.cut;
    else if (missing) verdict.textContent = say("receipt_wrong", missing);
    else verdict.textContent = say("whole", journal) + (receipts.length ? say("receipts", { count: receipts.length }) : "");
  } catch (refused) {
    verdict.textContent = refused.message || words.failed;
  }
}

// What administrators changed after the close: when, by whom, why.
async function drawCorrections(digest) {
  correctedTo = digest;
  let bodies;
  try {
    const { entries } = await getJSON(`/api/windows/${page.id}/journal`);
    bodies = entries.map(({ body }) => body && JSON.parse(body)).filter((body) => body?.reason);
  } catch {
    correctedTo = undefined; // the next reload asks again
    return;
  }
  $("corrections").replaceChildren(...bodies.map((body) => {
    const row = make("li");
    row.append(time(body.at_ms, { dateStyle: "medium" }), ` ${say(body.kind === "withdrawn" ? "striking" : "correction", body)}`);
    return row;
  }));
}

async function correct({ target }) {
  const row = target.closest("button")?.closest("[data-order]");
  if (!row) return;
  const order = page.ledger.orders.find(({ id }) => id === Number(row.dataset.order));
  if (await offerCorrection(page.ledger.window, order)) reload();
}

async function copy(event) {
  if (!navigator.clipboard) return; // the link then downloads the text
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
