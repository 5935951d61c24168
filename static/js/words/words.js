// The page's sentences, in the language that the server chose for this page.
//
// They come from the one catalogue in chatserver/i18n: the server serves its part for this page as
// words/zh.js or words/en.js (see chatserver/i18n/scripts.py), which runs before the first module.

import { clockFace } from "../models/clock.js";

export const language = document.documentElement.lang.startsWith("en") ? "en" : "zh";

const sentences = globalThis.roomWords ?? {};
// {name} is the value called name; {count|message|messages} the first word for one, else the second.
const PLACE = /\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g;

// A value that is not given leaves its {name}: see around() in elements/message.js.
export function t(key, values = {}) {
  return (sentences[key] ?? key).replace(PLACE, (place, name, one, many) => {
    if (one === undefined) return values[name] ?? place;
    return String(values[name]) === "1" ? one : many;
  });
}

// "100 秒"; from two minutes on "2:05".
export function timeLeft(seconds) {
  return seconds < 120 ? t("time_left", { seconds }) : clockFace(seconds);
}
