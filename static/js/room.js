// The room page. It draws the messages that came with the page, then connects and loads the
// features. The modules that the first drawing needs are imported statically and preloaded
// (templates/partials/head.html): with the style sheet and the sentences they are at most 8 requests.
//
// A feature is a file in features/ that exports start(room), or open(room, clicked, message) if it is
// loaded when it is first used. Features know each other only through the `room` object.

import { button, mentionsFor } from "./elements/dom.js";
import { TimelineView } from "./elements/timeline.js";
import { Timeline } from "./models/timeline.js";
import { Dates, t } from "./words/words.js";

// Features that handle frames or write messages, started in this order, before any frame is handled.
const WITH_FRAMES = [
  "features/settings", "features/announcement", "features/presence", "features/history", "features/post",
  ...(isMember() ? ["features/reply", "features/drafts", "features/attachments"] : []),
  "features/ordering", "features/recall", "features/delete", "features/react",
  ...(isMember() ? ["features/read"] : []),
  "features/connection",
];
// Features that can wait until the page is online: on a slow line they would delay it.
const OTHERS = [
  "elements/dialogs", "elements/on_screen_keyboard", "features/menu", "features/typing",
  "features/theme", "features/unread_count", "features/notifications", "features/shortcuts",
  ...(isMember() ? ["features/mention"] : []),
  // The menu imports these modules.
  "elements/long_press",
];
// Imported by these features; named here so that one round trip fetches them all.
const IMPORTED = ["models/outbox", "elements/composer"];
// Loaded when an element that matches is first clicked.
const ON_CLICK = [
  ["#messages [data-picture]", "features/lightbox"],
  ["[data-opens=search]", "features/search"],
  ["[data-opens=emoji]", "features/emoji"],
  ["[data-opens=notice-editor]", "features/notice_editor"],
  ["[data-preset], [data-preset-replace]", "features/presets"],
  ["[data-all-members]", "features/member_list"],
  ["#messages .message-face > *, #messages .message-who, [data-member]", "features/member_card"],
];
// Loaded at the first such event of the composer.
const ON_COMPOSER = [["up", "features/edit"]];
// Fields that use cases add to a message (chatserver/core/model.py). While such a field holds a time, its word is shown
// beside the message: the sentences mark_WORD, mark_WORD_at for the title, mark_WORD_kind for the name of the message.
const MARKS = [["edited_ms", "edited"]];
const OFFLINE_COPY_AFTER_MS = 4000;
// Menus and pictures wait at most this long for the connection.
const SETTLED_AFTER_MS = 1500;
// Fetched before they are used, so that they work without a connection.
const PREFETCHED = ["net/http", "net/request", "elements/message_menu", "elements/order_sheet", "models/amounts"];
const PREFETCH_AFTER_MS = 1500;

const startedAt = performance.now();
const $ = (selector) => document.querySelector(selector);
const page = JSON.parse($("#page-data").textContent);
const { user: me } = page;
// Remove the part for browsers without scripts, because a message that is recalled later would stay in it.
$("noscript[data-plain]")?.remove();
if (page.offline) dropExpired();

const frameHandlers = new Map();
const helloHandlers = [];
const clickHandlers = [];
// Events from before their feature was started: clicked elements, the last key, and frames of a type without a handler.
// The feature gets them when it registers. Null once all features are started.
let early = { clicks: new Set(), key: null, frames: [] };
let settle;

const room = {
  me,
  ui: page.ui,
  page,
  limits: page.limits,
  timeline: new Timeline(MARKS),
  dates: new Dates(),
  previews: new Map(),
  // Resolved once a connection is made or has failed, or after SETTLED_AFTER_MS. Pictures wait for it, so that on a
  // slow line the room is live first.
  settled: new Promise((resolve) => (settle = resolve)),
  presence: Object.assign(new EventTarget(), { online: page.online, guests: page.guests, members: page.members, people: page.people }),
  fromOfflineCopy: Boolean(page.offline),
  // Another account has logged in, or this one logged out, in another tab.
  userChanged: false,
  // The member has logged out, so nothing is stored any more.
  isLeaving: false,
  newVersion: false,
  // Set by the features; null for a guest, or until they are started.
  clock: null,
  window: null,
  planned: null,
  notice: null,
  socket: null,
  outbox: null,
  composer: null,
  reply: null,
  attachments: null,
  // The reader's actions by name, added by the features.
  actions: {},
  mutedUntil_ms: 0,
  isMuted: () => room.mutedUntil_ms > room.now(),
  now: () => room.clock?.now() ?? page.now_ms + performance.now() - startedAt,
  names,
  openWindow,
  mentions: (message) => mentionsFor(message, me, names),
  recalledText: () => undefined,
  fetchOlder: async () => (await import("./features/history.js")).fetchOlder(room),
  toast: async (text) => (await import("./elements/dialogs.js")).toast(text),
  confirm: async (...question) => (await import("./elements/dialogs.js")).ask(...question),
  // handler(frame, missed). If the frame arrived before the handler was registered, `missed` is {age_ms, newestId}: how
  // long ago that was, and the newest message then.
  onFrame,
  onHello: (handler) => helloHandlers.push(handler),
  // handler(clicked, message, target)
  onClick,
  onKey,
};

