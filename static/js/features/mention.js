// Offers names while a member writes after @ or ＠: at once the names that the page knows, then those of members who
// are not online. Administrators can mention all. The field keeps the focus; the arrow keys choose, Enter or Tab
// inserts, Esc closes. While an input method composes, it gets all keys.

import { button, make } from "../elements/dom.js";
import { t } from "../words/words.js";

// The page asks the server after this pause in typing, in ms.
const ASK_AFTER_MS = 200;

// The search for names is loaded with the first @.
export function start(room) {
  if (!room.me) return;
  const form = document.getElementById("composer");
  const field = form.elements.text;
  let loading = false;
  const listen = async () => {
    if (loading || !/[@＠]/.test(field.value)) return;
    loading = true;
    try {
      const search = await import("../models/mention.js");
      field.removeEventListener("input", listen);
      new Mentions(room, form, document.getElementById("mentions"), search).update();
    } finally {
      loading = false;
    }
  };
  field.addEventListener("input", listen);
  // The member may have written an @ before this feature was loaded.
  listen();
}

class Mentions {
  #room;
  #field;
  #list;
  #search;
  #query = null;
  #chosen = 0;
  #timer;
  // The last query to the server, and its answer.
  #absent = { query: "", names: [] };

  constructor(room, form, list, search) {
    this.#room = room;
    this.#search = search;
    this.#field = form.elements.text;
    this.#list = list;
    this.#field.addEventListener("input", ({ isComposing }) => !isComposing && this.update());
    this.#field.addEventListener("compositionend", () => this.update());
    this.#field.addEventListener("blur", () => this.#close());
    // This listener runs before the composer's own listener, which would send the message.
    form.addEventListener("keydown", (event) => this.#onKey(event), { capture: true });
    // A press on a name must not take the focus from the field, because that would close an on-screen keyboard.
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("mousedown", (event) => event.preventDefault());
  }

  // Offers the names that match the text before the caret.
  update() {
    const { value, selectionStart, selectionEnd } = this.#field;
    this.#query = selectionStart === selectionEnd ? this.#search.queryAt(value, selectionStart) : null;
    const names = this.#query ? this.#search.namesFor(this.#query.query, this.#known()) : [];
    // The name is written in full, so there is nothing to complete.
    if (names.length === 0 || (names.length === 1 && names[0] === this.#query.query)) this.#hide();
    else this.#open(names);
    this.#askLater();
  }

  #known() {
    const { me } = this.#room;
    const all = me.role === "administrator" ? [t("all_members")] : [];
    const absent = this.#query.query === this.#absent.query ? this.#absent.names : [];
    return [...new Set([...all, ...this.#room.names(), ...absent])].filter((name) => name !== me.name);
  }

  #askLater() {
    clearTimeout(this.#timer);
    const query = this.#query?.query;
    if (query && query !== this.#absent.query) this.#timer = setTimeout(() => this.#ask(query), ASK_AFTER_MS);
  }

  // If the server does not answer, only the names that the page knows are offered.
  async #ask(query) {
    const { getJSON } = await import("../net/http.js");
    const answer = await getJSON(`/api/names/?q=${encodeURIComponent(query)}`).catch(() => null);
    if (!answer || this.#query?.query !== query) return;
    this.#absent = { query, names: answer.names };
    const chosen = this.#list.hidden ? undefined : this.#list.children[this.#chosen].textContent;
    this.update();
    const at = [...this.#list.children].findIndex((option) => option.textContent === chosen);
    if (at > 0) this.#choose(at);
  }

  #open(names) {
    this.#list.replaceChildren(...names.map((name, i) => this.#option(name, i)));
    this.#list.hidden = false;
    this.#field.setAttribute("aria-controls", this.#list.id);
    this.#choose(0);
  }

  // A late answer does not open the list again.
  #close() {
    clearTimeout(this.#timer);
    this.#query = null;
    this.#hide();
  }

  #hide() {
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#field.removeAttribute("aria-activedescendant");
  }

  #option(name, i) {
    const node = button("mention-choice", "", () => this.#insert(name));
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

  #insert(name) {
    const { from, query } = this.#query;
    this.#close();
    this.#field.setSelectionRange(from, from + 1 + query.length);
    this.#room.composer.insert(`@${name} `);
  }

  #onKey(event) {
    if (this.#list.hidden || event.isComposing || event.keyCode === 229) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#choose(this.#chosen + step);
    else if (event.key === "Escape") this.#close();
    else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") this.#insert(this.#list.children[this.#chosen].textContent);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
