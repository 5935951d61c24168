// Wires the room: models to the socket, views to the models. It holds no rules of its own.

import { Composer } from "./elements/composer.js";
import { TimelineView } from "./elements/timeline.js";
import { Clock, OrderingWindow } from "./models/clock.js";
import { Dates } from "./models/dates.js";
import { Drafts, Reading } from "./models/memory.js";
import { Outbox } from "./models/outbox.js";
import { mentionsOf } from "./models/text.js";
import { Timeline } from "./models/timeline.js";
import { RoomSocket } from "./net/socket.js";
import { language, t } from "./words/words.js";

const $ = (selector) => document.querySelector(selector);
const present = JSON.parse($("#present").textContent);
const { user: me } = present;
if (present.offline) fromTheCopy();

const clock = new Clock();
clock.learn(present.now_ms);

// What the views share. They know each other only through it.
const room = {
  me,
  ui: present.ui,
  limits: present.limits,
  clock,
  window: new OrderingWindow(clock),
  timeline: new Timeline(),
  outbox: null,
  drafts: new Drafts(me?.id ?? 0),
  reading: new Reading(present.read_id ?? 0, (id) => !room.staleReader && room.socket.send({ type: "read", id })),
  dates: new Dates(language, { today: t("today"), yesterday: t("yesterday") }),
  presence: Object.assign(new EventTarget(), { online: present.online, guests: present.guests, members: present.members, people: present.people }),
  previews: new Map(),
  staleReader: false,
  newVersion: false,
  names,
  mentions: (text) => (me && /[@＠]/.test(text) ? mentionsOf(text, me.name, names()) : []),
  fromCopy: Boolean(present.offline),
  recalledText: (id) => recalled.get(id),
  fetchOlder,
  say: async (words) => (await import("./elements/dialogs.js")).toast(words),
  confirm: async (...asked) => (await import("./elements/dialogs.js")).ask(...asked),
};

// My own words that I have taken back, for as long as this page lives.
const recalled = new Map();
const recalling = new Map();
let greeted = present.seq;

room.timeline.replace(present);
room.socket = new RoomSocket(() => {
  const { protocol, host } = location;
  const { seq, epoch } = room.timeline;
  return `${protocol === "https:" ? "wss" : "ws"}://${host}/ws/chat/?after=${seq}&epoch=${encodeURIComponent(epoch)}`;
}, { mute: !me });

if (me) {
  room.outbox = new Outbox({ deliver, shelf: shelfOf(me.id) });
  room.outbox.interval_ms = intervalOf(present.limits);
}
room.view = new TimelineView(room, {
  list: $("#messages"), newest: $("#newest"), empty: $("#empty"), older: $("#older"),
});
room.view.start();
if (me) room.composer = new Composer(room, $("#composer"));
room.actions = actions();
room.window.set(present.window);
listenToSocket();
room.socket.start();
restoreUnsent();
furnish();

function listenToSocket() {
  const { socket, outbox } = room;
  socket.addEventListener("state", ({ hello }) => {
    if (hello) greet(hello);
    else outbox?.setOnline(false);
    if (socket.state !== "online") clock.doubt();
  });
  socket.addEventListener("frame", ({ frame }) => heard[frame.type]?.(frame));
}

function greet({ now_ms, limits, window, announcement, epoch, seq, user, online, read_id, version }) {
  clock.learn(now_ms);
  greeted = seq;
  room.limits = { ...room.limits, ...limits };
  room.window.set(window);
  showAnnouncement(announcement);
  room.presence.online = online;
  room.presence.dispatchEvent(new Event("change"));
  room.timeline.epoch = epoch;
  room.newVersion = Boolean(version) && version !== myVersion();
  // Someone else logged in, or out, in another tab: this page is still the former reader's.
  room.staleReader = (user?.id ?? null) !== (me?.id ?? null);
  if (!room.outbox) return;
  if (!room.staleReader) room.reading.hear(read_id ?? 0);
  room.outbox.interval_ms = intervalOf(room.limits);
  room.outbox.setOnline(!room.staleReader);
}

// What the server says, by type. Types that we do not know are left alone.
const heard = {
  sync({ complete, messages, first_id }) {
    // `hello` and `sync` are one snapshot: it reaches as far as the greeting said.
    if (complete) room.timeline.catchUp(messages, { seq: greeted, first_id });
    else room.timeline.replace({ messages, seq: greeted, epoch: room.timeline.epoch, first_id });
    settleKnown();
  },
  message({ seq, message }) {
    room.timeline.post(seq, message);
  },
  recall({ seq, id, by }) {
    const was = room.timeline.get(id);
    if (was?.user_id === me?.id && by === me?.name && was?.text) recalled.set(id, was.text);
    room.timeline.withdraw(seq, id, "recalled", by);
    recalling.get(id)?.();
    recalling.delete(id);
  },
  delete({ seq, id, by }) {
    room.timeline.withdraw(seq, id, "deleted", by);
  },
  expire({ ids, first_id }) {
    room.timeline.expire(ids, first_id);
  },
  window({ type, ...window }) {
    clock.learn(window.now_ms);
    room.window.set(window);
  },
  announcement({ image }) {
    showAnnouncement(image);
  },
  limits({ limits, room_name }) {
    room.limits = { ...room.limits, ...limits };
    if (room.outbox) room.outbox.interval_ms = intervalOf(room.limits);
    $(".room-name bdi").textContent = room_name;
  },
  presence({ type, ...presence }) {
    Object.assign(room.presence, presence);
    room.presence.dispatchEvent(new Event("change"));
  },
  typing({ user }) {
    room.members?.typing(user);
  },
  member({ user }) {
    if (user.id === me?.id) Object.assign(me, user);
    room.timeline.renameFaces(user);
  },
  ack({ client_id }) {
    room.outbox?.settle(client_id);
  },
  refused(refusal) {
    if (refusal.client_id) room.outbox?.refuse(refusal.client_id, refusal);
    else if (refusal.code !== "bad_request") room.say(refusal.message);
    recalling.delete(refusal.id);
  },
  pong({ t: sent, now_ms }) {
    clock.learn(now_ms, performance.now() - sent);
  },
};

