// A ledger by member: the items and the total of each member, and for administrators the marks of the pick-up.

import { postJSON } from "../net/http.js";
import { phrases, t } from "../words/words.js";
import { make, node, words } from "./nodes.js";
import { RowList } from "./row_list.js";

export class Members {
  #page;
  #notice;
  #list = document.getElementById("members");
  #filter = document.getElementById("filter");
  #rows;
  #sending = Promise.resolve();

  // `notice(text)` shows the reason of a failure.
  constructor(page, notice) {
    this.#page = page;
    this.#notice = notice;
    this.#rows = new RowList(this.#list, ({ user_id }) => user_id, memberRow);
    this.#filter.addEventListener("input", () => this.draw());
    this.#list.addEventListener("change", ({ target }) => this.#send(target));
  }

  draw() {
    const { ledger } = this.#page;
    if (!ledger) return;
    const wanted = this.#filter.value.trim().toLocaleLowerCase();
    const shown = ledger.members.filter(({ user }) => user.toLocaleLowerCase().includes(wanted));
    const said = new Map();
    for (const order of ledger.orders) {
      if (order.state === "accepted") said.set(order.user_id, [...(said.get(order.user_id) ?? []), ...phrases(order)]);
    }
    const rows = shown.map((member) => ({ ...member, said: said.get(member.user_id) ?? [] }));
    this.#rows.show(rows.length ? rows : [{ user_id: 0 }]);
  }

  // The frame `marks`.
  mark({ user_id, marks }) {
    const member = this.#page.ledger?.members.find((each) => each.user_id === user_id);
    if (!member) return;
    member.marks = marks;
    this.draw();
  }

  // Sends one request at a time, so that two changes of one box keep their order.
  #send(box) {
    const { user, mark } = box.dataset;
    const isOn = box.checked;
    this.#sending = this.#sending.then(async () => {
      try {
        await postJSON(`/orders/${this.#page.id}/marks`, { user_id: Number(user), [mark]: isOn });
      } catch (refused) {
        this.#notice(refused.message);
        const now = this.#list.querySelector(`[data-user="${user}"][data-mark="${mark}"]`);
        if (now) now.checked = !isOn;
      }
    });
  }
}

// Member 0 is a row that says that there is no member.
function memberRow({ user, user_id, total, marks, said }) {
  if (!user_id) return node("li", "hint", words.none);
  const row = make("li", "ledger-member");
  row.append(node("bdi", "ledger-name", user), node("span", "ledger-total tabular", total ? `¥${total}` : ""));
  row.append(node("span", "ledger-words", said.join(t("comma"))));
  const boxes = make("span", "ledger-marks");
  if (marks) boxes.append(markBox(user, user_id, "paid", marks.paid), markBox(user, user_id, "collected", marks.collected));
  boxes.append(printBox("paid", marks?.paid), printBox("collected", marks?.collected));
  row.append(boxes);
  return row;
}

// This box is only for paper: it is empty, or ticked already.
function printBox(mark, isOn) {
  const box = node("span", "print-box", `${isOn ? "☑" : "☐"} ${words[mark]}`);
  box.setAttribute("aria-hidden", "true");
  return box;
}

function markBox(user, user_id, mark, isOn) {
  const label = make("label", "ledger-mark");
  const box = make("input");
  Object.assign(box, { type: "checkbox", checked: isOn });
  Object.assign(box.dataset, { user: user_id, mark });
  box.setAttribute("aria-label", `${words[mark]} · ${user}`);
  label.append(box, node("span", "", words[mark]));
  return label;
}
