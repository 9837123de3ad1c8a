// @ts-check
import { el, show } from "../shared/dom.js";
import { grouped } from "../shared/money.js";
import { seconds } from "./scale.js";

/**
 * The badge: over-issued, under-issued, lost, by the newest check; and the verdict once there is one.
 */
export class BadgePanel {
  /** @param {import("./words.js").Say} say */
  constructor(say) {
    this._say = say;
    this._counts = new Map(["over", "under", "lost"].map((name) => [name, el("b", { class: "num" }, "0")]));
    this._cells = [...this._counts].map(([name, count]) => el("div", {}, el("span", {}, say(name)), count));
    this._verdict = el("div", { class: "verdict", hidden: true });
    this._note = el("p");
    this.element = el("section", { class: "badge amber", "aria-label": say("badge") }, ...this._cells, this._verdict, this._note);
    this._status = el("p", { class: "sr", role: "status" });
    this.element.append(this._status);
  }

  /** @param {any} picture */
  update(picture) {
    const { badge, verdict } = picture;
    this.element.className = `badge ${badge.light} ${verdict ? "ended" : ""}`;
    for (const [at, [name, count]] of [...this._counts].entries()) {
      count.textContent = grouped(badge[name]);
      this._cells[at].classList.toggle("broken", badge[name] > 0);
    }
    show(this._note, this._told(picture));
    this._showVerdict(verdict);
    const status = `${this._say(`light_${badge.light}`)} ${verdict ? this._say(`verdict_${verdict.verdict}`) : ""}`;
    if (this._status.textContent !== status) this._status.textContent = status;
  }

  /** @param {any} picture */
  _told({ badge, at_ms: nowMs, verdict }) {
    const say = this._say;
    const ago = badge.checked_at_ms === null ? "" : seconds(nowMs - badge.checked_at_ms);
    if (badge.light === "red") {
      const proof = badge.proofs[0];
      if (proof?.invariant === "A1" && proof.claims !== null) {
        const packet = proof.packet_name || proof.packet_id;
        const told = { packet, allocator: proof.allocator, claims: grouped(proof.claims), count: grouped(proof.share_count) };
        return `${say(proof.allocator ? "over_issued" : "over_issued_there", told)} ${proof.witnesses.length > 1 ? say("two_prove_it") : ""}`;
      }
      const packet = proof?.packet_name || proof?.packet_id;
      return `${say(`invariant_${proof?.invariant}`)}${packet ? ` · ${packet}` : ""}`;
    }
    if (badge.light === "amber") return say(`why_${badge.why}`, { ago });
    if (badge.why === "receipts_only") return say("checked_receipts", { receipts: grouped(badge.receipts), ago });
    if (verdict) return say("checked_at_last", { receipts: grouped(badge.receipts) });
    return badge.receipts ? say("checked", { receipts: grouped(badge.receipts), ago }) : say("checked_books", { ago });
  }

  /** @param {any} verdict */
  _showVerdict(verdict) {
    this._verdict.hidden = !verdict;
    if (!verdict || this._verdict.childElementCount) return;
    const say = this._say;
    const reasons = verdict.reasons.map((/** @type {string} */ reason) => say(`reason_${reason}`)).join(" · ");
    show(
      this._verdict,
      el("strong", { class: verdict.verdict }, say(`verdict_${verdict.verdict}`)),
      reasons && el("small", {}, reasons),
      verdict.report && el("a", { href: verdict.report }, say("report")),
    );
  }
}
