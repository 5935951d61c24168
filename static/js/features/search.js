// Searching the history, and scrolling to a hit.

import { button, face, make, snippet } from "../elements/dom.js";
import { getJSON } from "../net/http.js";
import { fold, foldedWithPlaces, t } from "../words/words.js";

const PAUSE_MS = 200;

let search = null;

// The dialog is opened by elements/dialogs.js.
export function open(room) {
  search ??= new Search(room, document.getElementById("search"));
}

class Search {
  #room;
  #dialog;
  #results;
  #state;
  #timer = 0;
  #asked = 0;

  constructor(room, dialog) {
    this.#room = room;
    this.#dialog = dialog;
    this.#results = dialog.querySelector(".search-results");
    this.#state = dialog.querySelector(".search-state");
    const field = dialog.querySelector("input");
    field.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#find(field.value.trim()), PAUSE_MS);
    });
    dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#results.querySelector("button")?.focus();
    });
    dialog.addEventListener("close", () => this.#results.replaceChildren());
    room.timeline.addEventListener("change", () => this.#dropGone());
    // The dialog opens before this module is loaded: what was typed meanwhile is searched for too.
    this.#find(field.value.trim());
  }

  // Only the result of the newest query is shown, in whatever order the results arrive.
  async #find(text) {
    const asked = (this.#asked += 1);
    if (!text) {
      this.#show([], "");
      return;
    }
    try {
      const { messages } = await getJSON(`/api/messages/?limit=50&q=${encodeURIComponent(text)}`);
      const live = messages.filter(({ state }) => state === "live").reverse();
      if (asked === this.#asked) this.#show(live, live.length ? "" : t("nothing_found", { text }), text);
    } catch (refused) {
      if (asked === this.#asked) this.#show([], refused.message);
    }
  }

  #show(messages, words, text) {
    this.#state.textContent = words;
    this.#results.replaceChildren(...messages.map((message) => this.#row(message, text)));
  }

  // What was recalled, deleted or has expired since it was found.
  #dropGone() {
    for (const row of [...this.#results.children]) {
      if (this.#room.timeline.isGone(Number(row.dataset.id))) row.remove();
    }
  }

  #row(message, text) {
    const row = make("li", "");
    row.dataset.id = message.id;
    const go = button("search-hit", "", async () => {
      this.#dialog.close();
      if (!(await this.#room.view.reveal(message.id))) this.#room.toast(t("quote_gone"));
    });
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
