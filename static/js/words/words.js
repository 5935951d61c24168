// The page's own words, in the language that the server chose for this page.

export const language = document.documentElement.lang.startsWith("en") ? "en" : "zh";

const { words } = await import(`./${language}.js`);

// A word is text, or a function of what it speaks about (so each language counts in its own way).
export function t(key, ...values) {
  const word = words[key] ?? key;
  return typeof word === "function" ? word(...values) : word;
}
