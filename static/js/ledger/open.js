// The form that opens a window: blank, from a prepared one, or the same as last time. Only the start is required.

import { getJSON, postJSON } from "../net/http.js";
import { node, words } from "./nodes.js";
import { secondsUntil } from "./until.js";

const FIELDS = ["name", "unit", "price", "stock", "limit"];

const form = document.getElementById("open");
const rows = document.getElementById("open-rows");
const from = document.getElementById("open-from");
const error = form.querySelector("[role=alert]");
const notice = form.querySelector("[role=status]");
let templates = [];
let last = null;

start();

function start() {
  document.getElementById("open-add").addEventListener("click", () => addRow({}).querySelector("input").focus());
  rows.addEventListener("click", ({ target }) => target.closest("[data-remove]")?.closest("li").remove());
  from.addEventListener("change", () => fill(chosen()));
  form.addEventListener("submit", onSubmit);
  form.hidden = false;
  offerChoices();
}

// A window can be opened without them.
async function offerChoices() {
  try {
    [{ templates }, { windows: [last = null] }] = await Promise.all([getJSON("/orders/templates/"), getJSON("/api/windows/")]);
  } catch (refused) {
    fail(refused);
  }
  drawChoices();
}

function drawChoices(selected = "") {
  const [blank] = from.options;
  const choices = templates.map((template) => option(String(template.id), template.title || words.untitled));
  if (last) choices.unshift(option("last", words.last));
  from.replaceChildren(blank, ...choices);
  from.value = selected;
  form.querySelector("[value=remove]").hidden = !templateId();
}

function option(value, text) {
  return Object.assign(node("option", "", text), { value });
}

function chosen() {
  return from.value === "last" ? last : templates.find(({ id }) => id === templateId());
}

function templateId() {
  return Number(from.value) || null;
}

function fill(offer) {
  form.elements.title.value = offer?.title ?? "";
  form.elements.note.value = offer?.note ?? "";
  const seconds = offer?.seconds ?? (offer?.closes_ms ? Math.round((offer.closes_ms - offer.opened_ms) / 1000) : 0);
  form.elements.minutes.value = seconds ? String(Math.round(seconds / 6) / 10) : "";
  rows.replaceChildren();
  for (const item of offer?.items ?? []) addRow(item);
  form.querySelector("[value=remove]").hidden = !templateId();
}

function addRow(item) {
  const row = document.getElementById("open-row").content.cloneNode(true).firstElementChild;
  for (const name of FIELDS) row.querySelector(`[name=${name}]`).value = item[name] ?? "";
  rows.append(row);
  return row;
}

async function onSubmit(event) {
  event.preventDefault();
  const act = event.submitter?.value ?? "open";
  error.hidden = notice.hidden = true;
  try {
    if (act === "remove") await removeTemplate();
    else if (act === "keep") await keepTemplate(read());
    else await open(read());
  } catch (refused) {
    fail(refused);
    error.scrollIntoView({ block: "nearest" });
  }
}

function fail(refused) {
  error.hidden = false;
  error.textContent = refused.message;
}

async function open({ title, note, items, seconds }) {
  const { window } = await postJSON("/send_preset/", { command: "start", may_move: false, title, note, items, ...(seconds ? { seconds } : {}) });
  location.assign(`/orders/${window.id}/`);
}

async function keepTemplate(offer) {
  const id = templateId();
  const { template } = await postJSON("/orders/templates/", { act: id ? "change" : "make", ...(id ? { id } : {}), ...offer });
  templates = [...templates.filter((each) => each.id !== template.id), template];
  drawChoices(String(template.id));
  say(words.kept);
}

async function removeTemplate() {
  const id = templateId();
  await postJSON("/orders/templates/", { act: "remove", id });
  templates = templates.filter((each) => each.id !== id);
  drawChoices();
  say(words.removed);
}

function say(text) {
  notice.hidden = false;
  notice.textContent = text;
}

function read() {
  const items = [...rows.children]
    .map((row) => Object.fromEntries(FIELDS.map((name) => [name, row.querySelector(`[name=${name}]`).value.trim()])))
    .filter((item) => FIELDS.some((name) => item[name]));
  return { title: form.elements.title.value, note: form.elements.note.value, items, seconds: length() };
}

// Seconds until the time that was chosen, else of the minutes; null: the setting.
function length() {
  const { value } = form.elements.until;
  if (value) return secondsUntil(value, form.dataset.zone, Date.now());
  const typed = form.elements.minutes.value.trim();
  if (!typed) return null;
  const seconds = Math.round(Number(typed) * 60);
  if (!(seconds >= 1 && seconds <= 86_400)) throw new Error(words.minutes);
  return seconds;
}
