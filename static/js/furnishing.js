// The second half of the room: what the first messages need not wait for.

import { wireAttention } from "./elements/attention.js";
import { ConnectionView } from "./elements/connection.js";
import { wireDialogs } from "./elements/dialogs.js";
import { listenForFiles } from "./elements/files.js";
import { aboveTheKeyboard } from "./elements/keyboard.js";
import { MembersView } from "./elements/members.js";
import { OrderingBar } from "./elements/ordering_window.js";
import { listenForMenu } from "./elements/press.js";
import { namesOf } from "./elements/reactions.js";
import { wireTheme } from "./elements/theme.js";
import { wireKeys } from "./elements/keys.js";
import { t } from "./words/words.js";

const FETCH_AHEAD_MS = 1500;
const COPY_AFTER_MS = 4000;

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
  if (room.me) listenForMentions(room);
  if (room.ui === "mobile") aboveTheKeyboard();
  if (room.me) fetchAhead();
  setTimeout(async () => (await import("./elements/copy.js")).keepCopy(room), COPY_AFTER_MS);
  if ($("[data-preset]")) (await import("./elements/presets.js")).wirePresets(room);
}

// One listener on the list serves every message in it.
function wireMessages(room) {
  const list = $("#messages");
  const menu = once(async () => new (await import("./elements/menu.js")).MessageMenu(room, $("#message-menu")));
  const lightbox = once(async () => new (await import("./elements/lightbox.js")).Lightbox(room, $("#lightbox")));
  const messageOf = (node) => room.timeline.get(Number(node.closest("article")?.dataset.id));
  list.addEventListener("click", async ({ target }) => {
    const pressed = target.closest("button");
    if (!pressed) {
      const bubble = target.closest(".bubble");
      if (bubble && !target.closest("a")) bubble.closest("article").classList.toggle("message--tapped");
      return;
    }
    const { action, quick, jump, picture, editAgain, unsent, emoji } = pressed.dataset;
    const message = messageOf(pressed);
    if (action === "menu") (await menu()).open(message, { opener: pressed });
    else if (quick === "reply") room.actions.reply(message);
    else if (jump && !(await room.view.reveal(Number(jump)))) room.say(t("quote_gone"));
    else if (picture !== undefined && message) (await lightbox()).open(message.id);
    else if (emoji && room.me) room.actions.react(message, emoji);
    else if (emoji) room.say(namesOf(pressed));
    else if (editAgain) room.actions.editAgain(Number(editAgain));
    else if (unsent === "retry") room.outbox.retry(clientIdOf(pressed));
    else if (unsent === "discard") takeBack(room, clientIdOf(pressed));
  });
  listenForMenu(list, (article, point, target) => {
    const reaction = target.closest(".reaction");
    if (reaction) {
      room.say(namesOf(reaction));
      return true;
    }
    const message = room.timeline.get(Number(article.dataset.id));
    if (!message || message.state !== "live") return false;
    menu().then((opened) => opened.open(message, { opener: article, point }));
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

// Made when first asked for, and kept; where the module cannot be fetched now, asked for again later.
function once(make) {
  let made = null;
  return () =>
    (made ??= make().catch((failure) => {
      made = null;
      throw failure;
    }));
}

// What must be there when the line is not: writing, sending and acting go on without the server.
function fetchAhead() {
  const ahead = ["./net/http.js", "./elements/menu.js", "./elements/tray.js", "./elements/clipboard.js"];
  setTimeout(() => ahead.forEach((module) => import(module).catch(() => {})), FETCH_AHEAD_MS);
}

// Names are offered from the first @ on; until then nobody needs the module.
function listenForMentions(room) {
  const form = $("#composer");
  const mentions = once(async () => new (await import("./elements/mentions.js")).Mentions(room, form, $("#mentions")));
  const listen = async () => {
    if (!/[@＠]/.test(form.elements.text.value)) return;
    form.elements.text.removeEventListener("input", listen);
    (await mentions()).look();
  };
  form.elements.text.addEventListener("input", listen);
}

function wireOnDemand(room) {
  const search = once(async () => new (await import("./elements/search.js")).Search(room, $("#search")));
  document.addEventListener("click", async ({ target }) => {
    if (target.closest?.("[data-opens=search]")) {
      search();
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
