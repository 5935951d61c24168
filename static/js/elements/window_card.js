// The card of the ordering window: its items, the time left, the number of orders, and the reader's own orders. For 12
// hours after its end (`last_window` of the server) it shows the result of the orders.
//
// Above the conversation the card covers the beginning of the list of messages, where the list leaves space for it
// (--window-room), so that folding and unfolding move no message. It is folded to one line while the reader is in the
// history or the on-screen keyboard is open. In the right column of a wide desktop page it stays unfolded.

import { LONG_S, clockFace, phrases, t, withUnit } from "../words/words.js";
import { make } from "./dom.js";

const ENDING_S = 10;
// After its end a window stays unfolded for this time.
const JUST_CLOSED_MS = 10 * 60_000;
const FEW_ITEMS = 4;
// A ledger with more orders than this is not fetched to find the reader's own orders.
const LEDGER_MOST = 300;
// From this width css/room/window.css puts the card into the column.
const COLUMN = matchMedia("(min-width: 1100px)");

export class WindowCard {
  #room;
  #root;
  #label;
  #frame = 0;
  #shows = null;
  // The reader's choice, until the reason for folding changes: true is unfolded. null: the page decides.
  #chosen = null;
  #wasReason = false;
  #allItems = false;
  #roomMade = 0;
  // The reader's own orders from the ledger, by message id; the window whose ledger was requested; and the window whose
  // ledger is loaded.
  #older = new Map();
  #asked = 0;
  #loaded = 0;

