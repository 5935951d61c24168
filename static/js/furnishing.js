// The second half of the room: what the first messages need not wait for.

import { wireAttention } from "./elements/attention.js";
import { ConnectionView } from "./elements/connection.js";
import { wireDialogs } from "./elements/dialogs.js";
import { listenForFiles } from "./elements/files.js";
import { aboveTheKeyboard } from "./elements/keyboard.js";
import { MembersView } from "./elements/members.js";
import { listenForMenu, MessageMenu } from "./elements/menu.js";
import { OrderingBar } from "./elements/ordering_window.js";
import { wireTheme } from "./elements/theme.js";
import { wireKeys } from "./elements/keys.js";
import { t } from "./words/words.js";

const $ = (selector) => document.querySelector(selector);

export async function furnishRoom(room) {
  new ConnectionView(room, { dot: $("#connection"), banner: $("#banner") });
  new OrderingBar(room, { root: $("#ordering"), announcer: $("#announcer") });
  room.members = new MembersView(room);
  wireDialogs();
  wireTheme();
  wireAttention(room);
  wireKeys(room);
  wireMessages(room);
  wireOnDemand(room);
  if (room.me) listenForFiles(room);
  if (room.ui === "mobile") aboveTheKeyboard();
  if ($("[data-preset]")) (await import("./elements/presets.js")).wirePresets(room);
}

// One listener on the list serves every message in it.
function wireMessages(room) {
  const list = $("#messages");
  const menu = new MessageMenu(room, $("#message-menu"));
  const messageOf = (node) => room.timeline.get(Number(node.closest("article")?.dataset.id));
  list.addEventListener("click", async ({ target }) => {
    const pressed = target.closest("button");
    if (!pressed) {
      const bubble = target.closest(".bubble");
      if (bubble && !target.closest("a")) bubble.closest("article").classList.toggle("message--tapped");
      return;
    }
    const { action, quick, jump, picture, editAgain, unsent } = pressed.dataset;
    const message = messageOf(pressed);
    if (action === "menu") menu.open(message, { opener: pressed });
    else if (quick === "reply") room.actions.reply(message);
    else if (jump && !(await room.view.reveal(Number(jump)))) room.say(t("quote_gone"));
    else if (picture !== undefined && message) (await lightbox(room)).open(message.id);
    else if (editAgain) room.actions.editAgain(Number(editAgain));
    else if (unsent === "retry") room.outbox.retry(clientIdOf(pressed));
    else if (unsent === "discard") takeBack(room, clientIdOf(pressed));
  });
  listenForMenu(list, (article, point) => {
    const message = room.timeline.get(Number(article.dataset.id));
    if (!message || message.state !== "live") return false;
    menu.open(message, { opener: article, point });
    return true;
  });
}

// An unsent message goes back to where it was written.
function takeBack(room, client_id) {
  const entry = room.outbox.discard(client_id);
  if (entry?.text) room.composer.putBack(entry.text);
}

function clientIdOf(node) {
  return node.closest("article").dataset.clientId;
}

let opened = null;

async function lightbox(room) {
  const { Lightbox } = await import("./elements/lightbox.js");
  return (opened ??= new Lightbox(room, $("#lightbox")));
}

function wireOnDemand(room) {
  let search = null;
  document.addEventListener("click", async ({ target }) => {
    if (target.closest?.("[data-opens=search]")) {
      const { Search } = await import("./elements/search.js");
      search ??= new Search(room, $("#search"));
    } else if (target.closest?.("[data-opens=emoji]")) {
      const { fillEmoji } = await import("./elements/emoji.js");
      fillEmoji($("#emoji .emoji-panel"), (glyph) => {
        $("#emoji").close();
        room.composer.insert(glyph);
        room.composer.focus();
      });
    }
  });
}
