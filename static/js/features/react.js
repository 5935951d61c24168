// Reactions: the row of emoji in a message's menu, and a click on those under a message.
// The server decides which emoji there are, and sends them with the page.

import { button, make } from "../elements/dom.js";
import { t } from "../words/words.js";

export function start(room) {
  const { me, socket, actions, timeline, toast } = room;
  room.onFrame("reactions", ({ seq, id, reactions }) => timeline.react(seq, id, reactions));
  actions.react = ({ id, reactions }, emoji) => {
    if (!socket.send({ type: "react", id, emoji, on: !isMine(reactions, emoji, me) })) toast(t("failed_offline"));
  };
  room.onClick("#messages .reaction", (pressed, message) => {
    if (me && !room.isMuted()) actions.react(message, pressed.dataset.emoji);
    else toast(namesOf(pressed));
  });
}

// `choose(emoji)` is called with the pressed emoji; the member's own reactions are marked.
export function reactionRow({ me, page }, { reactions }, choose) {
  const row = make("div", "reaction-row");
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", t("react"));
  for (const emoji of page.reactions ?? []) { // the offline copy of an older version has no reactions
    const node = button("emoji", emoji, () => choose(emoji));
    node.setAttribute("role", "menuitemcheckbox");
    node.setAttribute("aria-checked", String(isMine(reactions, emoji, me)));
    node.dataset.action = "react";
    node.dataset.emoji = emoji;
    row.append(node);
  }
  return row;
}

// Shows who reacted. A title is not enough, because touch screens do not show it.
export function namesOf(pressed) {
  return `${pressed.dataset.emoji} ${pressed.title}`;
}

function isMine(reactions = [], emoji, me) {
  return reactions.some((each) => each.emoji === emoji && each.users.includes(me.name));
}
