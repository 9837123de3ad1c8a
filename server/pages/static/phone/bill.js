// @ts-check
import { el, icon } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { nameOf } from "./names.js";
import { ownerOf } from "./shares.js";
import { billOf } from "./waterfall.js";

const CHIPS = { merchant: "c-m", creator: "c-s", platform: "c-p", unstated: "c-u" };

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").Word} Word */
/** @typedef {import("./waterfall.js").Quote} Quote */
/** @typedef {Map<string, import("./shares.js").Share>} Shares by asset id */

/**
 * The waterfall of a quote, line by line, with who pays for each.
 *
 * @param {Page} page
 * @param {Quote} quote
 * @param {Shares} shares
 */
export function billList(page, quote, shares) {
  const { say } = page;
  const kuaishou = quote.deductions.some(({ stage }) => stage === "item" || stage === "platform");
  const rows = billOf(quote).map((bill) => {
    if (bill.row === "stage") {
      const word = bill.stage === "funds" && kuaishou ? "stage_money" : `stage_${bill.stage}`;
      return el("li", { class: "st" }, `${bill.number} · ${say(/** @type {Word} */ (word))}`);
    }
    if (bill.row === "off") {
      const { deduction } = bill;
      return line(nameIn(page, deduction, shares), funderChip(page, deduction.funder), -deduction.amount_fen, "neg");
    }
    if (bill.row === "extra") return line(say(bill.what), null, bill.fen);
    return line(say(bill.row === "goods" ? "goods_price" : "payable"), null, bill.fen, bill.row === "payable" ? "sum" : "");
  });
  return el("ul", { class: "wf" }, ...rows);
}

/**
 * Why these packets were chosen, and why not the others.
 *
 * @param {Page} page
 * @param {Quote} quote
 * @param {Shares} shares
 */
export function reasons(page, quote, shares) {
  const { say } = page;
  const used = quote.deductions.filter(({ discount_id }) => quote.asset_ids.includes(discount_id));
  const fen = used.reduce((sum, { amount_fen }) => sum + amount_fen, 0);
  const chosen = used.length
    ? reason("yes", say(used.length > 1 ? "chosen_many" : "chosen_one", { count: used.length, amount: yuan(fen) }), say(quote.approximate ? "chosen_roughly" : page.platform() === "kuaishou" ? "chosen_best" : "chosen_stacked"))
    : reason("no", say("chosen_none"), say("chosen_none_more"));
  const against = quote.exclusions.map(({ asset_id, reason: why }) => {
    const share = shares.get(asset_id);
    const name = share ? [nameOf(ownerOf(page, share)), ` ¥${yuan(share.face_fen)}`] : [`…${asset_id.slice(-6)}`];
    return reason("no", el("span", {}, ...name), say(/** @type {Word} */ (`not_${why}`)));
  });
  const unused = Object.entries(quote.unused).map(([discount_id, why]) => {
    const offer = page.offers().find((each) => each.discount_id === discount_id);
    const name = offer ? `${say(/** @type {Word} */ (`kind_${offer.kind}`))} ¥${yuan(offer.amount_fen)}` : discount_id;
    return reason("no", name, say(/** @type {Word} */ (`unused_${why}`)));
  });
  return el("ul", { class: "why" }, chosen, ...against, ...unused);
}

/**
 * @param {Page} page
 * @param {string} funder
 */
function funderChip({ say }, funder) {
  const known = /** @type {keyof typeof CHIPS} */ (funder);
  return el("span", { class: `chip ${CHIPS[known] ?? "c-u"}` }, say(/** @type {Word} */ (`by_${funder}`)));
}

/**
 * @param {Page} page
 * @param {import("./waterfall.js").Deduction} deduction
 * @param {Shares} shares
 */
function nameIn(page, { discount_id, kind }, shares) {
  const share = shares.get(discount_id);
  const offer = page.offers().find((each) => each.discount_id === discount_id && each.kind === kind);
  if (offer?.threshold_fen) return page.say("off_over", { amount: whole(offer.amount_fen), over: whole(offer.threshold_fen) });
  if (!share) return page.say(/** @type {Word} */ (`kind_${kind}`));
  return el("span", {}, nameOf(ownerOf(page, share)), el("small", {}, nameOf(share.packet_name)));
}

/** @param {number} fen */
function whole(fen) {
  return yuan(fen).replace(/\.00$/, "");
}

/**
 * @param {import("../shared/dom.js").Child} name
 * @param {import("../shared/dom.js").Child} chip
 * @param {number} fen
 * @param {string} [kind]
 */
function line(name, chip, fen, kind = "") {
  return el("li", { class: kind }, el("span", {}, name), chip || el("span"), el("b", { class: "num" }, `${fen < 0 ? "−" : ""}¥${yuan(Math.abs(fen))}`));
}

/**
 * @param {"yes" | "no"} mark
 * @param {import("../shared/dom.js").Child} text
 * @param {string} why
 */
function reason(mark, text, why) {
  return el("li", {}, icon(mark, { width: 18, height: 18 }), el("span", {}, text, el("small", {}, why)));
}
