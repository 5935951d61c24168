// The list of all members, online or not, with a search. A row opens the member's card (features/member_card.js).

import { badge, button, face, make } from "../elements/dom.js";
import { getJSON } from "../net/http.js";
import { t } from "../words/words.js";

const PAUSE_MS = 200;

let list = null;

export function open(room, clicked) {
  // On a phone the list of online members is a sheet, so it is closed.
  clicked.closest("dialog")?.close();
  list ??= new MemberList(room, document.getElementById("member-list"));
  list.open();
}

class MemberList {
  #room;
  #dialog;
  #field;
  #rows;
  #state;
  #timer = 0;
  #asked = 0;

  constructor(room, dialog) {
    this.#room = room;
    this.#dialog = dialog;
    this.#rows = dialog.querySelector(".search-results");
    this.#state = dialog.querySelector(".search-state");
    const form = dialog.querySelector("form");
    this.#field = form.elements.q;
    this.#field.addEventListener("input", () => this.#findLater());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#rows.querySelector("button")?.focus();
    });
    dialog.addEventListener("close", () => {
      clearTimeout(this.#timer);
      this.#rows.replaceChildren();
    });
    // A member's name, role or avatar has changed.
    room.onFrame("member", () => dialog.open && this.#findLater());
  }

  open() {
    this.#field.value = "";
    this.#dialog.showModal();
    // On a touch screen the focus would open a keyboard that covers the list.
    if (this.#room.composer.enterSends) this.#field.focus();
    this.#find();
  }

  #findLater() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#find(), PAUSE_MS);
  }

  // Shows only the answer to the newest query, because answers can arrive in another order. `after`: the list continues
  // after the member with this id.
  async #find(after = 0) {
    const asked = (this.#asked += 1);
    try {
      const query = new URLSearchParams({ q: this.#field.value.trim(), after });
      const { members, next } = await getJSON(`/api/members/?${query}`);
      if (asked === this.#asked && this.#dialog.open) this.#show(members, next, after);
    } catch (refused) {
      if (asked === this.#asked) this.#state.textContent = refused.message;
    }
  }

  #show(members, next, after) {
    const rows = members.map((member) => this.#row(member));
    this.#state.textContent = rows.length || after ? "" : t("members_none");
    if (!after) {
      this.#rows.replaceChildren(...rows);
      this.#rows.scrollTop = 0;
    } else {
      this.#rows.lastElementChild.replaceWith(...rows);
      rows[0]?.firstElementChild.focus();
    }
    if (next) this.#rows.append(this.#more(next));
  }

  #row({ id, name, role, avatar, created_ms, old_name }) {
    const row = make("li");
    const opener = button("search-hit");
    opener.dataset.member = id;
    opener.setAttribute("aria-haspopup", "dialog");
    const words = make("span", "search-words");
    const head = make("span", "member-line");
    head.append(make("bdi", "member-name", name), badge(role));
    const day = this.#room.dates.dayName(created_ms, this.#room.now());
    const facts = [old_name && t("old_name", { name: old_name }), t("card_since", { day })].filter(Boolean);
    words.append(head, make("span", "member-facts", facts.join(" · ")));
    opener.append(face({ id, name, avatar }), words);
    row.append(opener);
    return row;
  }

  #more(next) {
    const row = make("li");
    const more = button("button button--small", t("members_more"), () => this.#find(next));
    more.dataset.more = "";
    row.append(more);
    return row;
  }
}
