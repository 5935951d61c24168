// A small panel of the system's own glyphs.

import { button } from "./dom.js";

const GLYPHS = [..."😀😄😁😂🤣😊😍😘😋😜🤔😅😭😢😡😱😴🙄😎🤗"].concat(
  [..."👍👎👌🙏👏💪👋🤝🎉🌹🔥💯"],
  ["❤️", "💔", "✅", "❌", "⏰", "☕", "🍎", "🍓"],
);

export function fillEmoji(panel, choose) {
  panel.replaceChildren(...GLYPHS.map((glyph) => button("emoji", glyph, () => choose(glyph))));
}
