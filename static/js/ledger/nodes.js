// Nodes and sentences of the ledger's page. The sentences come with the page, in the reader's language.

export const words = { ...sentences("words"), ...sentences("reading-words") };

function sentences(id) {
  return JSON.parse(document.getElementById(id)?.textContent ?? "{}");
}

// The sentence with `values` in place of the names in braces.
export function say(key, values) {
  return words[key].replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

export function make(tag, className = "") {
  const found = document.createElement(tag);
  if (className) found.className = className;
  return found;
}

export function node(tag, className, text) {
  const found = make(tag, className);
  found.textContent = text;
  return found;
}
