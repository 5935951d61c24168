// The form that opens a window: blank, from a template, or the same as last time. No field is required. A refusal of
// the server is shown at the field that it is about.

import { typed } from "../models/amounts.js";
import { getJSON, postJSON } from "../net/http.js";
import { node, say, words } from "./nodes.js";
import { dateTime, knows } from "./times.js";
import { secondsUntil } from "./until.js";

const TEXTS = ["name", "unit"];
const NUMBERS = ["price", "stock", "limit"];
const PARTS = [...TEXTS, ...NUMBERS];
const DAY_S = 86_400;

const form = document.getElementById("open");
const rows = document.getElementById("open-rows");
const from = document.getElementById("open-from");
const error = form.querySelector("[role=alert]");
const notice = form.querySelector("[role=status]");
const { title, note, minutes, until } = form.elements;
const { zone } = form.dataset;
// The server's clock minus this device's.
const skew_ms = Number(form.dataset.now) - Date.now();
// The window to repeat, from the room's card: /orders/?again=ID.
const again = Number(new URLSearchParams(location.search).get("again"));
let templates = [];
let last = null;
let marked = 0;

start();

function start() {
  document.getElementById("open-add").addEventListener("click", () => addRow({}).querySelector("input").focus());
  rows.addEventListener("click", ({ target }) => target.closest("[data-remove]")?.closest("li").remove());
  rows.addEventListener("keydown", onRowKey);
  from.addEventListener("change", () => fill(chosen()));
  form.addEventListener("input", onInput);
  form.addEventListener("submit", onSubmit);
  until.closest(".field").hidden = !knows(zone);
  setInterval(drawEnd, 1000);
  document.getElementById("open-box").hidden = false;
  if (again) document.getElementById("open-box").open = true;
  offerChoices();
}

// Templates and earlier windows are optional: the form works without them.
async function offerChoices() {
  try {
    const [kept, { windows }] = await Promise.all([getJSON("/orders/templates/"), getJSON("/api/windows/")]);
    templates = kept.templates;
    last = windows.find(({ id }) => id === again) ?? windows[0] ?? null;
  } catch (refused) {
    fail(refused);
  }
  drawChoices(last && last.id === again ? "last" : "");
  if (from.value) fill(last);
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
  clearErrors();
  title.value = offer?.title ?? "";
  note.value = offer?.note ?? "";
  const seconds = offer?.seconds ?? (offer?.closes_ms ? Math.round((offer.closes_ms - offer.opened_ms) / 1000) : 0);
  minutes.value = seconds ? String(Math.round(seconds / 6) / 10) : "";
  until.value = "";
  rows.replaceChildren();
  for (const item of offer?.items ?? []) addRow(item);
  form.querySelector("[value=remove]").hidden = !templateId();
  drawEnd();
}

function addRow(item) {
  const row = document.getElementById("open-row").content.cloneNode(true).firstElementChild;
  for (const name of PARTS) row.querySelector(`[name=${name}]`).value = item[name] ?? "";
  rows.append(row);
  return row;
}

// Enter goes to the next item. Otherwise it would send the form before the list of items is complete.
function onRowKey(event) {
  if (event.key !== "Enter" || event.isComposing || event.keyCode === 229 || event.target.tagName !== "INPUT") return;
  event.preventDefault();
  const next = event.target.closest("li").nextElementSibling ?? addRow({});
  next.querySelector("input").focus();
}

// The length and the end say the same, so only one of them can be set.
function onInput({ target }) {
  if (target === until && until.value) minutes.value = "";
  if (target === minutes && minutes.value) until.value = "";
  if (target.getAttribute("aria-invalid")) clearError(target);
  drawEnd();
}

function drawEnd() {
  const seconds = length();
  const now_ms = Date.now() + skew_ms;
  document.getElementById("open-ends").textContent = seconds
    ? say("ends", { time: dateTime(now_ms + seconds * 1000, zone).slice(0, -3) })
    : words.ends_hint;
}

async function onSubmit(event) {
  event.preventDefault();
  const act = event.submitter?.value ?? "open";
  clearErrors();
  try {
    if (act === "remove") await removeTemplate();
    else if (act === "keep") await keepTemplate(read());
    else await open(read());
  } catch (refused) {
    fail(refused);
  }
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
  tell(words.kept);
}

async function removeTemplate() {
  const id = templateId();
  await postJSON("/orders/templates/", { act: "remove", id });
  templates = templates.filter((each) => each.id !== id);
  drawChoices();
  tell(words.removed);
}

function tell(text) {
  notice.hidden = false;
  notice.textContent = text;
}

function read() {
  const seconds = length();
  if (Number.isNaN(seconds)) throw Object.assign(new Error(words.minutes), { details: { field: "seconds" } });
  return { title: title.value, note: note.value, items: filledRows().map(itemOf), seconds };
}

function filledRows() {
  return [...rows.children].filter((row) => PARTS.some((name) => valueOf(row, name)));
}

function itemOf(row) {
  return Object.fromEntries(PARTS.map((name) => [name, valueOf(row, name)]));
}

function valueOf(row, name) {
  const value = row.querySelector(`[name=${name}]`).value.trim();
  return NUMBERS.includes(name) ? typed(value) : value;
}

// Seconds until the chosen time, or else of the minutes. null if neither is given (the setting applies); NaN if not
// valid.
function length() {
  if (until.value) return secondsUntil(until.value, zone, Date.now() + skew_ms);
  const text = typed(minutes.value);
  if (!text) return null;
  const seconds = Math.round(Number(text) * 60);
  return seconds >= 1 && seconds <= DAY_S ? seconds : NaN;
}

function fail({ message, details = {} }) {
  const { field, place } = wrong(details);
  if (!field) {
    error.hidden = false;
    error.textContent = message;
    error.scrollIntoView({ block: "nearest" });
    return;
  }
  if (!place.id) place.id = `wrong-row-${(marked += 1)}`;
  place.hidden = false;
  place.textContent = message;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", place.id);
  field.focus();
}

// The field that a refusal is about, and the place for the text beside it.
function wrong({ field, row, part }) {
  if (field === "items" && row) {
    const line = filledRows()[row - 1];
    return { field: line?.querySelector(`[name=${part}]`), place: line?.querySelector(".field-error") };
  }
  const name = field === "seconds" ? "minutes" : field;
  const found = { title, note, minutes, items: document.getElementById("open-add") }[name];
  return { field: found, place: document.getElementById(`wrong-${name}`) };
}

function clearErrors() {
  error.hidden = notice.hidden = true;
  for (const field of form.querySelectorAll("[aria-invalid]")) clearError(field);
}

function clearError(field) {
  document.getElementById(field.getAttribute("aria-describedby")).hidden = true;
  field.removeAttribute("aria-invalid");
  field.removeAttribute("aria-describedby");
}
