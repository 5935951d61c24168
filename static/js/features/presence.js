// Who is online: the count in the header, and the list of members.

import { badge, button, face, make } from "../elements/dom.js";
import { t } from "../words/words.js";

export function start(room) {
  const { presence } = room;
  const changed = () => presence.dispatchEvent(new Event("change"));
  room.onHello(({ online }) => {
    presence.online = online;
    changed();
  });
  room.onFrame("presence", ({ type, ...counts }) => {
    Object.assign(presence, counts);
    changed();
  });
  new MembersList(room);
}

class MembersList {
  #room;
  // These members are online, but their avatar and role are not known until their first message.
  #unknown = new Set();

  constructor(room) {
    this.#room = room;
    room.presence.addEventListener("change", () => this.#draw());
    room.timeline.addEventListener("change", ({ detail }) => {
      if (detail.authors) this.#drawOwn();
      if (detail.authors || detail.posted?.some(({ user }) => this.#unknown.has(user))) this.#draw();
    });
    this.#draw();
  }

  #draw() {
    const { online, guests, members, people } = this.#room.presence;
    this.#unknown.clear();
    for (const node of document.querySelectorAll("[data-online]")) node.textContent = online;
    for (const node of document.querySelectorAll("[data-guests]")) {
      node.hidden = guests === 0;
      node.textContent = t("guests", { count: guests });
    }
    for (const list of document.querySelectorAll("[data-members]")) {
      list.replaceChildren(...(people ?? members.map((name) => this.#memberOf(name))).map(row));
    }
  }

  // A presence frame has names only; avatars and roles are taken from the messages of these members.
  #memberOf(name) {
    const { me, timeline } = this.#room;
    if (me?.name === name) return me;
    for (let i = timeline.ids.length - 1; i >= 0; i -= 1) {
      const message = timeline.get(timeline.ids[i]);
      if (message.user === name) return { id: message.user_id, name, role: message.role, avatar: message.avatar };
    }
    this.#unknown.add(name);
    return { isUnknown: true, id: [...name].reduce((sum, glyph) => sum + glyph.codePointAt(0), 0), name, role: "member", avatar: "" };
  }

  // A guest has neither avatar nor name.
  #drawOwn() {
    document.querySelector(".room-me")?.replaceChildren(face(this.#room.me));
    const name = document.querySelector(".own-name bdi");
    if (name) name.textContent = this.#room.me.name;
  }
}

function row(member) {
  const node = make("li", "member");
  const parts = [face(member), make("bdi", "member-name", member.name), badge(member.role)];
  if (member.isUnknown) {
    node.append(...parts);
    return node;
  }
  const opener = button("member-open");
  opener.dataset.member = member.id;
  opener.setAttribute("aria-haspopup", "dialog");
  opener.append(...parts);
  node.append(opener);
  return node;
}
