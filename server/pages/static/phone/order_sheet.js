// @ts-check
import { el, show } from "../shared/dom.js";
import { fenOf, yuan } from "../shared/money.js";
import { billList } from "./bill.js";
import { goodsBox } from "./goods_box.js";
import { timeOfDay } from "./names.js";
import { sharesOf } from "./shares.js";
import { said, tellIn } from "./sheets.js";
import { openTrail } from "./trail_sheet.js";
import { token } from "./viewer.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").Word} Word */
/**
 * @typedef {{order_id: string, state: string, created_at_ms: number, payable_fen: number, kept_fen: number,
 *   refunded_by_line: Record<string, number>, packets: {asset_id: string, face_fen: number, used_fen: number,
 *   state: string}[], quote: import("./waterfall.js").Quote}} Order
 */

/** @type {Record<string, string>} */
export const STATE_CHIPS = { submitted_unpaid: "c-a", paid: "c-g", cancelled: "c-u", refunded: "c-u", final: "c-m" };

/**
 * One order: what it cost, what became of its packets, and what the buyer may do with it.
 *
 * @param {Page} page
 * @param {string} orderId
 * @param {Order} [known]
 */
export function openOrder(page, orderId, known) {
  const { say, viewer } = page;
  const content = page.sheets.open(say("order"), { full: true });
  const path = `api/orders/${encodeURIComponent(orderId)}`;
  tellIn(content, say("loading"));
  void (known ? draw(known) : load());

  async function load() {
    try {
      await draw(await viewer.api.get(path));
    } catch (error) {
      tellIn(content, said(page, error), { label: say("again"), again: () => void load() });
    }
  }

  /** @param {Order} order */
  async function draw(order) {
    const shares = await sharesOf(page).catch(() => []);
    const state = el("span", { class: `chip ${STATE_CHIPS[order.state] ?? "c-u"}`, role: "status" }, say(/** @type {Word} */ (`order_${order.state}`)));
    show(content,
      goodsBox(page.titleOf(order.quote.lines[0].product_id), el("small", {}, say("order_number"), " ", el("span", { class: "num" }, order.order_id)), el("small", {}, timeOfDay(order.created_at_ms, { date: true })), state),
      el("div", { class: "box" }, billList(page, order.quote, new Map(shares.map((share) => [share.asset_id, share])))),
      packetsOf(page, order), refunded(page, order),
      el("div", { class: "acts" }, ...actions(order)));
  }

  /** @param {Order} order */
  function actions(order) {
    if (order.state === "submitted_unpaid") {
      return [
        el("button", { class: "main", onclick: (event) => void step(event, "pay") }, say("pay", { amount: yuan(order.payable_fen) })),
        el("button", { class: "plain", onclick: (event) => void step(event, "cancel") }, say("cancel_order")),
        el("p", { class: "fine" }, say("pay_soon")),
      ];
    }
    if (order.state !== "paid") return order.state === "cancelled" ? [] : [trailButton()];
    return [trailButton(), refundForm(page, order, (event, body) => void step(event, "refunds", body))];
  }

  function trailButton() {
    return el("button", { class: "main", onclick: () => openTrail(page, orderId) }, say("logistics"));
  }

  /**
   * @param {Event} event
   * @param {string} name
   * @param {object} [body]
   */
  async function step(event, name, body) {
    const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
    button.disabled = true;
    try {
      await draw(await viewer.api.post(`${path}/${name}`, body));
    } catch (error) {
      button.disabled = false;
      page.toast(said(page, error));
    }
  }
}

/**
 * @param {Page} page
 * @param {Order} order
 */
function packetsOf({ say }, order) {
  if (!order.packets.length) return null;
  const rows = order.packets.map(({ face_fen, used_fen, state }) =>
    el("li", {}, el("span", {}, say("packet_of", { amount: yuan(face_fen) }), el("small", {}, say("used_amount", { amount: yuan(used_fen) }))), el("span", { class: "chip c-s" }, say(/** @type {Word} */ (`asset_${state}`)))));
  return el("div", { class: "box" }, el("h3", {}, say("packets_in_order")), el("ul", { class: "pairs" }, ...rows));
}

/**
 * @param {Page} page
 * @param {Order} order
 */
function refunded({ say }, order) {
  const back = order.state === "cancelled" || order.state === "submitted_unpaid" ? 0 : order.payable_fen - order.kept_fen;
  if (back <= 0) return null;
  return el("div", { class: "box" }, el("ul", { class: "pairs" }, el("li", {}, el("span", {}, say("money_back"), el("small", {}, say(order.state === "refunded" ? "packets_back" : "packets_stay"))), el("b", { class: "num" }, `¥${yuan(back)}`))));
}

/**
 * @param {Page} page
 * @param {Order} order
 * @param {(event: Event, body: object) => void} refund
 */
function refundForm({ say, toast }, order, refund) {
  const [line] = order.quote.lines;
  const left = line.paid_fen - (order.refunded_by_line[line.line_id] ?? 0);
  const extras = Math.max(0, order.kept_fen - left);
  const body = (/** @type {number} */ fen, /** @type {number} */ extras_fen) => ({ refund_id: token(), by_line: { [line.line_id]: fen }, extras_fen });
  const amount = el("input", { inputmode: "decimal", id: "refund", placeholder: yuan(Math.floor(left / 2)), "aria-describedby": "refund-note" });
  const part = (/** @type {Event} */ event) => {
    const fen = amount.value ? fenOf(amount.value) : Math.floor(left / 2);
    if (!fen || fen > left) return toast(say("refund_range", { amount: yuan(left) }));
    return refund(event, body(fen, 0));
  };
  return el("div", { class: "box refund" }, el("h3", {}, say("refund")),
    el("p", { class: "none", id: "refund-note" }, say("refund_note")),
    el("label", { for: "refund" }, say("refund_amount")),
    el("div", { class: "split" }, amount, el("button", { class: "plain", onclick: part }, say("refund_part"))),
    el("button", { class: "plain wide", onclick: (event) => refund(event, body(left, extras)) }, say("refund_full", { amount: yuan(left + extras) })));
}
