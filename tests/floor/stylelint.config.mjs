// What an engine of the floor drops: a declaration, a rule, or all that it surrounds.

import { readFileSync } from "node:fs";

const { browserslist } = JSON.parse(readFileSync(new URL("./package.json", import.meta.url)));

export default {
  plugins: ["stylelint-no-unsupported-browser-features"],
  rules: {
    "plugin/no-unsupported-browser-features": [
      true,
      {
        browsers: browserslist,
        ignorePartialSupport: true,
        // Where they are dropped, nothing is lost but themselves: a cursor, a bounce at the end of a list, the colour
        // of selected text, a corner to pull at.
        ignore: [
          "css-not-sel-list", // known for a single selector; tests/test_styles.py looks for lists
          "css-overflow-anchor",
          "css-overscroll-behavior",
          "css-paged-media",
          "css-resize",
          "css-selection",
          "css-touch-action",
          "css3-cursors-grab",
          "css3-cursors-newer",
          "extended-system-fonts",
          "text-size-adjust",
          "viewport-unit-variants", // in @supports alone; tests/test_styles.py looks for others
        ],
      },
    ],
  },
};
