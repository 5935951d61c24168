// The small form in which an administrator corrects what was read from an order: a row for each line.

import { parse, quantity } from "../models/amounts.js";
import { normalized } from "./amount_tokens.js";
import { make, node, words } from "./nodes.js";
import { numberAt } from "./numerals.js";

const ROWS_MAX = 20;
const FIELDS = ["name", "quantity", "unit"];

// A form with a method `readLines()`: the lines for the server; null if a line is wrong, which the form then shows.
export function readingForm(lines) {
  const form = document.getElementById("reading-form").content.cloneNode(true).firstElementChild;
  const rows = form.querySelector("ul");
  const error = form.querySelector("[role=alert]");
  const add = (line) => {
    const row = document.getElementById("reading-row").content.cloneNode(true).firstElementChild;
    for (const field of FIELDS) row.querySelector(`[name=${field}]`).value = line[field] ?? "";
    rows.append(row);
    form.querySelector("[data-add]").hidden = rows.children.length >= ROWS_MAX;
    return row;
  };
  (lines.length ? lines : [{}]).forEach(add);
  form.querySelector("[data-add]").addEventListener("click", () => add({}).querySelector("input").focus());
  form.readLines = () => {
    const read = [...rows.children].map(values).filter((line) => FIELDS.some((field) => line[field]));
    const isWhole = read.length > 0 && read.every((line) => line.name && line.quantity);
    error.hidden = isWhole;
    error.textContent = words.reading_need;
    return isWhole ? read : null;
  };
  return form;
}

function values(row) {
  const [name, typed, unit] = FIELDS.map((field) => row.querySelector(`[name=${field}]`).value.trim());
  return { name, quantity: typed && exact(typed), unit };
}

// "２" and "十二" as "2" and "12"; "" if it is no amount.
function exact(typed) {
  const text = normalized(typed);
  const number = numberAt(text, 0);
  const hundredths = number?.end === text.length ? number.hundredths : parse(text);
  return hundredths ? quantity(hundredths) : "";
}
