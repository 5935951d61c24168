// The list of windows: live numbers, and the countdown of the open window.

import { getJSON } from "../net/http.js";
import { clockFace, t } from "../words/words.js";
import { Reloader, listen } from "./live.js";
import { say, words } from "./nodes.js";
import { dateTime } from "./times.js";

const list = document.getElementById("windows");
// The server's clock minus this device's.
let skew_ms = Number(list.dataset.now) - Date.now();

const reloader = new Reloader({
  ask: () => getJSON("/api/windows/"),
  show: ({ windows }) => {
    windows.forEach(draw);
    drawHint(windows.some(({ state }) => state === "open"));
  },
  fail: () => {}, // the next frame causes another request
});

const socket = listen(({ type, id, planned }) => {
  if (type === "planned") drawPlanned(planned);
  if (type !== "window") return;
  if (rowOf(id)) reloader.soon();
  // reload for a new window, unless this would lose typed text
  else if (!document.getElementById("open")) location.reload();
});
socket.addEventListener("state", ({ hello }) => {
  if (hello) drawPlanned(hello.planned);
  if (socket.state === "online") reloader.soon();
});
setInterval(drawLeft, 1000);
drawLeft();

function rowOf(id) {
  return list.querySelector(`[data-window="${id}"]`);
}

function draw({ id, state, closes_ms, now_ms, orders, members, total }) {
  const row = rowOf(id);
  if (!row) return;
  skew_ms = now_ms - Date.now();
  Object.assign(row.dataset, { state, closes: closes_ms });
  row.querySelector(".tag").textContent = words[state];
  row.querySelector(".window-counts").textContent = t("order_counts", { orders, members });
  row.querySelector(".window-total").textContent = total ? `¥${total}` : "";
  drawLeft();
}

// The next window that opens by itself, in the time zone of the room.
function drawPlanned(planned) {
  const line = document.getElementById("planned");
  line.hidden = !planned;
  if (planned) line.textContent = say("next", { ...planned, time: dateTime(planned.opens_ms, planned.zone).slice(0, -3) });
}

// Shows, in the administrators' form, whether a window can be opened now.
function drawHint(isOpen) {
  for (const hint of document.querySelectorAll("[data-while]")) hint.hidden = (hint.dataset.while === "open") !== isOpen;
}

function drawLeft() {
  for (const row of list.querySelectorAll("[data-state]")) {
    const seconds = Math.ceil((Number(row.dataset.closes) - Date.now() - skew_ms) / 1000);
    const isOpen = row.dataset.state === "open" && seconds > 0;
    row.querySelector(".window-left").textContent = isOpen ? say("left", { time: clockFace(seconds) }) : "";
  }
}
