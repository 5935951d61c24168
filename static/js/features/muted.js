// The member was muted by an administrator, or may post again.

import { t } from "../words/words.js";

export function start(room) {
  room.onFrame("muted", ({ until_ms }) => {
    room.toast(until_ms > room.now() ? t("muted_until", { time: room.dates.exact(until_ms) }) : t("unmuted"));
  });
}
