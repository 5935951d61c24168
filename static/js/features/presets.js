// The administrator's presets: opening and closing the ordering window, its countdown, the picture. Loaded with the
// first press.

import { secondsLeft } from "../models/clock.js";
import { postJSON } from "../net/http.js";
import { t, timeLeft } from "../words/words.js";

export function open(room, pressed) {
  const chosen = document.getElementById("preset-picture");
  chosen.onchange = () => replacePicture(room, chosen);
  if (pressed.matches("[data-preset]")) onPreset(room, pressed, chosen);
  else chosen.click();
}

async function onPreset(room, pressed, chosen) {
  pressed.disabled = true;
  try {
    await (pressed.dataset.preset === "start" ? openWindow(room, pressed) : send(pressed));
    pressed.closest("dialog")?.close();
  } catch (refused) {
    if (pressed.dataset.preset === "picture" && refused.status === 404) await offerToChoose(room, chosen);
    else room.toast(refused.message);
  } finally {
    pressed.disabled = false;
  }
}

function send(pressed) {
  const command = pressed.dataset.preset;
  return command === "picture" ? upload("/send_preset_image/", {}) : postJSON("/send_preset/", { command });
}

// The page asks before it moves the end of an open window, even if it does not know of that window yet.
async function openWindow(room, pressed) {
  const length = pressed.closest("[data-presets]").querySelector("[name=seconds]");
  const start = { command: "start", ...(length.value ? { seconds: Number(length.value) } : {}) };
  const known = room.openWindow();
  if (known) return askToMove(room, start, { ...known, now_ms: room.now() });
  try {
    await postJSON("/send_preset/", { ...start, may_move: false });
  } catch (refused) {
    if (refused.code !== "window_open") throw refused;
    await askToMove(room, start, refused.details.window);
  }
}

async function askToMove(room, start, { by, closes_ms, now_ms }) {
  const left = timeLeft(Math.max(1, secondsLeft(closes_ms, now_ms)));
  const length = timeLeft(start.seconds ?? room.limits.window_seconds);
  if (await room.confirm(t("move_window_question", { by, left, length }), t("move_window"))) await postJSON("/send_preset/", start);
}

async function offerToChoose(room, chosen) {
  if (await room.confirm(t("no_preset_picture"), t("choose_picture"))) chosen.click();
}

async function replacePicture(room, chosen) {
  const [file] = chosen.files;
  chosen.value = "";
  if (!file) return;
  try {
    await upload("/send_preset_image/", { image: { blob: file, name: file.name } });
    document.querySelector("dialog[open]")?.close();
  } catch (refused) {
    room.toast(refused.message);
  }
}

async function upload(path, fields) {
  return (await import("../net/upload.js")).upload(path, fields);
}
