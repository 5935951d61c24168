// Opens the menu of a message: by its ⋯ button, on a phone its time, a right click, a long press, or the keyboard. The
// menu itself (elements/message_menu.js) is loaded when it is first opened.

import { listenForMenu } from "../elements/long_press.js";
import { namesOf } from "./react.js";

let menu = null;

export function start(room) {
  room.onClick("#messages [data-action=menu]", (opener, message) => open(room, message, { opener }));
  listenForMenu(document.getElementById("messages"), (article, point, target) => {
    const reaction = target.closest(".reaction");
    if (reaction) {
      room.toast(namesOf(reaction));
      return true;
    }
    const message = room.timeline.get(Number(article.dataset.id));
    if (!message || message.state !== "live") return false;
    open(room, message, { opener: article, point });
    return true;
  });
}

async function open(room, message, where) {
  const { MessageMenu } = await import("../elements/message_menu.js");
  menu ??= new MessageMenu(room, document.getElementById("message-menu"));
  menu.open(message, where);
}
