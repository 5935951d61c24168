// The history of the room: new messages, the messages missed since the last connection, older messages on
// request, and the expiry of the oldest.

import { t } from "../words/words.js";

const PAGE = 50;

export function start(room) {
  const { timeline } = room;
  let helloSeq = room.page.seq;
  room.onHello(({ seq }) => (helloSeq = seq));
  // `hello` and `sync` are one snapshot of the room at the seq in `hello`.
  room.onFrame("sync", ({ complete, messages, first_id }) => {
    if (complete) timeline.catchUp(messages, { seq: helloSeq, first_id });
    else timeline.replace({ messages, seq: helloSeq, epoch: timeline.epoch, first_id });
  });
  room.onFrame("message", ({ seq, message }) => timeline.post(seq, message));
  room.onFrame("expire", ({ ids, first_id }) => timeline.expire(ids, first_id));
  room.onFrame("member", ({ user, was }) => {
    // The page depends on the role. The draft, unsent messages and the read position survive a reload.
    if (user.id === room.me?.id && user.role !== room.me.role) location.reload();
    if (user.id === room.me?.id) Object.assign(room.me, user);
    timeline.updateAuthor(user, was);
  });
  room.onClick("#messages [data-jump]", async ({ dataset }) => {
    if (!(await room.view.reveal(Number(dataset.jump)))) room.toast(t("quote_gone"));
  });
}

// Resolves to true if there were older messages.
export async function fetchOlder({ timeline }) {
  const { getJSON } = await import("../net/http.js");
  const { messages, first_id } = await getJSON(`/api/messages/?before=${timeline.oldestId}&limit=${PAGE}`);
  const oldest = messages[0]?.id ?? timeline.oldestId;
  timeline.prepend(messages, { first_id, has_more: messages.length > 0 && oldest > first_id });
  return messages.length > 0;
}
