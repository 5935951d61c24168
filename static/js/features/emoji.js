// A panel of emoji for the field: the system's own glyphs.

import { button } from "../elements/dom.js";

const GLYPHS = [..."😀😄😁😂🤣😊😍😘😋😜🤔😅😭😢😡😱😴🙄😎🤗"].concat(
  [..."👍👎👌🙏👏💪👋🤝🎉🌹🔥💯"],
  ["❤️", "💔", "✅", "❌", "⏰", "☕", "🍎", "🍓"],
);

// The dialog is opened by elements/dialogs.js.
export function open({ composer }) {
  const dialog = document.getElementById("emoji");
  const choose = (glyph) => {
    dialog.close();
    composer.insert(glyph);
  };
  dialog.querySelector(".emoji-panel").replaceChildren(...GLYPHS.map((glyph) => button("emoji", glyph, () => choose(glyph))));
}
