// The number of messages that arrived while the page was hidden: in its title and on its icon.

import { postedByOthers } from "../models/timeline.js";

export function start(room) {
  const name = document.querySelector(".room-name");
  let unread = 0;
  const draw = async () => {
    document.title = unread ? `(${unread}) ${name.textContent}` : name.textContent;
    const { drawBadge } = await import("../elements/icon_badge.js");
    drawBadge(unread);
  };
  // The room's name can change while the page is open.
  new MutationObserver(draw).observe(name, { childList: true, subtree: true });
  room.timeline.addEventListener("change", ({ detail }) => {
    if (!document.hidden) return;
    const others = postedByOthers(detail, room.me);
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
