// A one-time link with which a member sets a new password: made on the member's card, and shown there once.

import { start as startButtons } from "../account/share.js";
import { button, make } from "../elements/dom.js";
import { postJSON } from "../net/http.js";
import { t } from "../words/words.js";

const SVG = "http://www.w3.org/2000/svg";

// Resolves to an element that shows the new link, like templates/share.html; rejects with a Refused.
export async function makeLink(memberId) {
  const { link } = await postJSON(`/members/${memberId}/password-link`);
  const part = make("div", "share");
  Object.assign(part.dataset, { share: "", title: document.title, copied: t("copied"), selected: t("card_selected") });
  const acts = make("div", "share-acts");
  acts.append(hiddenButton(t("copy"), "copy"), hiddenButton(t("card_share"), "shareSheet"), state());
  part.append(make("p", "hint", link.message), make("code", "share-address", link.address), acts, drawn(link.code));
  startButtons(part);
  return part;
}

function hiddenButton(label, name) {
  const node = button("button button--small", label);
  node.hidden = true;
  node.dataset[name] = "";
  return node;
}

function state() {
  const node = make("span", "hint");
  node.setAttribute("role", "status");
  return node;
}

function drawn({ size, path }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "qr-code");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", t("card_code"));
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  const modules = document.createElementNS(SVG, "path");
  modules.setAttribute("d", path);
  svg.append(modules);
  return svg;
}
