// Posting: from the composer to the outbox, from there to the server, until its ack.
// Texts go over the socket, and over HTTP if no socket can be made; pictures over HTTP.

import { Composer } from "../elements/composer.js";
import { length } from "../elements/dom.js";
import { newClientId, Outbox } from "../models/outbox.js";
import { t } from "../words/words.js";

const ENTRIES_MAX = 20;

export function start(room) {
  room.onFrame("refused", (refusal) => onRefused(room, refusal));
  if (!room.me) return;
  const outbox = new Outbox({
    send: (entry) => send(room, entry),
    storage: storageOf(room.me.id),
    // The interval does not apply to administrators.
    interval_ms: () => (room.me.role === "administrator" ? 0 : room.limits.send_interval_ms),
  });
  room.outbox = outbox;
  outbox.addEventListener("change", () => room.view.redraw());
  room.composer = new Composer(room, document.getElementById("composer"));
  room.composer.addEventListener("submit", () => (room.composer.task ? room.composer.task.submit() : submit(room)));
  room.onHello(() => outbox.setOnline(!room.userChanged));
  room.socket.addEventListener("state", ({ hello }) => !hello && outbox.setOnline(room.socket.isBlocked));
  if (room.socket.isBlocked) outbox.setOnline(true);
  room.onFrame("sync", () => confirmKnown(room));
  room.onFrame("ack", ({ client_id }) => outbox.confirm(client_id));
  room.onClick("#messages [data-unsent=retry]", (pressed) => outbox.retry(clientIdOf(pressed)));
  room.onClick("#messages [data-unsent=discard]", (pressed) => discard(room, clientIdOf(pressed)));
  restore(room);
}

function submit(room) {
  const { outbox, composer, limits, toast } = room;
  const text = composer.text.trim();
  const images = room.attachments?.images ?? [];
  if (!text && images.length === 0) {
    composer.focus();
    return;
  }
  if (length(text) > limits.text_max) {
    toast(t("too_long", { limit: limits.text_max }));
    return;
  }
  if (outbox.entries.length + Math.max(1, images.length) > ENTRIES_MAX) {
    toast(t("too_many_waiting"));
    return;
  }
  // The text goes with the first picture. The other pictures are messages of their own in the same album.
  const parts = images.length ? images : [null];
  const album = images.length > 1 ? newClientId() : null;
  parts.forEach((image, i) => {
    const own = i === 0 ? { text, reply_to: room.reply.id } : { text: "", reply_to: null };
    const entry = outbox.add({ ...own, image, album, created_ms: room.now() + i });
    if (image) room.previews.set(entry.client_id, image.preview);
  });
  room.attachments?.clear();
  room.reply.clear();
  composer.clear();
  room.view.onSent();
}

async function send(room, entry) {
  const { client_id, text, reply_to, image } = entry;
  if (!image && !room.socket.isBlocked) {
    room.socket.send({ type: "post", client_id, text, reply_to });
    return;
  }
  // True if the member discards the picture while it is being made smaller: there is no request to abort yet.
  let isDiscarded = false;
  entry.abort = () => {
    isDiscarded = true;
  };
  try {
    const [{ upload }, sent] = await Promise.all([import("../net/upload.js"), image && smaller(room, image)]);
    if (isDiscarded) return;
    const fields = { client_id, text, reply_to, album: entry.album, image: sent };
    const sending = upload("/post/", fields, (part) => room.outbox.progress(client_id, part), entry.attempts);
    entry.abort = sending.abort;
    room.timeline.post(0, await sending);
    room.outbox.confirm(client_id);
  } catch (refused) {
    // An error without a code did not come from the server: the page could not fetch upload.js itself.
    if (refused.code !== "aborted") room.outbox.refuse(client_id, refused.code ? refused : { code: "offline" });
  }
}

// The picture to upload, made smaller; unchanged if the module for that cannot be loaded.
async function smaller({ limits }, { blob, name }) {
  try {
    const { smallerPicture } = await import("../models/smaller_picture.js");
    return { name, blob: await smallerPicture(blob, limits.image_max_bytes) };
  } catch {
    return { name, blob };
  }
}

function onRefused({ outbox, toast }, refusal) {
  if (refusal.client_id) outbox?.refuse(refusal.client_id, refusal);
  else if (refusal.code !== "bad_request") toast(refusal.message);
}

// The text of a discarded message returns to the field.
function discard(room, client_id) {
  const entry = room.outbox.discard(client_id);
  if (entry?.text) room.composer.restoreText(entry.text);
}

async function restore(room) {
  await room.outbox.restore();
  for (const { client_id, image } of room.outbox.entries) {
    if (image && !room.previews.has(client_id)) room.previews.set(client_id, URL.createObjectURL(image.blob));
  }
  room.view.redraw();
  confirmKnown(room);
}

// Confirms the entries whose messages are in the room already.
function confirmKnown({ outbox, timeline, me }) {
  if (!outbox.entries.length) return;
  for (const id of timeline.ids) {
    const { user_id, client_id } = timeline.get(id);
    if (user_id === me.id && client_id) outbox.confirm(client_id);
  }
}

function storageOf(user_id) {
  let opened = null;
  const storage = () => (opened ??= import("../models/stored_outbox.js").then(({ StoredOutbox }) => new StoredOutbox(user_id)));
  return {
    load: async () => (await storage()).load(),
    save: async (entry) => (await storage()).save(entry),
    remove: async (client_id) => (await storage()).remove(client_id),
  };
}

function clientIdOf(node) {
  return node.closest("article").dataset.clientId;
}
