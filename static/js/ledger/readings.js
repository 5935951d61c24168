// Orders of free text, for administrators: the sums of the confirmed readings, the readings that wait for confirmation,
// and the texts that could not be read. The server stores what is confirmed, for all.

import { postJSON } from "../net/http.js";
import { make, node, say, words } from "./nodes.js";
import { readQuantities, sumLines } from "./quantities.js";
import { readingForm } from "./reading_form.js";
import { RowList } from "./row_list.js";

const $ = (id) => document.getElementById(id);

export class Readings {
  #windowId;
  #notify;
  #orders = [];
  // Cache: text -> the reading of it.
  #read = new Map();
  #lists = ["waiting", "unread", "confirmed"].map((kind) => ({
    kind,
    list: $(`readings-${kind}`),
    rows: new RowList($(`readings-${kind}`), ({ no }) => no, (entry) => this.#row(entry)),
  }));

  // `notify(text)` tells the reader why something failed.
  constructor(windowId, notify) {
    this.#windowId = windowId;
    this.#notify = notify;
    $("readings").addEventListener("click", (event) => this.#onClick(event));
    $("readings").addEventListener("submit", (event) => this.#onSubmit(event));
  }

  // Shows the orders of a ledger. The `reading` of an order is a list of lines, or null.
  show(orders) {
    this.#orders = orders.filter(({ state, lines, note }) => state === "accepted" && !lines.length && note);
    this.#draw();
  }

  // A reading was confirmed, here or by another administrator.
  confirmed({ no, reading }) {
    const order = this.#orders.find((each) => each.no === no);
    if (!order) return;
    order.reading = reading;
    this.#draw();
  }

  #draw() {
    const focus = focusIn(this.#lists);
    const entries = this.#orders.map((order) => this.#entry(order));
    const of = (wanted) => entries.filter(({ kind }) => kind === wanted);
    for (const { kind, rows } of this.#lists) {
      rows.show(of(kind));
      $(`readings-${kind}-part`).hidden = !of(kind).length;
    }
    const sums = sumLines(of("confirmed").map(({ lines }) => lines));
    $("readings").hidden = !entries.length;
    $("readings-sums").hidden = !sums.length;
    $("readings-sums").tBodies[0].replaceChildren(...sums.map(sumRow));
    $("readings-names").replaceChildren(...[...new Set(sums.map(({ name }) => name))].map((value) => Object.assign(make("option"), { value })));
    const counts = { confirmed: of("confirmed").length, waiting: of("waiting").length, unread: of("unread").length };
    $("readings-state").textContent = say("reading_counts", counts);
    keepFocus(focus);
  }

  #entry({ no, user, note, changed_ms, reading }) {
    if (reading) return { kind: "confirmed", no, user, note, changed_ms, lines: reading, rest: "" };
    if (!this.#read.has(note)) this.#read.set(note, readQuantities(note));
    const { lines, rest } = this.#read.get(note);
    return { kind: lines.length ? "waiting" : "unread", no, user, note, changed_ms, lines, rest };
  }

  #row(entry) {
    const row = make("li", "reading");
    row.dataset.no = entry.no;
    row.append(node("b", "tabular", say("no", entry)), node("bdi", "ledger-name", entry.user), node("q", "reading-text", entry.note));
    const result = make("p", "reading-lines");
    result.append(...entry.lines.map(lineChip));
    if (!entry.lines.length && entry.kind === "confirmed") result.append(node("span", "hint", words.reading_none));
    if (entry.lines.length && entry.rest) result.append(node("span", "reading-rest", say("reading_rest", entry)));
    row.append(result);
    const acts = make("div", "reading-acts");
    if (entry.kind === "waiting") acts.append(button("confirm", `✓ ${words.reading_confirm}`, entry));
    if (entry.kind === "unread") acts.append(button("none", words.reading_none, entry));
    acts.append(button("correct", entry.kind === "unread" ? words.reading_fill : words.correct, entry));
    row.append(acts);
    return row;
  }

  #onClick({ target }) {
    const act = target.closest("[data-act]")?.dataset.act;
    const row = target.closest("[data-no]");
    if (!act || !row) return;
    const entry = this.#entry(this.#orders.find(({ no }) => no === Number(row.dataset.no)));
    if (act === "confirm") this.#confirm(entry, entry.lines, row);
    else if (act === "none") this.#confirm(entry, [], row);
    else if (act === "correct") openForm(row, entry);
    else if (act === "cancel") closeForm(row);
  }

  #onSubmit(event) {
    event.preventDefault();
    const row = event.target.closest("[data-no]");
    const entry = this.#entry(this.#orders.find(({ no }) => no === Number(row.dataset.no)));
    const lines = event.target.readLines();
    if (lines) this.#confirm(entry, lines, row);
  }

  // Sends the order as the administrator saw it, so that the server refuses the reading if the order has changed since.
  async #confirm({ no, changed_ms }, lines, row) {
    if (row.dataset.sending) return;
    row.dataset.sending = "true";
    try {
      this.confirmed(await postJSON(`/orders/${this.#windowId}/readings`, { no, lines, none: !lines.length, changed_ms }));
    } catch (refused) {
      this.#notify(refused.message);
    } finally {
      delete row.dataset.sending;
    }
  }
}

function openForm(row, entry) {
  closeForm(row, false);
  const form = readingForm(entry.lines);
  row.append(form);
  row.classList.add("reading--open");
  form.querySelector("input").focus();
}

function closeForm(row, isFocused = true) {
  row.querySelector("form")?.remove();
  row.classList.remove("reading--open");
  if (isFocused) row.querySelector("[data-act=correct]").focus();
}

function sumRow({ name, quantity, unit }) {
  const row = make("tr");
  const heading = make("th");
  heading.scope = "row";
  heading.append(node("bdi", "", name));
  row.append(heading, node("td", "tabular", `${quantity} ${unit}`));
  return row;
}

function lineChip({ name, quantity, unit }) {
  const chip = make("span", "reading-line");
  chip.append(node("bdi", "", name), node("b", "tabular", ` ${quantity} ${unit}`));
  return chip;
}

function button(act, text, entry) {
  const found = node("button", `button${act === "confirm" ? " button--primary" : ""}`, text);
  found.type = "button";
  found.dataset.act = act;
  found.setAttribute("aria-label", `${text.replace("✓ ", "")} · ${say("no", entry)}`);
  return found;
}

// Which row of which list has the focus: [list, place], or null.
function focusIn(lists) {
  const row = document.activeElement?.closest("[data-no]");
  const found = row && lists.find(({ list }) => list === row.parentElement);
  return found ? [found.list, [...found.list.children].indexOf(row)] : null;
}

// If the row with the focus was removed, the row in its place gets the focus.
function keepFocus(focus) {
  if (!focus || document.activeElement !== document.body) return;
  const [list, place] = focus;
  const row = list.children[place] ?? list.lastElementChild;
  (row?.querySelector("button") ?? $("readings-state")).focus({ preventScroll: true });
}
