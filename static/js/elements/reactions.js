// Answering by emoji: the row of six in a message's menu, and the counted ones under the message.

import { t } from "../words/words.js";
import { button, make } from "./dom.js";

const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🎉"];

// `choose(emoji)` is called with what was pressed; those that are mine already are marked.
export function reactionRow({ reactions = [] }, me, choose) {
  const row = make("div", "reaction-row");
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", t("react"));
  for (const emoji of EMOJI) {
    const mine = reactions.some((each) => each.emoji === emoji && each.users.includes(me.name));
    const node = button("emoji", emoji, () => choose(emoji));
    node.setAttribute("role", "menuitemcheckbox");
    node.setAttribute("aria-checked", String(mine));
    node.dataset.action = "react";
    node.dataset.emoji = emoji;
    row.append(node);
  }
  return row;
}

// Who it was, for those who cannot hover.
export function namesOf(pressed) {
  return `${pressed.dataset.emoji} ${pressed.title}`;
}
