// What ordering leaves in the list of messages: orders, the notices of a window, preset pictures.
//
// `parts`: the MessageRenderer, which draws what these have in common with other messages.

import { phrases, t, timeLeft } from "../words/words.js";
import { around, badge, button, clone, icon, make } from "./dom.js";

// The reader's own order in two lines: its number and total, and what the ledger has.
export function ownOrder({ no, lines, note, total }) {
  const head = make("p", "order-head", t("order_no", { no }));
  if (total) head.append(make("span", "order-sum tabular", t("order_total", { total })));
  head.append(make("span", "order-state", t("order_counted")));
  const words = make("p", "order-words");
  words.append(...orderWords({ lines, note }));
  return [head, words];
}

// Another member's order in one quiet line: "第 12 号 · 莉莉 · 蓝莓 2盒".
export function orderLine(message, parts) {
  const line = make("div", "order-line");
  const words = make("p", "order-line-words tabular", `${t("order_no", message.order)} · `);
  words.append(parts.author(message), " · ", ...orderWords(message.order));
  line.append(words, parts.side(message), make("div", "message-reactions"));
  return line;
}

// Below the last order of a run that is shown: the button that unfolds those that follow.
export function drawFold(article, fold) {
  let node = article.querySelector(".fold");
  if (!fold) return node?.remove();
  if (!node) {
    node = button("fold", "");
    node.dataset.fold = "";
    article.append(node);
  }
  node.setAttribute("aria-expanded", String(fold.isOpen));
  node.textContent = fold.isOpen ? t("orders_fold") : t("orders_more", { count: fold.count });
}

// A preset: a start, a countdown or a stop with what has become of its window, or a picture.
export function presetMessage(item, parts) {
  const { message, card } = item;
  if (message.image) return presetPicture(item, parts);
  const { dates, now } = parts.room;
  const notice = clone("notice-template");
  notice.classList.add("notice--preset");
  notice.dataset.preset_kind = message.preset ?? "";
  notice.dataset.window = card?.state ?? "";
  const words = notice.querySelector(".notice-text");
  words.append(icon(message.preset === "stop" ? "stop" : "clock"), make("strong", "", presetText(message)));
  if (card?.state === "stop" && !card.by) words.append(make("span", "notice-author", t("window_by_itself")));
  else words.append(make("bdi", "notice-author", message.user), badge(message.role));
  if (message.planned) words.append(make("span", "notice-author", t("window_planned")));
  words.append(parts.menuTime(secondNode(card?.state === "stop" ? card.at_ms : message.created_ms, dates)));
  notice.append(...(card?.state === "live" ? [remaining(message, card, now())] : fate(card, dates)), ...result(message));
  notice.classList.toggle("notice--countdown", message.preset === "countdown" && card?.state === "live");
  const wrapper = make("div", "notice-box");
  wrapper.append(notice, sideOf(message, parts), make("div", "message-reactions"));
  return wrapper;
}

// The text of a preset in the reader's language; the server's text of a preset that this page does not know.
export function presetText(message) {
  return ["start", "stop", "countdown", "picture", "amended"].includes(message.preset)
    ? t(`preset_${message.preset}`)
    : message.text;
}

function presetPicture(item, parts) {
  const { message } = item;
  const card = make("div", "preset-card");
  const caption = make("p", "preset-caption");
  const time = parts.menuTime(parts.time(message, "message-time"));
  caption.append(make("bdi", "notice-author", message.user), badge(message.role), time);
  card.append(caption, parts.picture(item), make("div", "message-reactions"), sideOf(message, parts));
  return card;
}

// What stands beside a preset: on a phone nothing, since its own time opens the menu.
function sideOf(message, parts) {
  return parts.room.ui === "mobile" ? "" : parts.side(message);
}

// How much time a start or countdown has left.
function remaining({ preset }, { closes_ms }, now_ms) {
  const seconds = Math.max(0, Math.ceil((closes_ms - now_ms) / 1000));
  return make("span", preset === "countdown" ? "remaining remaining--large" : "remaining", timeLeft(seconds));
}

// What has become of the window of a start or countdown.
function fate(card, dates) {
  const words = make("span", "notice-fate");
  const time = () => secondNode(card.at_ms, dates);
  if (card?.state === "replaced") words.append(...around(t("window_replaced"), { time: time() }));
  else if (card?.state !== "closed") return [];
  else if (!card.at_ms) words.append(t("window_over"));
  else if (card.by === "") words.append(...around(t("window_closed_itself"), { time: time() }));
  else words.append(...around(t("window_closed_by"), { time: time(), by: card.by }));
  return [words];
}

// What the orders of the window came to, with the way to its ledger.
function result({ result: sums, digest, window_id }) {
  if (!digest || (sums && !sums.orders)) return [];
  const link = make("a", "notice-result", sums ? resultText(sums) : t("order_ledger"));
  link.href = `/orders/${window_id}/`;
  return [link];
}

// "12 orders · 9 members · ¥350.00"
function resultText({ orders, members, total }) {
  const counts = t("order_counts", { orders, members });
  return total ? `${counts} · ¥${total}` : counts;
}

// A time with its seconds.
function secondNode(ms, dates) {
  const node = make("time", "notice-time tabular", dates.second(ms));
  node.dateTime = new Date(ms).toISOString();
  node.title = dates.exact(ms);
  return node;
}

// The phrases of an order, each an element of its own.
function orderWords(order) {
  return phrases(order).flatMap((phrase, i) => [...(i ? [t("comma")] : []), make("bdi", "", phrase)]);
}
