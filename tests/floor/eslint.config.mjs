// What an engine of the floor does not have: syntax, built-in objects, and calls of the web platform.

import { readFileSync } from "node:fs";
import compat from "eslint-plugin-compat";
import esX from "eslint-plugin-es-x";

const { browserslist } = JSON.parse(readFileSync(new URL("./package.json", import.meta.url)));

// Methods of objects whose type these linters cannot see. [name, since]
const METHODS = [
  ["requestSubmit", "Safari 16"],
  ["roundRect", "Chromium 99, Safari 16"],
  ["showPopover", "Chromium 114"],
  ["togglePopover", "Chromium 114"],
  ["showPicker", "Chromium 99"],
  ["checkVisibility", "Chromium 105"],
  ["startViewTransition", "Chromium 111"],
];

export default [
  { linterOptions: { noInlineConfig: true } },
  { ...esX.configs["flat/restrict-to-es2021"], languageOptions: { ecmaVersion: 2022, sourceType: "module" } },
  {
    ...compat.configs["flat/recommended"],
    settings: {
      browsers: browserslist,
      lintAllEsApis: true,
      "es-x": { aggressive: true },
      // The page asks first whether they are there.
      polyfills: ["Notification", "trustedTypes"],
    },
  },
  {
    rules: {
      // Chromium 84, Safari 15.
      "es-x/no-class-instance-fields": "off",
      "es-x/no-class-private-fields": "off",
      "es-x/no-class-private-methods": "off",
      "es-x/no-class-static-fields": "off",
      // `a.b?.()` asks first; `a.b()` does not.
      "no-restricted-syntax": [
        "error",
        ...METHODS.map(([name, since]) => ({
          selector: `CallExpression[optional=false][callee.property.name='${name}']`,
          message: `${name}() is there since ${since}: ask first`,
        })),
      ],
    },
  },
];
