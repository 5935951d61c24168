// Who is here: the count in the header, and the list.

import { t } from "../words/words.js";
import { badge, face, make } from "./dom.js";

const TYPING_MS = 5000;

export class MembersView {
  #room;
  #typing = new Map();
  #timer = 0;
  // Members whose faces we do not know yet: their first message shows them.
  #strangers = new Set();

  constructor(room) {
    this.#room = room;
    room.presence.addEventListener("change", () => this.#draw());
    room.timeline.addEventListener("change", ({ detail }) => {
      const posted = detail.posted ?? [];
      for (const { user } of posted) this.#stopped(user);
      if (detail.faces) this.#drawOwnFace();
      if (detail.faces || posted.some(({ user }) => this.#strangers.has(user))) this.#draw();
    });
    this.#draw();
  }

  // A member who types is shown for a few seconds, or until their message is here.
  typing(user) {
    if (user === this.#room.me?.name) return;
    this.#typing.set(user, performance.now() + TYPING_MS);
    this.#drawTyping();
  }

  #stopped(user) {
    if (this.#typing.delete(user)) this.#drawTyping();
  }

  #draw() {
    const { online, guests, members, people } = this.#room.presence;
    this.#strangers.clear();
    for (const node of document.querySelectorAll("[data-online]")) node.textContent = online;
    for (const node of document.querySelectorAll("[data-guests]")) {
      node.hidden = guests === 0;
      node.textContent = t("guests", { count: guests });
    }
    for (const list of document.querySelectorAll("[data-members]")) {
      list.replaceChildren(...(people ?? members.map((name) => this.#known(name))).map(row));
    }
  }

  // Presence says names; faces and roles are known from what these members have said.
  #known(name) {
    const { me, timeline } = this.#room;
    if (me?.name === name) return me;
    for (let i = timeline.ids.length - 1; i >= 0; i -= 1) {
      const message = timeline.get(timeline.ids[i]);
      if (message.user === name) return { id: message.user_id, name, role: message.role, avatar: message.avatar };
    }
    this.#strangers.add(name);
    return { id: [...name].reduce((sum, glyph) => sum + glyph.codePointAt(0), 0), name, role: "member", avatar: "" };
  }

  #drawOwnFace() {
    document.querySelector(".room-me")?.replaceChildren(face(this.#room.me));
  }

  #drawTyping() {
    clearTimeout(this.#timer);
    const now = performance.now();
    for (const [user, until] of this.#typing) if (until <= now) this.#typing.delete(user);
    const names = [...this.#typing.keys()];
    const line = document.getElementById("typing");
    line.textContent = typingWords(names);
    if (names.length) this.#timer = setTimeout(() => this.#drawTyping(), Math.min(...this.#typing.values()) - now + 20);
  }
}

function typingWords(names) {
  const [name, other] = names;
  if (names.length > 2) return t("typing_many", { count: names.length });
  if (other) return t("typing_two", { name, other });
  return name ? t("typing", { name }) : "";
}

function row(member) {
  const node = make("li", "member");
  node.append(face(member), make("bdi", "member-name", member.name), badge(member.role, t("administrator")) ?? "");
  return node;
}
