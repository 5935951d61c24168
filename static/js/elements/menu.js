// The one menu of a message: by ⋯, right click, long press, or the keyboard. A list beside the
// pointer on a desktop, a sheet on a phone.

import { secondsLeft } from "../models/clock.js";
import { t } from "../words/words.js";
import { button, icon, make } from "./dom.js";
import { reactionRow } from "./reactions.js";

export class MessageMenu {
  #room;
  #dialog;
  #list;
  #timer = 0;

  constructor(room, dialog) {
    this.#room = room;
    this.#dialog = dialog;
    this.#list = dialog.querySelector("[role=menu]");
    dialog.addEventListener("close", () => clearInterval(this.#timer));
    dialog.addEventListener("keydown", (event) => this.#key(event));
  }

  // `point` {x, y} in the viewport, or null: beside `opener`.
  open(message, { opener, point = null }) {
    const { me, actions } = this.#room;
    const choices = choicesFor(message, this.#room);
    if (this.#dialog.open || choices.length === 0) return;
    this.#list.replaceChildren(...choices.map((choice) => this.#item(choice)));
    if (me) this.#list.prepend(reactionRow(message, me, (emoji) => this.#close(() => actions.react(message, emoji))));
    this.#dialog.showModal();
    if (this.#room.ui === "desktop") this.#place(point ?? beside(opener));
    this.#list.querySelector(".menu-item").focus({ preventScroll: true });
    this.#countDown(message);
  }

  #item({ act, label, glyph, run }) {
    const node = button("menu-item", "", () => this.#close(run));
    node.setAttribute("role", "menuitem");
    node.dataset.action = act;
    node.append(icon(glyph), make("span", "menu-label", label));
    return node;
  }

  #close(then) {
    this.#dialog.close();
    then();
  }

  #place({ x, y }) {
    const { style, offsetWidth, offsetHeight } = this.#dialog;
    style.setProperty("left", `${Math.max(8, Math.min(x, innerWidth - offsetWidth - 8))}px`);
    style.setProperty("top", `${Math.max(8, y + offsetHeight + 8 > innerHeight ? y - offsetHeight : y)}px`);
  }

  // How long it can still be taken back stands beside the word, and the word goes with it.
  #countDown(message) {
    const { me, clock } = this.#room;
    const item = this.#list.querySelector("[data-action=recall]");
    if (!item || me.role === "administrator") return;
    const label = item.querySelector(".menu-label");
    const draw = () => {
      const left = secondsLeft(message.recall_until_ms, clock.now());
      label.textContent = t("recall_within", { seconds: left });
      if (left > 0) return;
      clearInterval(this.#timer);
      if (item === document.activeElement) this.#step(1);
      item.remove();
    };
    draw();
    this.#timer = setInterval(draw, 250);
  }

  // Up and down through the list, the row of emoji being one stop; left and right within the row.
  #key(event) {
    const row = document.activeElement.closest(".reaction-row");
    const down = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const along = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (down) this.#step(down);
    else if (row && along) walk([...row.children], document.activeElement, along);
    else return;
    event.preventDefault();
  }

  #step(step) {
    const row = document.activeElement.closest(".reaction-row");
    walk([...this.#list.children], row ?? document.activeElement, step);
  }
}

function walk(stops, from, step) {
  const next = stops[(stops.indexOf(from) + step + stops.length) % stops.length];
  (next?.matches(".reaction-row") ? next.firstElementChild : next)?.focus();
}

export function choicesFor(message, room) {
  const { me, clock, actions } = room;
  if (message.state !== "live") return [];
  const mine = me?.id === message.user_id;
  const rules = me?.role === "administrator";
  const choices = [];
  const add = (act, label, glyph, run) => choices.push({ act, label, glyph, run });
  if (me) add("reply", t("reply"), "reply", () => actions.reply(message));
  if (message.text) add("copy", t("copy"), "copy", () => actions.copy(message));
  if (message.image) add("download", t("download"), "download", () => actions.download(message));
  if (rules || (mine && message.recall_until_ms > clock.now())) add("recall", t("recall"), "recall", () => actions.recall(message));
  if (mine || rules) add("delete", t("delete"), "trash", () => actions.remove(message));
  return choices;
}

function beside(opener) {
  const { left, bottom } = opener.getBoundingClientRect();
  return { x: left, y: bottom + 4 };
}
