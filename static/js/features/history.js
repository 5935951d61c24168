// The history of the room: messages as they are posted, those since the page was last connected, older
// ones on request, and the expiry of the oldest.

import { t } from "../words/words.js";

const PAGE = 50;

export function start(room) {
  const { timeline } = room;
  let helloSeq = room.page.seq;
  room.onHello(({ seq }) => (helloSeq = seq));
  // `hello` and `sync` are one snapshot: it reaches up to the seq that hello gave.
  room.onFrame("sync", ({ complete, messages, first_id }) => {
    if (complete) timeline.catchUp(messages, { seq: helloSeq, first_id });
    else timeline.replace({ messages, seq: helloSeq, epoch: timeline.epoch, first_id });
  });
  room.onFrame("message", ({ seq, message }) => timeline.post(seq, message));
  room.onFrame("expire", ({ ids, first_id }) => timeline.expire(ids, first_id));
  room.onFrame("member", ({ user, was }) => {
    // A role decides what the page is made of. The draft, unsent messages and the place in the room outlive it.
    if (user.id === room.me?.id && user.role !== room.me.role) location.reload();
    if (user.id === room.me?.id) Object.assign(room.me, user);
    timeline.updateAuthor(user, was);
  });
  room.onClick("#messages [data-jump]", async ({ dataset }) => {
    if (!(await room.view.reveal(Number(dataset.jump)))) room.toast(t("quote_gone"));
  });
}

// Resolves to whether there were any.
export async function fetchOlder({ timeline }) {
  const { getJSON } = await import("../net/http.js");
  const { messages, first_id } = await getJSON(`/api/messages/?before=${timeline.oldestId}&limit=${PAGE}`);
  const oldest = messages[0]?.id ?? timeline.oldestId;
  timeline.prepend(messages, { first_id, has_more: messages.length > 0 && oldest > first_id });
  return messages.length > 0;
}
