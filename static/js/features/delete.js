// Deleting a message, by its author or an administrator. Unlike a recall it leaves no notice. Loaded with the menu of messages;
// its frame is handled with those of the history (features/history.js).

import { t } from "../words/words.js";

// The choice in a message's menu (elements/message_menu.js).
export function choice(room, message) {
  const { me } = room;
  // Deleting an order withdraws it: it is offered under that name alone (features/order.js).
  if (!me || message.kind === "order" || (me.id !== message.user_id && me.role !== "administrator")) return null;
  return { action: "delete", label: t("delete"), glyph: "trash", run: () => remove(room, message) };
}

async function remove(room, { id }) {
  if (!(await room.confirm(t("delete_question"), t("delete"), { danger: true }))) return;
  (await import("../net/request.js")).request(room, "delete", id);
}
