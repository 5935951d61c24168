// Copies a message's text to the clipboard, and saves its picture as a file.

import { copy } from "../elements/clipboard.js";
import { t } from "../words/words.js";

// The choices in a message's menu (elements/message_menu.js).
export function choice({ toast }, { text }) {
  const run = async () => toast((await copy(text)) ? t("copied") : t("copy_failed"));
  return text && { action: "copy", label: t("copy"), glyph: "copy", run };
}

export function downloadChoice(room, { image }) {
  return image && { action: "download", label: t("download"), glyph: "download", run: () => save(image) };
}

function save(address) {
  const link = document.createElement("a");
  link.href = address;
  link.download = address.slice(address.lastIndexOf("/") + 1);
  link.click();
}
