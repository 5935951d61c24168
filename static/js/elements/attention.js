// What waits for the reader while they look elsewhere: a number before the page's title.

export function wireAttention(room) {
  const name = document.querySelector(".room-name");
  let unread = 0;
  const draw = () => (document.title = unread ? `(${unread}) ${name.textContent}` : name.textContent);
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
    if (document.hidden) return;
    unread = 0;
    draw();
  });
}