document.addEventListener("click", rememberClick, { capture: true });
document.addEventListener("keydown", rememberKey, { capture: true });
document.addEventListener("submit", ({ target }) => (room.isLeaving ||= target.getAttribute("action") === "/logout/"));
room.timeline.replace(page);
room.view = new TimelineView(room, {
  list: $("#messages"), newest: $("#newest"), empty: $("#empty"), older: $("#older"),
});
room.view.start(page.read_id ?? 0);
startFeatures().catch((error) => onFailed(error, { isUsable: false }));

async function startFeatures() {
  const connecting = connect();
  const [{ Clock }, ...features] = await load(["models/clock", ...WITH_FRAMES, ...IMPORTED]);
  await connecting;
  room.clock = new Clock();
  room.clock.addSample(page.now_ms, Infinity, startedAt);
  room.socket.addEventListener("state", onState);
  room.socket.addEventListener("frame", ({ frame }) => deliver(frame));
  room.onFrame("pong", ({ t: sent_ms, now_ms }) => room.clock.addSample(now_ms, performance.now() - sent_ms));
  start(features);
  for (const [selector, name] of ON_CLICK) {
    room.onClick(selector, (clicked, message) => openFeature(name, clicked, message));
  }
  for (const [event, name] of ON_COMPOSER) room.composer?.addEventListener(event, () => openFeature(name));
  showPlanned(page.planned);
  room.onHello(({ planned }) => showPlanned(planned));
  room.onFrame("planned", ({ planned }) => showPlanned(planned));
  showNotice(page.notice);
  room.onHello(({ notice }) => showNotice(notice));
  room.onFrame("notice", ({ type, ...notice }) => showNotice(notice));
  showMute(page.muted_until_ms);
  room.onHello(({ muted_until_ms }) => showMute(muted_until_ms));
  room.onFrame("muted", ({ until_ms }) => showMute(until_ms, { isNews: true }));
  document.addEventListener("click", ({ target }) => clickHandlers.forEach((each) => serve(target, each)));
  document.documentElement.dataset.started = "";
  if (room.socket.state !== "connecting") settle();
  setTimeout(settle, SETTLED_AFTER_MS);
  room.socket.deliver();
  await room.settled;
  loadTheRest().catch((error) => onFailed(error, { isUsable: true })).finally(forgetEarly);
}

// Many rooms have no notice, so its feature is loaded with the first notice.
async function showNotice(notice) {
  const before = room.notice;
  room.notice = notice?.text ? notice : null;
  if (before || room.notice) (await import("./features/notice.js")).show(room);
}

// While the member is muted, a text replaces the composer: loaded with the first mute.
async function showMute(until_ms = 0, { isNews = false } = {}) {
  const before = room.mutedUntil_ms;
  room.mutedUntil_ms = until_ms;
  if (before || until_ms) (await import("./features/muted.js")).show(room, isNews);
}

// The next planned window: loaded with the first plan.
async function showPlanned(planned = null) {
  const before = room.planned;
  room.planned = planned;
  if (before || planned) (await import("./features/planned.js")).show(room);
}

async function loadTheRest() {
  start(await load(OTHERS));
  const prefetched = [...PREFETCHED, ...($("[data-preset]") ? ["features/presets"] : [])];
  if (me) setTimeout(() => load(prefetched).catch(() => {}), PREFETCH_AFTER_MS);
  setTimeout(() => load(["features/offline_copy"]).then(([{ keepCopy }]) => keepCopy(room), () => {}), OFFLINE_COPY_AFTER_MS);
}

async function openFeature(name, clicked, message) {
  try {
    (await import(`./${name}.js`)).open(room, clicked, message);
  } catch (error) {
    room.toast(t("failed_offline"));
    throw error;
  }
}

