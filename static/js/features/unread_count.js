// Shows, in the title and on the icon, the number of messages that arrived while the page was hidden and have not been
// read on any device; in the title with an @ if one mentions the reader. Messages that have been recalled, deleted or
// expired since do not count.

import { arrivedUnread, postedByOthers } from "../models/timeline.js";

const NONE = { text: "" };

export function start(room) {
  const name = document.querySelector(".room-name");
  const unread = new Set();
  const draw = async () => {
    const isMentioned = [...unread].some((id) => room.mentions(room.timeline.get(id) ?? NONE).length > 0);
    document.title = unread.size ? `(${isMentioned ? "@" : ""}${unread.size}) ${name.textContent}` : name.textContent;
    const { drawBadge } = await import("../elements/icon_badge.js");
    drawBadge(unread.size);
  };
  const forget = (isOver) => {
    const before = unread.size;
    for (const id of unread) if (isOver(id)) unread.delete(id);
    if (unread.size !== before) draw();
  };
  // The room's name can change while the page is open.
  new MutationObserver(draw).observe(name, { childList: true, subtree: true });
  const count = (detail) => {
    if (!document.hidden) return;
    const others = postedByOthers(detail, room.me);
    for (const { id } of others) unread.add(id);
    if (others.length) draw();
  };
  room.timeline.addEventListener("change", ({ detail }) => {
    forget((id) => room.timeline.isGone(id));
    count(detail);
  });
  room.view.addEventListener("read", () => forget((id) => id <= room.view.lastRead));
  document.addEventListener("visibilitychange", () => document.hidden || forget(() => true));
  count({ posted: arrivedUnread(room) });
  if (document.title !== name.textContent && !unread.size) draw();
}
