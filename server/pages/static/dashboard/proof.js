// @ts-check
import { el, show } from "../shared/dom.js";
import { grouped } from "../shared/money.js";
import { card } from "./panels.js";
import { shortYuan } from "./charts.js";
import { clockTime } from "./scale.js";

/** @typedef {import("./words.js").Say} Say */

/** What proves that an invariant is broken: two receipts of one share, or a receipt beside what the books say. */
export class ProofPanel {
  /** @param {Say} say */
  constructor(say) {
    this._say = say;
    this._title = el("span");
    this._two = el("div", { class: "two" });
    this._sum = el("p", { class: "sum" });
    this._at = 0;
    this._proofs = /** @type {any[]} */ ([]);
    this._turn = el("button", { type: "button", class: "turn", onclick: () => this._next() });
    const { element, remark } = card("proof", "", this._two, this._sum);
    remark.replaceWith(this._turn);
    element.querySelector("h2")?.prepend(this._title);
    this.element = element;
  }

  /** @param {any} picture */
  update(picture) {
    this._proofs = picture.badge.proofs;
    this.element.hidden = picture.badge.light !== "red";
    if (!this.element.hidden) this._draw();
  }

  _next() {
    this._at += 1;
    this._draw();
  }

  _draw() {
    const say = this._say;
    const at = this._at % Math.max(1, this._proofs.length);
    const proof = this._proofs[at];
    if (!proof) return;
    const [one, other] = proof.witnesses;
    const same = Boolean(other) && one.index !== null && one.index === other.index && one.viewer_id !== other.viewer_id;
    this._title.textContent = same ? say("two_owners") : `${proof.invariant} · ${say(`invariant_${proof.invariant}`)}`;
    this._turn.textContent = `${at + 1} / ${this._proofs.length}`;
    this._turn.setAttribute("aria-label", say("next_proof"));
    this._turn.hidden = this._proofs.length < 2;
    show(this._two, one && receipt(say, one, "A", same), other && el("div", { class: "sign", "aria-label": same ? say("same_share") : say("and") }, same ? "=" : "≠"),
      other && receipt(say, other, "B", same));
    show(this._sum, ...this._explained(proof, same));
  }

  /**
   * @param {any} proof
   * @param {boolean} same
   */
  _explained(proof, same) {
    const say = this._say;
    if (!same) return [el("bdi", { lang: "en" }, proof.detail)];
    const [one, other] = proof.witnesses;
    const ms = one.at_ms === null || other.at_ms === null ? null : Math.abs(one.at_ms - other.at_ms);
    const apart = ms === null ? "" : ms === 0 ? say("same_ms") : say("apart", { ms: grouped(ms) });
    const books = proof.claims === null ? "" : say("books_say", { count: grouped(proof.share_count), claims: grouped(proof.claims) });
    return [[say("both_told", { index: one.index }), apart, books].filter(Boolean).join(" ")];
  }
}

/**
 * @param {Say} say
 * @param {any} witness
 * @param {string} letter
 * @param {boolean} same
 */
function receipt(say, witness, letter, same) {
  const isReceipt = witness.kind === "receipt";
  const rows = [
    ["viewer", witness.viewer_id],
    ["packet_id", witness.packet_id],
    ["index", witness.index, same],
    ["amount", witness.amount_fen === null ? null : shortYuan(witness.amount_fen), same],
    [isReceipt ? "received" : "booked", witness.at_ms === null ? null : clockTime(witness.at_ms, true)],
    ["request_id", witness.request_id],
    ["claim_id", witness.claim_id],
  ].filter(([, value]) => value !== null && value !== "");
  return el("article", { class: "receipt" },
    el("h3", {}, say(isReceipt ? "receipt" : "claim", { letter }), isReceipt && el("span", { class: witness.status }, witness.status)),
    el("dl", {}, ...rows.map(([name, value, hot]) =>
      el("div", {}, el("dt", {}, String(name)), el("dd", { title: String(value) }, hot ? el("mark", {}, String(value)) : String(value))))));
}
