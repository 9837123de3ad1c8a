// @ts-check
import { el, icon, show } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { pictureOf } from "./goods.js";
import { timeOfDay } from "./names.js";
import { openOrder, STATE_CHIPS } from "./order_sheet.js";
import { said, tellIn } from "./sheets.js";

const ORDERS = 20;

/**
 * The viewer's orders, the latest first.
 *
 * @param {import("./page.js").Page} page
 */
export function openOrders(page) {
  const { say, viewer, state } = page;
  const content = page.sheets.open(say("orders"));
  tellIn(content, say("loading"));
  void load();

  async function load() {
    try {
      const { orders } = await viewer.api.get(`api/viewers/${encodeURIComponent(state().viewerId)}/orders`, { limit: ORDERS });
      show(content, ...(orders.length ? orders.map(row) : [el("p", { class: "empty" }, say("no_orders"))]));
    } catch (error) {
      tellIn(content, said(page, error), { label: say("again"), again: () => void load() });
    }
  }

  /** @param {import("./order_sheet.js").Order} order */
  function row(order) {
    const chip = el("span", { class: `chip ${STATE_CHIPS[order.state] ?? "c-u"}` }, say(/** @type {import("./page.js").Word} */ (`order_${order.state}`)));
    const title = page.titleOf(order.quote.lines[0].product_id);
    return el("button", { class: "box good row", onclick: () => openOrder(page, order.order_id) }, el("span", { class: "im" }, icon(pictureOf(title), { width: 54, height: 62 })),
      el("span", { class: "about" }, el("span", {}, title), el("small", {}, timeOfDay(order.created_at_ms, { date: true })), chip),
      el("b", { class: "num" }, `¥${yuan(order.payable_fen)}`));
  }
}
