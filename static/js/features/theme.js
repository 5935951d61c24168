// The theme: light, dark, or that of the system. It is stored in a cookie, so that the server renders
// the next page with it.

import { t } from "../words/words.js";

const ORDER = ["auto", "light", "dark"];
const GLYPH = { auto: "auto", light: "sun", dark: "moon" };
const YEAR_S = 365 * 86_400;

export function start(room) {
  const buttons = document.querySelectorAll("[data-theme-switch]");
  const draw = () => {
    const { theme } = document.documentElement.dataset;
    for (const each of buttons) {
      each.querySelector("use").setAttribute("href", `#icon-${GLYPH[theme] ?? "auto"}`);
      each.setAttribute("aria-label", t(`theme_${theme}`));
      each.title = t(`theme_${theme}`);
      const label = each.querySelector(".label");
      if (label) label.textContent = t(`theme_${theme}`);
    }
  };
  room.onClick("[data-theme-switch]", () => {
    const { dataset } = document.documentElement;
    dataset.theme = ORDER[(ORDER.indexOf(dataset.theme) + 1) % ORDER.length];
    document.cookie = `theme=${dataset.theme}; path=/; max-age=${YEAR_S}; SameSite=Lax`;
    draw();
  });
  draw();
}