// Sends one entry of the outbox: words over the socket, pictures over HTTP.
async function deliver(entry) {
  const { client_id, text, reply_to, image } = entry;
  if (!image) {
    room.socket.send({ type: "post", client_id, text, reply_to });
    return;
  }
  try {
    const { upload } = await import("./net/http.js");
    const sending = upload("/post/", { client_id, text, reply_to, image }, (part) => room.outbox.progress(client_id, part));
    entry.abort = sending.abort;
    room.timeline.post(0, await sending);
    room.outbox.settle(client_id);
  } catch (refused) {
    // Whatever has no code never reached the server, not even our own module's request.
    if (refused.code !== "aborted") room.outbox.refuse(client_id, refused.code ? refused : { code: "offline" });
  }
}

function actions() {
  const { socket, timeline } = room;
  return {
    reply: ({ id }) => room.composer.reply(id),
    async copy({ text }) {
      const { copy } = await import("./elements/clipboard.js");
      room.say((await copy(text)) ? t("copied") : t("copy_failed"));
    },
    async download({ image }) {
      const { save } = await import("./elements/clipboard.js");
      save(image);
    },
    recall: ({ id }) => withdraw("recall", id),
    react({ id, reactions = [] }, emoji) {
      const on = !reactions.some((each) => each.emoji === emoji && each.users.includes(me.name));
      if (!socket.send({ type: "react", id, emoji, on })) room.say(t("failed_offline"));
    },
    async remove({ id }) {
      if (await room.confirm(t("delete_question"), t("delete"), { danger: true })) withdraw("delete", id);
    },
    editAgain: (id) => room.composer.putBack(recalled.get(id)),
    // ↑ in an empty field: my last message comes back to be written anew.
    takeBackLast() {
      const last = timeline.lastRecallable(me.id, clock.now());
      if (!last?.text || socket.state !== "online") return false;
      recalling.set(last.id, () => room.composer.putBack(last.text));
      withdraw("recall", last.id);
      return true;
    },
  };
}

// Over the socket while it is there; the form's way otherwise. The room's own event does the rest.
async function withdraw(act, id) {
  if (room.socket.send({ type: act, id })) return;
  const { postJSON } = await import("./net/http.js");
  try {
    await postJSON(`/${act}_message/${id}/`);
  } catch (refused) {
    room.say(refused.message);
  }
}

async function fetchOlder() {
  const { timeline } = room;
  const { getJSON } = await import("./net/http.js");
  const { messages, first_id } = await getJSON(`/api/messages/?before=${timeline.oldestId}&limit=50`);
  const oldest = messages[0]?.id ?? timeline.oldestId;
  timeline.prepend(messages, { first_id, has_more: messages.length > 0 && oldest > first_id });
  return messages.length > 0;
}

async function restoreUnsent() {
  if (!room.outbox) return;
  await room.outbox.restore();
  for (const { client_id, image } of room.outbox.entries) {
    if (image && !room.previews.has(client_id)) room.previews.set(client_id, URL.createObjectURL(image.blob));
  }
  room.view.redraw();
  settleKnown();
}

// What the room already has, from an earlier life of this page, is not sent again.
function settleKnown() {
  if (!room.outbox?.entries.length) return;
  for (const id of room.timeline.ids) {
    const { user_id, client_id } = room.timeline.get(id);
    if (user_id === me.id && client_id) room.outbox.settle(client_id);
  }
}

function shelfOf(user_id) {
  let opened = null;
  const shelf = () => (opened ??= import("./models/shelf.js").then(({ Shelf }) => new Shelf(user_id)));
  return {
    load: async () => (await shelf()).load(),
    save: async (entry) => (await shelf()).save(entry),
    remove: async (client_id) => (await shelf()).remove(client_id),
  };
}

// Administrators are exempt from the interval.
function intervalOf({ send_interval_ms }) {
  return me.role === "administrator" ? 0 : send_interval_ms;
}

// There is no line, and this is the history as this browser kept it (elements/copy.js). What should
// have expired since is not shown; the device's clock is all we have.
function fromTheCopy() {
  present.now_ms = Date.now();
  const oldest_ms = present.now_ms - present.limits.history_ms;
  present.messages = present.messages.filter(({ created_ms }) => created_ms > oldest_ms);
}

// Whom one might call: who is here, and whoever has said something that is shown.
function names() {
  const here = room.presence.people?.map(({ name }) => name) ?? [];
  const authors = room.timeline.ids.map((id) => room.timeline.get(id).user);
  return [...new Set([...here, ...room.presence.members, ...authors])];
}

// The static files' version is part of this module's own address.
function myVersion() {
  return /\/static\/([^/]+)\//.exec(import.meta.url)?.[1];
}

function showAnnouncement(image) {
  for (const opener of document.querySelectorAll("[data-opens=announcement]")) opener.hidden = !image;
  const picture = $("#announcement img");
  if (image) picture.src = image;
  else picture.removeAttribute("src");
}

// All that a reader can do without for the first tenth of a second.
async function furnish() {
  showAnnouncement(present.announcement);
  const { furnishRoom } = await import("./furnishing.js");
  await furnishRoom(room);
}
