// The menu of a message: a list at the pointer on a desktop, a sheet on a phone. Each feature adds its
// own choice.

import * as copyText from "../features/copy_text.js";
import * as deletion from "../features/delete.js";
import * as edit from "../features/edit.js";
import * as order from "../features/order.js";
import * as recall from "../features/recall.js";
import * as reply from "../features/reply.js";
import { reactionRow } from "../features/react.js";
import { button, icon, make } from "./dom.js";

// What the features offer, in this order: functions (room, message) => choice or nothing. A choice is {action, label,
// glyph, run()}, and tick() if its label changes: the label now, or nothing when the choice is over.
const CHOICES = [reply.choice, edit.choice, order.changeChoice, copyText.choice, copyText.downloadChoice, recall.choice, recall.albumChoice, order.withdrawChoice, deletion.choice];

export class MessageMenu {
  #room;
  #dialog;
  #list;
  #timers = [];
  #id = 0;

  constructor(room, dialog) {
    this.#room = room;
    this.#dialog = dialog;
    this.#list = dialog.querySelector("[role=menu]");
    dialog.addEventListener("close", () => {
      this.#timers.forEach(clearInterval);
      this.#list.replaceChildren(); // let go of the message, which the choices refer to
    });
    room.timeline.addEventListener("change", ({ detail }) => {
      const isOutdated = detail.textChanged?.some(({ id }) => id === this.#id);
      if (dialog.open && (isOutdated || room.timeline.isGone(this.#id))) dialog.close();
    });
    dialog.addEventListener("keydown", (event) => this.#onKey(event));
  }

  // `point` {x, y} in the viewport, or null to open below `opener`.
  open(message, { opener, point = null }) {
    const { me, isMuted, actions } = this.#room;
    const choices = message.state === "live" ? CHOICES.map((choice) => choice(this.#room, message)).filter(Boolean) : [];
    if (this.#dialog.open || choices.length === 0) return;
    this.#id = message.id;
    this.#list.replaceChildren(...choices.map((choice) => this.#item(choice)));
    if (me && !isMuted()) this.#list.prepend(reactionRow(this.#room, message, (emoji) => this.#close(() => actions.react(message, emoji))));
    this.#dialog.showModal();
    if (this.#room.ui === "desktop") this.#moveTo(point ?? below(opener));
    this.#list.querySelector(".menu-item").focus({ preventScroll: true });
    this.#timers = choices.filter(({ tick }) => tick).map((choice) => this.#countDown(choice));
  }

  #item({ action, label, glyph, run }) {
    const node = button("menu-item", "", () => this.#close(run));
    node.setAttribute("role", "menuitem");
    node.dataset.action = action;
    node.append(icon(glyph), make("span", "menu-label", label));
    return node;
  }

  #close(then) {
    this.#dialog.close();
    then();
  }

  #moveTo({ x, y }) {
    const { style, offsetWidth, offsetHeight } = this.#dialog;
    style.setProperty("left", `${Math.max(8, Math.min(x, innerWidth - offsetWidth - 8))}px`);
    style.setProperty("top", `${Math.max(8, y + offsetHeight + 8 > innerHeight ? y - offsetHeight : y)}px`);
  }

  // Draws the label of a choice that is possible for some time only; then the choice is removed. Returns the timer.
  #countDown({ action, tick }) {
    const item = this.#list.querySelector(`[data-action=${action}]`);
    const draw = () => {
      const label = tick();
      if (label) {
        item.querySelector(".menu-label").textContent = label;
        return;
      }
      clearInterval(timer);
      if (item === document.activeElement) this.#step(1);
      item.remove();
    };
    const timer = setInterval(draw, 250);
    draw();
    return timer;
  }

  // The up and down keys move in the list. The row of emoji is one stop, and the left and right keys move in it.
  #onKey(event) {
    const row = document.activeElement.closest(".reaction-row");
    const down = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const along = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (down) this.#step(down);
    else if (row && along) focusNext([...row.children], document.activeElement, along);
    else return;
    event.preventDefault();
  }

  #step(step) {
    const row = document.activeElement.closest(".reaction-row");
    focusNext([...this.#list.children], row ?? document.activeElement, step);
  }
}

function focusNext(stops, from, step) {
  const next = stops[(stops.indexOf(from) + step + stops.length) % stops.length];
  (next?.matches(".reaction-row") ? next.firstElementChild : next)?.focus();
}

function below(opener) {
  const { left, bottom } = opener.getBoundingClientRect();
  return { x: left, y: bottom + 4 };
}