// A module could not be fetched. Without the modules that handle frames only the first messages are shown.
function onFailed(error, { isUsable }) {
  settle();
  if (!isUsable) {
    document.documentElement.dataset.started = "failed";
    room.socket?.stop();
  }
  const banner = $("#banner");
  banner.querySelector(".banner-words").textContent = t("failed_start");
  const again = button("button button--small", t("reload"), () => location.reload());
  banner.querySelector(".banner-act").replaceChildren(again);
  banner.hidden = false;
  throw error;
}

// The handshake runs while the features are loaded.
async function connect() {
  const { RoomSocket } = await import("./net/socket.js");
  room.socket = new RoomSocket(socketAddress, { listenOnly: !me });
  room.socket.start();
}

// Only members have a composer.
function isMember() {
  return document.getElementById("composer") !== null;
}

function load(names) {
  return Promise.all(names.map((name) => import(`./${name}.js`)));
}

function start(modules) {
  for (const module of modules) module.start?.(room);
}

function socketAddress() {
  const { protocol, host } = location;
  const { seq, epoch } = room.timeline;
  return `${protocol === "https:" ? "wss" : "ws"}://${host}/ws/chat/?after=${seq}&epoch=${encodeURIComponent(epoch)}`;
}

function onState({ hello }) {
  // Runs after the other listeners, so that they show the state first.
  if (room.socket.state !== "connecting") setTimeout(settle);
  if (room.socket.state !== "online") room.clock.expireSample();
  if (!hello) return;
  room.clock.addSample(hello.now_ms);
  room.timeline.epoch = hello.epoch;
  room.newVersion = Boolean(hello.version) && hello.version !== ownVersion();
  room.userChanged = (hello.user?.id ?? null) !== (me?.id ?? null);
  for (const handler of helloHandlers) handler(hello);
}

function deliver(frame) {
  const handlers = frameHandlers.get(frame.type);
  if (handlers) handlers.forEach((handler) => handler(frame));
  else early?.frames.push({ frame, at: performance.now(), newestId: room.timeline.newestId });
}

// Early events are handled after all features of this group have started.

function onFrame(type, handler) {
  frameHandlers.set(type, [...(frameHandlers.get(type) ?? []), handler]);
  const missed = early?.frames.filter(({ frame }) => frame.type === type) ?? [];
  for (const { frame, at, newestId } of missed) {
    queueMicrotask(() => handler(frame, { age_ms: performance.now() - at, newestId }));
  }
}

function onClick(selector, handler) {
  clickHandlers.push([selector, handler]);
  for (const target of early?.clicks ?? []) queueMicrotask(() => target.isConnected && serve(target, [selector, handler]));
}

// For keys that work anywhere on the page.
function onKey(handler) {
  document.addEventListener("keydown", handler);
  const key = early?.key;
  if (key) queueMicrotask(() => handler(key));
}

function serve(target, [selector, handler]) {
  const clicked = target.closest?.(selector);
  if (clicked) handler(clicked, room.timeline.get(Number(clicked.closest("article")?.dataset.id)), target);
}

// Counts only clicks by the reader, because a script can repeat its own click. If an element was clicked several times,
// the last click counts.
function rememberClick({ isTrusted, target }) {
  if (!isTrusted) return;
  early.clicks.delete(target);
  early.clicks.add(target);
}

function rememberKey(event) {
  early.key = event;
}

function forgetEarly() {
  document.removeEventListener("click", rememberClick, { capture: true });
  document.removeEventListener("keydown", rememberKey, { capture: true });
  early = null;
}

// The open ordering window, or undefined. Until its feature is started, the window that came with the page.
function openWindow() {
  const current = room.window ? room.window.current : page.window;
  return current?.state === "open" && current.closes_ms > room.now() ? current : undefined;
}

// Members who can be mentioned: the members who are online, and the authors of known messages.
function names() {
  const here = room.presence.people?.map(({ name }) => name) ?? [];
  const authors = room.timeline.ids.map((id) => room.timeline.get(id).user);
  return [...new Set([...here, ...room.presence.members, ...authors])];
}

// The page was opened offline, from the copy (features/offline_copy.js). Messages that have expired
// since are not shown; offline only the device's clock can tell.
function dropExpired() {
  page.now_ms = Date.now();
  const oldest_ms = page.now_ms - page.limits.history_ms;
  page.messages = page.messages.filter(({ created_ms }) => created_ms > oldest_ms);
}

// The version of the static files, from this module's own address.
function ownVersion() {
  return /\/static\/([^/]+)\//.exec(import.meta.url)?.[1];
}
