// Who is typing: sends a frame while this member writes, and shows a line that names the others.

import { t } from "../words/words.js";

const SEND_EVERY_MS = 3000;
const SHOWN_MS = 5000;

export function start(room) {
  const line = new TypingLine(document.getElementById("typing"));
  room.onFrame("typing", ({ user }, missed) => {
    const isOver = missed && room.timeline.newest((message) => message.user === user)?.id > missed.newestId;
    if (user !== room.me?.name && !isOver) line.add(user, missed?.age_ms ?? 0);
  });
  room.timeline.addEventListener("change", ({ detail }) => {
    for (const { user } of detail.posted ?? []) line.remove(user);
  });
  if (room.me) sendWhileWriting(room);
}

function sendWhileWriting({ composer, socket }) {
  let sentAt = -Infinity;
  const tell = () => {
    const now = performance.now();
    if (!composer.text || now - sentAt <= SEND_EVERY_MS) return;
    sentAt = now;
    socket.send({ type: "typing" });
  };
  composer.addEventListener("change", tell);
  if (performance.now() - composer.changedAt <= SEND_EVERY_MS) tell();
}

// A name is shown for a few seconds after its last frame, or until its message arrives.
class TypingLine {
  #line;
  #until = new Map();
  #timer = 0;

  constructor(line) {
    this.#line = line;
  }

  add(user, age_ms) {
    this.#until.set(user, performance.now() + SHOWN_MS - age_ms);
    this.#draw();
  }

  remove(user) {
    if (this.#until.delete(user)) this.#draw();
  }

  #draw() {
    clearTimeout(this.#timer);
    const now = performance.now();
    for (const [user, until] of this.#until) if (until <= now) this.#until.delete(user);
    this.#line.textContent = sentence([...this.#until.keys()]);
    if (this.#until.size) this.#timer = setTimeout(() => this.#draw(), Math.min(...this.#until.values()) - now + 20);
  }
}

function sentence(names) {
  const [name, other] = names;
  if (names.length > 2) return t("typing_many", { count: names.length });
  if (other) return t("typing_two", { name, other });
  return name ? t("typing", { name }) : "";
}
