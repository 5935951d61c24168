// What waits for the reader while they look elsewhere: a number before the page's title and on its
// icon; where they switched it on, a notification and a sound.

import { Switches } from "./switches.js";

export function wireAttention(room) {
  wireUnread(room);
  const switches = new Switches(room);
  const away = () => document.hidden || !document.hasFocus();
  room.timeline.addEventListener("change", ({ detail }) => {
    const others = (detail.posted ?? []).filter(({ user_id }) => user_id !== room.me?.id);
    const meant = others.findLast(({ text }) => room.mentions(text).length > 0);
    if (meant && away()) switches.notifyMention(meant);
    if (meant || (others.length && away())) switches.ring();
  });
  let last = room.window.current?.id;
  room.window.addEventListener("change", () => {
    const { current, isOpen } = room.window;
    // A window whose end is moved is the same window.
    if (!isOpen || current.id === last) return;
    last = current.id;
    if (away()) switches.notifyOrdering(current);
    switches.ring();
  });
}

function wireUnread(room) {
  const name = document.querySelector(".room-name");
  let unread = 0;
  const draw = async () => {
    document.title = unread ? `(${unread}) ${name.textContent}` : name.textContent;
    const { drawBadge } = await import("./icon.js");
    drawBadge(unread);
  };
  // The room may be given another name while this page is open.
  new MutationObserver(draw).observe(name, { childList: true, subtree: true });
  room.timeline.addEventListener("change", ({ detail }) => {
    if (!document.hidden) return;
    const others = (detail.posted ?? []).filter(({ user_id }) => user_id !== room.me?.id);
    if (others.length === 0) return;
    unread += others.length;
    draw();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || unread === 0) return;
    unread = 0;
    draw();
  });
}
