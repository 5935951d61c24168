// Searches the history by words, author and day, and scrolls to a hit or to the start of a day.

import { button, face, make, snippet } from "../elements/dom.js";
import { getJSON } from "../net/http.js";
import { fold, foldedWithPlaces, language, t } from "../words/words.js";

const PAUSE_MS = 200;

let search = null;

// The dialog is opened by elements/dialogs.js.
export function open(room) {
  if (search) search.reopen();
  else search = new Search(room, document.getElementById("search"));
}

class Search {
  #room;
  #dialog;
  #form;
  #results;
  #state;
  #timer = 0;
  #asked = 0;
  #authors = new Set();

  constructor(room, dialog) {
    this.#room = room;
    this.#dialog = dialog;
    this.#results = dialog.querySelector(".search-results");
    this.#state = dialog.querySelector(".search-state");
    this.#form = dialog.querySelector("form");
    const { q, by, day, go } = this.#form.elements;
    this.#fillAuthors();
    q.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#find(), PAUSE_MS);
    });
    by.addEventListener("change", () => this.#find());
    by.addEventListener("input", () => this.#onAuthorTyped(by.value.trim()));
    day.addEventListener("change", () => this.#find());
    go.addEventListener("click", () => this.#goToDay(day.value));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#results.querySelector("button")?.focus();
    });
    dialog.addEventListener("close", () => this.#results.replaceChildren());
    room.timeline.addEventListener("change", ({ detail }) => {
      if (dialog.open && detail.textChanged?.length) this.#find();
      else this.#dropGone();
    });
    // The dialog opens before this module is loaded, so text that was typed meanwhile is searched for.
    this.#find();
  }

  reopen() {
    this.#fillAuthors();
    this.#find();
  }

  // Offers the names of members online, of the authors that the page knows, and of members that the server found.
  #fillAuthors(more = []) {
    this.#authors = new Set([...this.#room.names(), ...more]);
    const sorted = [...this.#authors].sort(new Intl.Collator(language).compare);
    this.#form.elements.by.list.replaceChildren(...sorted.map((name) => new Option(name, name)));
  }

  // If a name is chosen from the list, the search starts at once. While a name is typed, the page asks the server after
  // a pause.
  #onAuthorTyped(name) {
    clearTimeout(this.#timer);
    if (!name || this.#authors.has(name)) this.#find();
    else this.#timer = setTimeout(() => this.#askNames(name), PAUSE_MS);
  }

  // The server does not answer guests, so they have only the names that the page knows.
  async #askNames(name) {
    const answer = await getJSON(`/api/names/?q=${encodeURIComponent(name)}`).catch(() => null);
    if (!answer || this.#form.elements.by.value.trim() !== name) return;
    this.#fillAuthors(answer.names);
    if (this.#authors.has(name)) this.#find();
  }

  // Shows only the result of the newest query, because results can arrive in another order.
  async #find() {
    const { q, by, day, go } = this.#form.elements;
    const asked = (this.#asked += 1);
    const text = q.value.trim();
    go.hidden = !day.value;
    const author = by.value.trim();
    if (!text && !author && !day.value) {
      this.#show([], "");
      return;
    }
    try {
      const query = new URLSearchParams({ limit: 50, q: text, by: author, day: day.value });
      const { messages } = await getJSON(`/api/messages/?${query}`);
      const live = messages.filter(({ state }) => state === "live").reverse();
      const nothing = text ? t("nothing_found", { text }) : t("nothing_at_all");
      if (asked === this.#asked) this.#show(live, live.length ? "" : nothing, text);
    } catch (refused) {
      if (asked === this.#asked) this.#show([], refused.message);
    }
  }

  async #goToDay(day) {
    try {
      const { messages } = await getJSON(`/api/messages/?first=${day}`);
      if (messages.length) await this.#goTo(messages[0]);
      else this.#show([], t("nothing_that_day"));
    } catch (refused) {
      this.#show([], refused.message);
    }
  }

  async #goTo({ id }) {
    this.#dialog.close();
    if (!(await this.#room.view.reveal(id))) this.#room.toast(t("quote_gone"));
  }

  #show(messages, words, text) {
    this.#state.textContent = words;
    this.#results.replaceChildren(...messages.map((message) => this.#row(message, text)));
  }

  // Removes hits that were recalled, were deleted or have expired since.
  #dropGone() {
    for (const row of [...this.#results.children]) {
      if (this.#room.timeline.isGone(Number(row.dataset.id))) row.remove();
    }
  }

  #row(message, text) {
    const row = make("li", "");
    row.dataset.id = message.id;
    const go = button("search-hit", "", () => this.#goTo(message));
    const words = make("span", "search-words");
    const head = make("span", "search-head");
    const when = `${this.#room.dates.dayName(message.created_ms, this.#room.now())} ${this.#room.dates.time(message.created_ms)}`;
    head.append(make("bdi", "message-author", message.user), make("time", "message-time", when));
    words.append(head, marked(message.text || t("picture"), text));
    go.append(face({ id: message.user_id, name: message.user, avatar: message.avatar }), words);
    row.append(go);
    return row;
  }
}

// The text around the first hit, with the hit marked: the whole query, or else its first word.
function marked(text, wanted) {
  const node = make("bdi", "search-text");
  const line = snippet(text, 400);
  const { folded, from, to } = foldedWithPlaces(line);
  const whole = fold(wanted.trim());
  const sought = folded.includes(whole) ? whole : whole.split(/\s+/u)[0];
  const found = folded.indexOf(sought);
  if (!sought || found < 0) {
    node.append(line);
    return node;
  }
  const [at, end] = [from[found], to[found + sought.length - 1]];
  const begin = Math.max(0, at - 24);
  node.append((begin ? "…" : "") + line.slice(begin, at), make("mark", "", line.slice(at, end)), line.slice(end));
  return node;
}
