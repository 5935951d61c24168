// Deleting a message, by its author or an administrator. Unlike a recall it leaves no notice.

import { t } from "../words/words.js";

export function start(room) {
  room.onFrame("delete", ({ seq, id, by }) => room.timeline.remove(seq, id, "deleted", by));
  room.actions.delete = async ({ id }) => {
    if (!(await room.confirm(t("delete_question"), t("delete"), { danger: true }))) return;
    (await import("../net/request.js")).request(room, "delete", id);
  };
}

// The choice in a message's menu (elements/message_menu.js).
export function choice({ me, actions }, message) {
  // To delete an order would withdraw it, and features/order.js offers that.
  if (!me || message.kind === "order" || (me.id !== message.user_id && me.role !== "administrator")) return null;
  return { action: "delete", label: t("delete"), glyph: "trash", run: () => actions.delete(message) };
}
