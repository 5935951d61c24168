// The order sheet: the window's items with − and +, the remaining stock of each, a note, and the total on the submit
// button. Below are the member's own orders with their buttons.

import { lineAmount, money, parse, quantity, typed } from "../models/amounts.js";
import { getJSON } from "../net/http.js";
import { request } from "../net/request.js";
import { phrases, t, withUnit } from "../words/words.js";
import { button, make } from "./dom.js";

const ONE = 100;
const MOST = 99_999_999;

export class OrderSheet {
  #room;
  #dialog;
  #outbox;
  #window = null;
  // The order that is being changed, or null; and its quantities in hundredths, by item id.
  #changed = null;
  #had = new Map();

  constructor(room, dialog, outbox) {
    this.#room = room;
    this.#dialog = dialog;
    this.#outbox = outbox;
    dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    dialog.addEventListener("input", () => this.#drawTotal());
    dialog.addEventListener("click", ({ target }) => this.#onClick(target));
  }

  // `message`: the order to change; without an id, the content of a new order. `showMine`: scroll to the member's own
  // orders.
  open(message = null, { showMine = false } = {}) {
    const window = this.#room.openWindow();
    if (!window || this.#dialog.open) return;
    this.#changed = message?.id ? message : null;
    this.#drawItems(window, message?.order);
    this.draw();
    this.#dialog.showModal();
    this.#loadMine(showMine);
  }

  // Called when the window changed: its stock or its end.
  draw() {
    const window = this.#room.openWindow();
    this.#dialog.querySelector(".order-over").hidden = Boolean(window) && window.id === this.#window?.id;
    if (window?.id === this.#window?.id) this.#window = window;
    for (const node of this.#dialog.querySelectorAll(".order-item")) this.#drawLeft(node);
    this.#drawTotal();
  }

  #drawLeft(node) {
    const { left } = this.#item(Number(node.dataset.item));
    node.querySelector(".order-left").textContent = leftText(left);
    node.classList.toggle("order-item--gone", left === "0");
  }

  #drawItems(window, before) {
    this.#window = window;
    const { dialog, list, note } = this.#parts();
    const had = new Map((before?.lines ?? []).map((line) => [line.item, line.quantity]));
    this.#had = new Map(this.#changed ? [...had].map(([item, text]) => [item, parse(text)]) : []);
    dialog.querySelector("#order-title").textContent = window.title || t("order");
    dialog.querySelector(".order-note").textContent = window.note || "";
    dialog.querySelector(".order-note").hidden = !window.note;
    dialog.querySelector(".order-changing").hidden = !this.#changed;
    if (this.#changed) dialog.querySelector(".order-changing").textContent = t("order_changing", { no: before.no });
    list.replaceChildren(...window.items.map((item) => itemNode(item, had.get(item.id) ?? "")));
    note.value = before?.note ?? "";
    note.required = window.items.length === 0;
    for (const label of note.labels[0].querySelectorAll("[data-label]")) label.hidden = (label.dataset.label === "words") !== note.required;
    dialog.querySelector(".order-all").href = `/orders/${window.id}/`;
  }

  // Draws the submit button, with the total on it.
  #drawTotal() {
    const { dialog, submit, note } = this.#parts();
    const lines = this.#lines();
    const total = this.#total(lines);
    const act = this.#changed ? t("order_change") : t("order");
    submit.textContent = total === null ? act : `${act} ¥${money(total)}`;
    const isOver = !dialog.querySelector(".order-over").hidden;
    const isMuted = this.#room.isMuted();
    submit.disabled = isOver || isMuted || lines === null || (lines.length === 0 && !note.value.trim());
    dialog.querySelector(".order-muted").hidden = !isMuted;
    const offline = dialog.querySelector(".order-offline");
    offline.hidden = this.#room.socket.state === "online";
  }

  // The lines of the order; null if a quantity is not a number.
  #lines() {
    const lines = [];
    let isWrong = false;
    for (const node of this.#dialog.querySelectorAll(".order-item")) {
      const field = node.querySelector("input");
      const text = typed(field.value);
      const hundredths = text === "" ? 0 : parse(text);
      field.setAttribute("aria-invalid", String(hundredths === null));
      node.querySelector("[data-step='1']").disabled = hundredths >= this.#most(Number(node.dataset.item));
      isWrong ||= hundredths === null;
      if (hundredths > 0) lines.push({ item: Number(node.dataset.item), quantity: quantity(hundredths) });
    }
    return isWrong ? null : lines;
  }

  #total(lines) {
    const priced = (lines ?? []).map((line) => [line, this.#item(line.item)]).filter(([, item]) => item.price !== null);
    if (!priced.length) return null;
    return priced.reduce((sum, [line, item]) => sum + lineAmount(parse(line.quantity), parse(item.price)), 0);
  }

  // The largest quantity of an item that this order can have, in hundredths, according to the data of the sheet.
  #most(id) {
    const { left, limit } = this.#item(id);
    const free = left === null ? MOST : parse(left) + (this.#had.get(id) ?? 0);
    return Math.min(free, limit === null ? MOST : parse(limit));
  }

  #item(id) {
    return this.#window.items.find((item) => item.id === id);
  }

  #submit() {
    const lines = this.#lines();
    const text = this.#parts().note.value.trim();
    if (lines === null || (!lines.length && !text)) return;
    const said = lines.map((line) => ({ ...this.#item(line.item), ...line }));
    const shown = phrases({ lines: said, note: text }).join(t("comma"));
    const { id = null, order } = this.#changed ?? {};
    this.#outbox.add({ window_id: this.#window.id, lines, text, shown, id, no: order?.no ?? null });
    this.#dialog.close();
  }

  #onClick(target) {
    const step = target.closest("[data-step]");
    if (step) this.#step(step);
    const mine = target.closest("[data-mine]");
    if (mine) this.#onMine(mine);
  }

  #step(pressed) {
    const node = pressed.closest(".order-item");
    const field = node.querySelector("input");
    const now = parse(typed(field.value)) ?? 0;
    const next = now + Number(pressed.dataset.step) * ONE;
    const most = Math.max(now, this.#most(Number(node.dataset.item)));
    field.value = next <= 0 ? "" : quantity(Math.min(next, most));
    this.#drawTotal();
  }

  async #loadMine(showMine) {
    const list = this.#dialog.querySelector(".order-mine");
    const box = this.#dialog.querySelector(".order-mine-box");
    box.hidden = true;
    list.replaceChildren();
    const { me } = this.#room;
    let ledger;
    try {
      ledger = await getJSON(`/api/windows/${this.#window.id}/`);
    } catch {
      return; // Without a connection the list stays empty; the sheet works.
    }
    const mine = ledger.orders.filter((order) => order.user_id === me.id);
    box.hidden = mine.length === 0 && !showMine;
    list.replaceChildren(...(mine.length ? mine.map(mineNode) : [make("li", "order-mine-none", t("order_none"))]));
    list.orders = new Map(mine.map((order) => [order.id, order]));
    if (showMine) box.scrollIntoView({ block: "nearest" });
  }

  #onMine(pressed) {
    const id = Number(pressed.closest("li").dataset.order);
    const order = pressed.closest("ul").orders.get(id);
    if (pressed.dataset.mine === "change") {
      this.#changed = { id, order };
      this.#drawItems(this.#window, order);
      this.draw();
      this.#dialog.querySelector(".order-changing").scrollIntoView({ block: "nearest" });
    } else {
      this.#dialog.close();
      withdraw(this.#room, { id, order });
    }
  }

  #parts() {
    const dialog = this.#dialog;
    return {
      dialog,
      list: dialog.querySelector(".order-items"),
      note: dialog.querySelector("[name=note]"),
      submit: dialog.querySelector("[type=submit]"),
    };
  }
}

export async function withdraw(room, { id, order }) {
  if (await room.confirm(t("order_withdraw_question", { no: order.no }), t("order_withdraw"), { danger: true })) {
    request(room, "recall", id);
  }
}

function itemNode(item, had) {
  const node = make("li", "order-item");
  node.dataset.item = item.id;
  const price = item.price === null ? item.unit : `¥${item.price}${item.unit ? `/${item.unit}` : ""}`;
  const facts = make("div", "order-facts tabular");
  if (price) facts.append(make("span", "", price));
  facts.append(make("span", "order-left"));
  if (item.limit !== null) facts.append(make("span", "", t("order_limit", { limit: withUnit(item.limit, item.unit) })));
  const field = make("input", "order-quantity tabular");
  Object.assign(field, { value: had, inputMode: "decimal", autocomplete: "off", placeholder: "0" });
  field.setAttribute("aria-label", t("order_quantity_of", { name: item.name }));
  const stepper = make("div", "order-stepper");
  stepper.append(stepButton(-1, item), field, stepButton(1, item));
  node.append(make("bdi", "order-name", item.name), facts, stepper);
  return node;
}

function stepButton(step, item) {
  const node = button("order-step", step < 0 ? "−" : "+");
  node.dataset.step = step;
  node.setAttribute("aria-label", step < 0 ? t("order_less", { name: item.name }) : t("order_more", { name: item.name }));
  return node;
}

function leftText(left) {
  if (left === null || left === undefined) return "";
  return left === "0" ? t("order_sold_out") : t("order_left", { left });
}

function mineNode(order) {
  const node = make("li", "order-mine-item");
  node.dataset.order = order.id;
  const isStanding = order.state === "accepted";
  node.append(make("b", "tabular", t("order_no", { no: order.no })));
  node.append(make("bdi", "order-mine-words", isStanding ? phrases(order).join(t("comma")) : t("order_is_withdrawn")));
  if (order.total) node.append(make("span", "tabular", `¥${order.total}`));
  if (isStanding) node.append(mineButton("change", t("order_change")), mineButton("withdraw", t("order_withdraw")));
  return node;
}

function mineButton(act, label) {
  const node = button("status-button", label);
  node.dataset.mine = act;
  return node;
}
