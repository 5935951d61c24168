// The names offered while one types after @ or ＠. The field keeps the focus; arrows choose, Enter or
// Tab takes, Esc puts away. While an input method composes, every key is its own.

import { namesFor, queryAt } from "../models/mention.js";
import { button, make } from "./dom.js";

export class Mentions {
  #room;
  #field;
  #list;
  #query = null;
  #chosen = 0;

  constructor(room, form, list) {
    this.#room = room;
    this.#field = form.elements.text;
    this.#list = list;
    this.#field.addEventListener("input", ({ isComposing }) => !isComposing && this.look());
    this.#field.addEventListener("compositionend", () => this.look());
    this.#field.addEventListener("blur", () => this.#close());
    // Before the field's own listener, which would send.
    form.addEventListener("keydown", (event) => this.#key(event), { capture: true });
    // A press on a name must not take the focus, and the keyboard with it, away.
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("mousedown", (event) => event.preventDefault());
  }

  // Offers what answers to the text before the caret.
  look() {
    const { value, selectionStart, selectionEnd } = this.#field;
    this.#query = selectionStart === selectionEnd ? queryAt(value, selectionStart) : null;
    const others = this.#query ? this.#room.names().filter((name) => name !== this.#room.me.name) : [];
    const names = this.#query ? namesFor(this.#query.query, others) : [];
    // Nothing to complete: the name stands there whole.
    if (names.length === 0 || (names.length === 1 && names[0] === this.#query.query)) this.#close();
    else this.#open(names);
  }

  #open(names) {
    this.#list.replaceChildren(...names.map((name, i) => this.#option(name, i)));
    this.#list.hidden = false;
    this.#field.setAttribute("aria-controls", this.#list.id);
    this.#choose(0);
  }

  #close() {
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#field.removeAttribute("aria-activedescendant");
  }

  #option(name, i) {
    const node = button("mention-choice", "", () => this.#take(name));
    node.append(make("bdi", "", name));
    node.id = `mention-${i}`;
    node.tabIndex = -1;
    node.setAttribute("role", "option");
    return node;
  }

  #choose(at) {
    const options = [...this.#list.children];
    this.#chosen = (at + options.length) % options.length;
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === this.#chosen)));
    this.#field.setAttribute("aria-activedescendant", options[this.#chosen].id);
  }

  #take(name) {
    const { from, query } = this.#query;
    this.#close();
    this.#field.setSelectionRange(from, from + 1 + query.length);
    this.#room.composer.insert(`@${name} `);
  }

  #key(event) {
    if (this.#list.hidden || event.isComposing || event.keyCode === 229) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#choose(this.#chosen + step);
    else if (event.key === "Escape") this.#close();
    else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") this.#take(this.#list.children[this.#chosen].textContent);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
