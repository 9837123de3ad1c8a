// @ts-check
import { Refusal } from "../shared/api.js";
import { el, show } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { billList, reasons } from "./bill.js";
import { titleOf } from "./goods.js";
import { goodsBox } from "./goods_box.js";
import { nameOf } from "./names.js";
import { purchaseOf } from "./offers.js";
import { openOrder } from "./order_sheet.js";
import { creatorOf, sharesOf } from "./shares.js";
import { said, tellIn } from "./sheets.js";
import { token } from "./viewer.js";
import { savedFen } from "./waterfall.js";

/** @typedef {import("./page.js").Page} Page */

/**
 * The checkout of one product: what it costs, who pays for which discount, and why these packets.
 *
 * @param {Page} page
 * @param {import("./goods.js").Goods} goods
 */
export function openCheckout(page, goods) {
  const { say, state, viewer } = page;
  const content = page.sheets.open(say("checkout"), { full: true });
  const key = token();
  tellIn(content, say("loading"));
  void load();

  function asked() {
    return purchaseOf({ viewerId: state().viewerId, creatorId: creatorOf(state()), platform: page.platform() }, goods);
  }

  async function load() {
    try {
      const [quote, shares] = await Promise.all([viewer.api.post("api/orders/quote", asked()), sharesOf(page)]);
      draw(quote, new Map(shares.map((share) => [share.asset_id, share])));
    } catch (error) {
      tellIn(content, said(page, error), { label: say("again"), again: () => void load() });
    }
  }

  /**
   * @param {import("./waterfall.js").Quote} quote
   * @param {import("./bill.js").Shares} shares
   */
  function draw(quote, shares) {
    const pay = el("button", { onclick: () => void order(quote, pay) }, say("place_order"));
    show(content,
      goodsBox(titleOf(goods), el("small", {}, say("from_room"), " ", nameOf(state().creatorName || state().roomId), " · ×1")),
      el("div", { class: "box" }, billList(page, quote, shares)),
      el("div", { class: "box" }, el("h3", {}, say("why_these")), reasons(page, quote, shares)),
      el("div", { class: "pay" }, el("div", {}, el("b", { class: "num" }, `¥${yuan(quote.payable_fen)}`), el("small", {}, say("saved", { amount: yuan(savedFen(quote)) }))), pay));
  }

  /**
   * @param {import("./waterfall.js").Quote} quote
   * @param {HTMLButtonElement} button
   */
  async function order(quote, button) {
    button.disabled = true;
    try {
      const body = { ...asked(), asset_ids: quote.asset_ids, expected_payable_fen: quote.payable_fen, room_id: state().roomId };
      const placed = await viewer.api.post("api/orders", body, key);
      page.sheets.close();
      openOrder(page, placed.order_id, placed);
    } catch (error) {
      button.disabled = false;
      page.toast(said(page, error));
      if (error instanceof Refusal && error.status === 409) void load();
    }
  }
}
