// The dialog in which an administrator changes or withdraws an order. After the window has closed, a reason is
// required.

import { typed } from "../models/amounts.js";
import { postJSON } from "../net/http.js";
import { make, node, say } from "./nodes.js";

// Resolves to true when the order was changed or withdrawn.
export function offerCorrection(window, order) {
  const dialog = document.getElementById("correct");
  const form = dialog.querySelector("form");
  const error = form.querySelector("[role=alert]");
  const had = new Map(order.lines.map((line) => [line.item, line.quantity]));
  dialog.querySelector("#correct-title").textContent = say("correct_title", order);
  dialog.querySelector("#correct-lines").replaceChildren(...window.items.map((item) => field(item, had.get(item.id) ?? "")));
  form.elements.note.value = order.note;
  form.elements.reason.value = "";
  askReason(form, window.state === "closed");
  error.hidden = true;
  dialog.showModal();
  let isSending = false;
  return new Promise((resolve) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      const act = event.submitter?.value ?? "change";
      if (act === "cancel") {
        dialog.close();
        return;
      }
      if (isSending) return;
      isSending = true;
      try {
        await send(act, order, form);
        resolve(true);
        dialog.close();
      } catch (refused) {
        error.hidden = false;
        error.textContent = refused.message;
        if (refused.details?.field === "reason") askReason(form, true); // the window has closed meanwhile
      } finally {
        isSending = false;
      }
    };
    dialog.addEventListener("close", () => resolve(false), { once: true });
  });
}

function askReason(form, isNeeded) {
  const { reason } = form.elements;
  reason.required = isNeeded;
  reason.closest("label").hidden = !isNeeded;
}

function send(act, order, form) {
  const reason = form.elements.reason.value.trim();
  if (act === "strike") return postJSON(`/recall_message/${order.id}/`, { reason });
  const lines = [...form.querySelectorAll("[data-item]")]
    .map((input) => ({ item: Number(input.dataset.item), quantity: typed(input.value) }))
    .filter(({ quantity }) => quantity && quantity !== "0");
  return postJSON(`/order/${order.id}/`, { lines, text: form.elements.note.value, reason });
}

function field(item, quantity) {
  const label = make("label", "field correct-line");
  const input = make("input", "tabular");
  Object.assign(input, { value: quantity, inputMode: "decimal", autocomplete: "off" });
  input.dataset.item = item.id;
  label.append(node("bdi", "", item.unit ? `${item.name} (${item.unit})` : item.name), input);
  return label;
}