  constructor(room, root) {
    this.#room = room;
    this.#root = root;
    this.#label = this.#part("label").textContent;
    room.timeline.addEventListener("change", () => this.#drawSoon());
    room.onFrame("message", ({ message }) => this.#updateOlder(message));
    for (const type of ["recall", "delete"]) room.onFrame(type, ({ id }) => this.#updateOlder({ id }));
    room.view.addEventListener("follow", () => this.#drawFold());
    COLUMN.addEventListener("change", () => this.#drawFold());
    new MutationObserver(() => this.#drawFold()).observe(document.documentElement, { attributeFilter: ["data-keyboard", "data-low"] });
    new ResizeObserver(() => this.#makeRoom()).observe(root);
    const list = document.getElementById("messages");
    new ResizeObserver(() => root.style.setProperty("--window-most", `${list.offsetHeight}px`)).observe(list);
    root.addEventListener("click", ({ target }) => this.#onClick(target));
  }

  // Called each second, and when the window changed.
  draw() {
    const open = this.#room.openWindow();
    const shows = open ?? this.#ended();
    const state = open ? "open" : "closed";
    const isOther = shows?.id !== this.#shows?.id || state !== this.#root.dataset.state;
    const isChanged = isOther || shows !== this.#shows;
    if (isOther) {
      this.#chosen = null;
      this.#allItems = false;
    }
    this.#shows = shows;
    this.#root.hidden = !shows;
    this.#root.dataset.state = state;
    if (!shows) return this.#makeRoom();
    this.#drawTime();
    if (isChanged) this.#drawBody();
    this.#drawFold();
  }

  get #isOpen() {
    return this.#root.dataset.state === "open";
  }

  // The window that has ended, even before the server has said so; null if it has no orders.
  #ended() {
    const { current, last } = this.#room.window;
    if (current) return current.orders ? current : null;
    return last;
  }

  #part(name) {
    return this.#root.querySelector(`.ordering-${name}`);
  }

  #drawTime() {
    const { closes_ms, opened_ms } = this.#shows;
    const { seconds } = this.#room.window;
    const countdown = this.#root.querySelector("#countdown");
    countdown.hidden = !this.#isOpen;
    this.#part("left").hidden = !this.#isOpen;
    this.#part("ended").textContent = this.#isOpen ? "" : `${t("window_over")} ${this.#room.dates.second(closes_ms)}`;
    countdown.textContent = this.#isOpen ? seconds : "";
    this.#root.classList.toggle("ordering--ending", this.#isOpen && seconds <= ENDING_S);
    // A long window is shown in minutes, with the seconds small beside them.
    const isLong = this.#isOpen && seconds >= LONG_S;
    this.#root.classList.toggle("ordering--long", isLong);
    this.#part("clock").textContent = isLong ? clockFace(seconds) : "";
    const share = this.#isOpen ? (closes_ms - this.#room.now()) / (closes_ms - opened_ms) : 0;
    this.#root.style.setProperty("--share-left", Math.min(1, Math.max(0, share)).toFixed(4));
  }

  #drawSoon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#shows) this.#drawBody();
    });
  }

  #drawBody() {
    const { id, title, by, orders, members, planned } = this.#shows;
    const isOpen = this.#isOpen;
    const result = isOpen ? null : this.#result();
    this.#part("label").firstElementChild.textContent = title || (isOpen ? this.#label : t("order"));
    this.#root.classList.toggle("ordering--planned", Boolean(planned));
    for (const opener of this.#root.querySelectorAll(".ordering-opener")) opener.hidden = !isOpen;
    for (const node of this.#root.querySelectorAll(".ordering-opener bdi")) node.textContent = by ?? "";
    this.#drawItems(isOpen ? this.#shows.items ?? [] : []);
    const sums = this.#part("sums");
    sums.textContent = (result?.items ?? []).map((item) => `${item.name} ${withUnit(item.quantity, item.unit)}`).join(" · ");
    sums.hidden = !sums.textContent;
    const counts = this.#part("orders");
    counts.hidden = !orders;
    counts.href = `/orders/${id}/`;
    counts.textContent = [t("order_counts", { orders, members }), ...(result?.total ? [`¥${result.total}`] : [])].join(" · ");
    this.#drawMine();
    for (const node of this.#root.querySelectorAll("[data-while]")) node.hidden = node.dataset.while !== this.#root.dataset.state;
    for (const link of this.#root.querySelectorAll("[data-link]")) link.href = link.dataset.link.replace("ID", id);
  }

  // The result in the message that closed the window; undefined if the page does not have that message.
  #result() {
    const { id } = this.#shows;
    return this.#room.timeline.newest(({ window_id, preset, state }) => window_id === id && preset === "stop" && state === "live")?.result;
  }

  #drawItems(items) {
    // If only one more item would be hidden, it is shown instead of the button.
    const isLong = items.length > FEW_ITEMS + 1;
    const shown = isLong && !this.#allItems ? items.slice(0, FEW_ITEMS) : items;
    this.#part("items").replaceChildren(...shown.map(itemLine));
    this.#part("items").hidden = !items.length;
    const more = this.#part("more");
    more.hidden = !isLong;
    more.setAttribute("aria-expanded", String(this.#allItems));
    more.textContent = this.#allItems ? t("items_fewer") : t("items_more", { count: items.length - FEW_ITEMS });
  }

  // The reader's own orders, from the loaded messages, and from the ledger if older messages may have some.
  #drawMine() {
    const node = this.#part("mine");
    if (!node) return;
    const isComplete = this.#hasAllOrders();
    if (!isComplete) this.#loadMine();
    const mine = this.#mine();
    this.#part("own").hidden = !mine.length && !this.#isOpen;
    this.#root.classList.toggle("ordering--ordered", mine.length > 0);
    node.disabled = !this.#isOpen;
    node.querySelector("bdi").textContent = mine.length === 1 ? t("my_order", { order: wordsOf(mine[0]) })
      : mine.length ? t("orders_of_mine", { count: mine.length })
      : isComplete ? t("order_none") : t("my_orders");
    const list = this.#part("mine-list");
    list.replaceChildren(...(mine.length > 1 ? mine.map((order) => make("li", "", wordsOf(order))) : []));
    const toggle = this.#part("mine-toggle");
    toggle.hidden = mine.length < 2;
    list.hidden = mine.length < 2 || toggle.getAttribute("aria-expanded") !== "true";
  }

  #mine() {
    const { timeline, me } = this.#room;
    const known = timeline.ids.map((id) => timeline.get(id))
      .filter(({ kind, state, user_id, order }) => kind === "order" && state === "live" && user_id === me.id && order.window_id === this.#shows.id);
    const older = [...this.#older].filter(([id]) => !timeline.get(id));
    return [...older.map(([, order]) => order), ...known.map(({ order }) => order)];
  }

  #hasAllOrders() {
    const { timeline } = this.#room;
    const { id, orders, opened_ms } = this.#shows;
    const reachesBack = opened_ms !== undefined && timeline.get(timeline.oldestId)?.created_ms < opened_ms;
    return !orders || !timeline.hasMore || reachesBack || this.#loaded === id;
  }

  // Fetches the ledger once for each window. It does not fetch a long ledger: then the card only says where the orders
  // are.
  async #loadMine() {
    const { id, orders } = this.#shows;
    if (this.#asked === id || orders > LEDGER_MOST) return;
    this.#asked = id;
    this.#older.clear();
    const { getJSON } = await import("../net/http.js");
    const ledger = await getJSON(`/api/windows/${id}/`).catch(() => null);
    if (!ledger || this.#shows?.id !== id) return;
    const mine = ledger.orders.filter(({ user_id, state }) => user_id === this.#room.me.id && state === "accepted");
    for (const order of mine) this.#older.set(order.id, order);
    this.#loaded = id;
    this.#drawBody();
  }

  // An order of the ledger was changed or withdrawn.
  #updateOlder({ id, state, order }) {
    if (!this.#older.has(id)) return;
    if (state === "live") this.#older.set(id, order);
    else this.#older.delete(id);
    this.#drawSoon();
  }

  #onClick(target) {
    if (target.closest(".ordering-more")) {
      this.#allItems = !this.#allItems;
      this.#drawBody();
    } else if (target.closest(".ordering-mine-toggle")) {
      const toggle = this.#part("mine-toggle");
      toggle.setAttribute("aria-expanded", String(toggle.getAttribute("aria-expanded") !== "true"));
      this.#drawMine();
    } else if (target.closest(".ordering-head")) {
      this.#chosen = !this.#isUnfolded;
      this.#drawFold();
    }
  }

  get #isUnfolded() {
    return this.#chosen ?? !this.#wasReason;
  }

  #drawFold() {
    if (!this.#shows) return;
    const reason = !this.#isInColumn && this.#hasReasonToFold();
    if (reason !== this.#wasReason) this.#chosen = null;
    this.#wasReason = reason;
    const isUnfolded = this.#isUnfolded;
    this.#part("toggle").setAttribute("aria-expanded", String(isUnfolded));
    this.#part("body").hidden = !isUnfolded;
    this.#root.classList.toggle("ordering--folded", !isUnfolded);
    this.#makeRoom();
  }

  #hasReasonToFold() {
    const { keyboard, low } = document.documentElement.dataset;
    const isOld = !this.#isOpen && this.#room.now() - this.#shows.closes_ms > JUST_CLOSED_MS;
    return !this.#room.view.following || isOld || keyboard !== undefined || low !== undefined;
  }

  get #isInColumn() {
    return this.#room.ui === "desktop" && COLUMN.matches;
  }

  // --window-height: the height that the card covers now; --window-room: that of the unfolded card; --toast-least: the
  // least distance of a toast from the top, so that it does not cover the countdown.
  #makeRoom() {
    const { style } = this.#root.parentElement;
    const height = this.#root.hidden || this.#isInColumn ? 0 : this.#root.offsetHeight;
    style.setProperty("--window-height", `${height}px`);
    const bottom = height && this.#root.getBoundingClientRect().bottom;
    document.documentElement.style.setProperty("--toast-least", `${bottom}px`);
    const isFolded = height && this.#roomMade && this.#root.classList.contains("ordering--folded");
    if (isFolded || height === this.#roomMade) return;
    this.#roomMade = height;
    style.setProperty("--window-room", `${height}px`);
    this.#room.view.keepPosition();
  }
}

// "蓝莓 25.00/盒 剩 12"
function itemLine({ name, unit, price, left }) {
  const node = make("li", left === "0" ? "ordering-item ordering-item--gone" : "ordering-item");
  node.append(make("bdi", "ordering-item-name", name));
  const offer = price === null ? unit : `${price}${unit ? `/${unit}` : ""}`;
  if (offer) node.append(" ", make("span", "ordering-item-price", offer));
  if (left !== null && left !== undefined) {
    node.append(" ", make("span", "ordering-item-left", left === "0" ? t("order_sold_out") : t("order_left", { left })));
  }
  return node;
}

// "第 12 号 · 蓝莓 2盒 · ¥50.00"
function wordsOf(order) {
  const { no, total } = order;
  return [t("order_no", { no }), ...phrases(order), ...(total ? [`¥${total}`] : [])].join(" · ");
}
