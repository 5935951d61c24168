// Recalls a message: the choice in its menu, the frame "recall", and the recalled text, which its author
// can put back into the field.

import { secondsLeft } from "../models/clock.js";
import { t } from "../words/words.js";

// Whether to offer the recall of `message` to `me`. The decision is the server's, which checks again
// (chatserver/features/messages/recall.py); this is the only place where the page repeats its rule, so
// that a member is not offered a recall that would be refused.
function canRecall(message, me, now_ms) {
  if (!me || message.state !== "live") return false;
  return me.role === "administrator" || (message.user_id === me.id && secondsLeft(message.recall_until_ms, now_ms) > 0);
}

export function start(room) {
  const { timeline, actions, composer, me } = room;
  // The member's own recalled texts, for as long as the page is open.
  const recalledTexts = new Map();
  room.recalledText = (id) => recalledTexts.get(id);
  room.onFrame("recall", ({ seq, id, by }) => {
    const message = timeline.get(id);
    if (message?.user_id === me?.id && by === me?.name && message?.text) recalledTexts.set(id, message.text);
    timeline.remove(seq, id, "recalled", by);
  });
  if (!me) return;
  actions.recall = async ({ id }) => (await import("../net/request.js")).request(room, "recall", id);
  room.onClick("#messages [data-edit-again]", ({ dataset }) => composer.restoreText(recalledTexts.get(Number(dataset.editAgain))));
}

// The choice in a message's menu (elements/message_menu.js).
export function choice(room, message) {
  // features/order.js offers to withdraw an order.
  if (message.kind === "order" || !canRecall(message, room.me, room.now())) return null;
  const tick = () => {
    const seconds = secondsLeft(message.recall_until_ms, room.now());
    return seconds > 0 && t("recall_within", { seconds });
  };
  const isLimited = room.me.role !== "administrator";
  return { action: "recall", label: t("recall"), glyph: "recall", run: () => room.actions.recall(message), tick: isLimited && tick };
}

// Recalls all pictures of its album that can still be recalled, if there are several.
export function albumChoice(room, message) {
  const { timeline, me, actions } = room;
  if (!message.album) return null;
  const album = timeline.ids.map((id) => timeline.get(id)).filter((each) => each.album === message.album);
  const own = album.filter((each) => canRecall(each, me, room.now()));
  if (own.length < 2) return null;
  const run = () => own.forEach((each) => actions.recall(each));
  return { action: "recall-album", label: t("recall_album", { count: own.length }), glyph: "recall", run };
}
