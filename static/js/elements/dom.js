// Making nodes. Text goes in as text, always: nothing here or elsewhere parses HTML.

import { initial } from "../models/text.js";

const SVG = "http://www.w3.org/2000/svg";

// A fresh copy of what a <template> of the page holds.
export function clone(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

export function make(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

export function button(className, label, act) {
  const node = make("button", className, label);
  node.type = "button";
  if (act) node.addEventListener("click", act);
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

export function iconButton(className, name, label, act) {
  const node = button(className, "", act);
  node.setAttribute("aria-label", label);
  node.title = label;
  node.append(icon(name));
  return node;
}

// A member's face: the picture, or the first character of the name on the member's own hue.
export function face({ id, name, avatar }) {
  const drawn = () => {
    const node = make("span", "face", initial(name));
    node.dataset.hue = id % 8;
    node.setAttribute("aria-hidden", "true");
    return node;
  };
  if (!avatar) return drawn();
  const picture = make("img", "face");
  picture.alt = "";
  picture.decoding = "async";
  picture.addEventListener("error", () => picture.replaceWith(drawn()), { once: true });
  picture.src = avatar;
  return picture;
}

// The administrator's mark is drawn, so that no name can carry it.
export function badge(role, label) {
  if (role !== "administrator") return null;
  const node = make("span", "badge");
  node.append(icon("badge"), make("span", "badge-label", label));
  return node;
}
