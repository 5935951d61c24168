// The administrator's presets: opening and closing the ordering window, its countdown, the picture.

import { postJSON, upload } from "../net/http.js";
import { t } from "../words/words.js";

export function start(room) {
  const chosen = document.getElementById("preset-picture");
  if (!chosen) return;
  room.onClick("[data-preset]", (pressed) => onPreset(room, pressed, chosen));
  room.onClick("[data-preset-replace]", () => chosen.click());
  chosen.addEventListener("change", () => replacePicture(room, chosen));
}

async function onPreset(room, pressed, chosen) {
  pressed.disabled = true;
  try {
    await send(pressed);
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
  if (command === "picture") return upload("/send_preset_image/", {});
  const length = pressed.closest("[data-presets]").querySelector("[name=seconds]");
  const seconds = command === "start" && length.value ? { seconds: Number(length.value) } : {};
  return postJSON("/send_preset/", { command, ...seconds });
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
