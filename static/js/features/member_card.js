// The card of a member: facts and, for administrators, actions. The server sends the actions and their questions
// with the card (chatserver/features/accounts/card.py).

import { badge, button, face, make } from "../elements/dom.js";
import { getJSON, postJSON } from "../net/http.js";
import { t } from "../words/words.js";

let card = null;

export function open(room, clicked, message) {
  card ??= new MemberCard(room, document.getElementById("member-card"));
  card.open(message?.user_id ?? Number(clicked.dataset.member));
}

class MemberCard {
  #room;
  #dialog;
  #body;
  #id = 0;

  constructor(room, dialog) {
    this.#room = room;
    this.#dialog = dialog;
    this.#body = dialog.querySelector(".member-card-body");
    dialog.addEventListener("close", () => this.#body.replaceChildren());
  }

  async open(id) {
    this.#id = id;
    try {
      const [facts] = await Promise.all([this.#fetch(), loadStyles()]);
      if (this.#id !== id || this.#dialog.open) return;
      // On a phone the list of members is a sheet, so it is closed.
      document.querySelector("#people[open]")?.close();
      this.#draw(facts);
      this.#dialog.showModal();
    } catch (refused) {
      this.#room.toast(refused.message);
    }
  }

  #fetch() {
    return getJSON(`/api/members/${this.#id}/`);
  }

  #draw(facts) {
    this.#body.replaceChildren(this.#head(facts), ...this.#mention(facts.member), ...this.#acts(facts));
  }

  #head({ member, orders, muted_until_ms, banned }) {
    const { dates } = this.#room;
    const head = make("header", "member-card-head");
    const words = make("div", "member-card-words");
    const title = make("h2", "member-card-title");
    title.id = "member-card-name";
    title.append(make("bdi", "", member.name), badge(member.role));
    const day = dates.dayName(member.created_ms, this.#room.now());
    const facts = [
      member.old_name ? t("old_name", { name: member.old_name }) : "",
      t("card_since", { day }),
      orders === null ? "" : t("card_orders", { count: orders }),
      muted_until_ms ? t("card_muted", { time: dates.exact(muted_until_ms) }) : "",
      banned ? t("card_banned") : "",
    ];
    words.append(title, ...facts.filter(Boolean).map((fact) => make("p", "member-card-facts tabular", fact)));
    head.append(face(member), words);
    return head;
  }

  #mention({ id, name }) {
    const { me, composer, isMuted } = this.#room;
    if (!me || me.id === id || isMuted()) return [];
    const node = button("button button--primary", t("card_mention"), () => {
      // The card may cover the list of all members.
      for (const each of document.querySelectorAll("dialog[open]")) each.close();
      composer.focus();
      composer.insert(`@${name} `);
    });
    node.dataset.mention = "";
    return [node];
  }

  #acts({ acts = [], spans = [], password_link }) {
    if (acts.length === 0) return [];
    const group = make("div", "member-card-acts");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", t("card_acts"));
    const span = make("select");
    span.setAttribute("aria-label", t("card_span"));
    span.append(...spans.map(({ seconds, label }) => new Option(label, seconds, false, seconds === 3600)));
    for (const each of acts) {
      const node = button("button button--small", each.label, () => this.#act(each, Number(span.value)));
      node.dataset.act = each.act;
      group.append(...(each.act === "mute" ? [span] : []), node);
    }
    if (password_link) group.append(this.#linkButton(password_link));
    return [group];
  }

  // The new link replaces an earlier link, which no longer works.
  #linkButton(label) {
    const node = button("button button--small", label, async () => {
      try {
        const { makeLink } = await import("./password_link.js");
        const part = await makeLink(this.#id);
        this.#body.querySelector(".share")?.remove();
        this.#body.append(part);
        part.scrollIntoView({ block: "nearest" });
      } catch (refused) {
        this.#room.toast(refused.message);
      }
    });
    node.dataset.passwordLink = "";
    return node;
  }

  async #act({ act, label, done, question }, seconds) {
    const id = this.#id;
    if (question && !(await this.#room.confirm(question, label, { danger: true }))) return;
    try {
      await postJSON(`/members/${id}/`, act === "mute" ? { act, seconds } : { act });
      this.#room.toast(done);
      const facts = await this.#fetch();
      if (this.#dialog.open && this.#id === id) this.#redraw(facts, act);
    } catch (refused) {
      this.#room.toast(refused.message);
    }
  }

  // The focus stays on the act's button, or goes to the button in its place now.
  #redraw(facts, act) {
    const at = this.#buttons().findIndex((node) => node.dataset.act === act);
    this.#draw(facts);
    const buttons = this.#buttons();
    (buttons.find((node) => node.dataset.act === act) ?? buttons[at] ?? this.#dialog.querySelector("button")).focus();
  }

  #buttons() {
    return [...this.#body.querySelectorAll("[data-act]")];
  }
}

let styles = null;

// Resolves once the style sheet is loaded or has failed.
function loadStyles() {
  styles ??= new Promise((resolve) => {
    const link = make("link");
    link.rel = "stylesheet";
    link.href = new URL("../../css/member_card.css", import.meta.url).href;
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
    document.head.append(link);
  });
  return styles;
}
