// Reactions: the row of emoji in a message's menu, and a click on those under a message.
// Which emoji there are is the server's: it sends them with the page. Their frame is handled with those of the history
// (features/history.js).

import { button, make } from "../elements/dom.js";
import { t } from "../words/words.js";

// A reaction under a message was pressed.
export function open(room, pressed, message) {
  if (room.me && !room.isMuted()) react(room, message, pressed.dataset.emoji);
  else room.toast(namesOf(pressed));
}

// Adds the member's reaction, or takes it away.
export function react({ me, socket, toast }, { id, reactions }, emoji) {
  if (!socket.send({ type: "react", id, emoji, on: !isMine(reactions, emoji, me) })) toast(t("failed_offline"));
}

// `choose(emoji)` is called with the one that was pressed; the member's own are marked.
export function reactionRow({ me, page }, { reactions }, choose) {
  const row = make("div", "reaction-row");
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", t("react"));
  for (const emoji of page.reactions ?? []) { // an older version's offline copy has none
    const node = button("emoji", emoji, () => choose(emoji));
    node.setAttribute("role", "menuitemcheckbox");
    node.setAttribute("aria-checked", String(isMine(reactions, emoji, me)));
    node.dataset.action = "react";
    node.dataset.emoji = emoji;
    row.append(node);
  }
  return row;
}

// Who reacted, for touch screens, which show no title.
export function namesOf(pressed) {
  return `${pressed.dataset.emoji} ${pressed.title}`;
}

function isMine(reactions = [], emoji, me) {
  return reactions.some((each) => each.emoji === emoji && each.users.includes(me.name));
}
