// What waits for the reader while they look elsewhere: a number before the page's title.

export function wireAttention(room) {
  const title = document.title;
  let unread = 0;
  const draw = () => (document.title = unread ? `(${unread}) ${title}` : title);
  room.timeline.addEventListener("change", ({ detail }) => {
    if (!document.hidden) return;
    const others = (detail.posted ?? []).filter(({ user_id }) => user_id !== room.me?.id);
    if (others.length === 0) return;
    unread += others.length;
    draw();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    unread = 0;
    draw();
  });
}
