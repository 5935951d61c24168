// The proof of a ledger: whether its journal is complete, with this browser's own receipts in it; and the corrections.

import { getJSON } from "../net/http.js";
import { t } from "../words/words.js";
import { canCheck, check, receiptsOf } from "./journal.js";
import { make, node, say, words } from "./nodes.js";
import { dateTime } from "./times.js";

export class Proof {
  #page;
  // The digest whose corrections are shown.
  #correctedTo;

  constructor(page) {
    this.#page = page;
    document.getElementById("verify").addEventListener("click", () => this.#verify());
  }

  draw() {
    const { digest } = this.#page.ledger.window;
    if (digest !== this.#correctedTo) this.#drawCorrections(digest);
  }

  async #verify() {
    const verdict = document.getElementById("verdict");
    verdict.hidden = false;
    const { text, isWrong = false, more = [] } = await this.#verdict();
    verdict.classList.toggle("ledger-verdict--wrong", isWrong);
    verdict.replaceChildren(node("b", "", text), ...more.map((line) => node("span", "", line)));
  }

  async #verdict() {
    if (!canCheck) return { text: words.cannot_check };
    let journal;
    try {
      journal = await this.#journal();
    } catch (refused) {
      return { text: refused.message || words.failed };
    }
    const { wrong, heads, isCut } = await check(journal, this.#page.ledger.window.digest);
    const receipts = receiptsOf(this.#page.id);
    const missing = receipts.find(({ receipt }) => !heads.includes(receipt));
    if (wrong) return { text: say("broken", { entry: wrong }), isWrong: true };
    if (isCut) return { text: words.cut, isWrong: true };
    if (missing) return { text: say("receipt_wrong", missing), isWrong: true };
    const found = receipts.length ? [t("ledger_receipts", { count: receipts.length })] : [];
    return { text: words.whole, more: [...found, say("digest", journal)] };
  }

  // The changes that administrators made after the close: when, by whom and why.
  async #drawCorrections(digest) {
    this.#correctedTo = digest;
    let bodies;
    try {
      const { entries } = await this.#journal();
      bodies = entries.map(({ body }) => body && JSON.parse(body)).filter((body) => body?.reason);
    } catch {
      this.#correctedTo = undefined; // the next reload causes another request
      return;
    }
    document.getElementById("corrections").replaceChildren(...bodies.map((body) => {
      const row = make("li");
      row.append(node("time", "tabular hint", dateTime(body.at_ms, this.#page.zone)));
      row.append(node("span", "", say(body.kind === "withdrawn" ? "striking" : "correction", body)));
      return row;
    }));
  }

  #journal() {
    return getJSON(`/api/windows/${this.#page.id}/journal`);
  }
}
