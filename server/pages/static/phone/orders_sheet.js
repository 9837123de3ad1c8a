// @ts-check
import { el, icon, show } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { timeOfDay } from "./names.js";
import { openOrder, STATE_CHIPS } from "./order_sheet.js";
import { said, tellIn } from "./sheets.js";
import { openTrail } from "./trail_sheet.js";

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
      const trails = await viewer.api.get("api/trails", { viewer_id: state().viewerId, count: ORDERS });
      // An order that was made elsewhere has a trail, but is not kept here.
      const orders = await Promise.all(trails.map((/** @type {any} */ { order_id }) => viewer.api.get(`api/orders/${encodeURIComponent(order_id)}`).catch(() => ({ order_id }))));
      show(content, ...(orders.length ? orders.map(row) : [el("p", { class: "empty" }, say("no_orders"))]));
    } catch (error) {
      tellIn(content, said(page, error), { label: say("again"), again: () => void load() });
    }
  }

  /** @param {Partial<import("./order_sheet.js").Order> & {order_id: string}} order */
  function row(order) {
    const open = () => (order.quote ? openOrder(page, order.order_id) : openTrail(page, order.order_id));
    const chip = order.state ? el("span", { class: `chip ${STATE_CHIPS[order.state] ?? "c-u"}` }, say(/** @type {import("./page.js").Word} */ (`order_${order.state}`))) : null;
    return el("button", { class: "box good row", onclick: open }, el("span", { class: "im" }, icon("tin", { width: 54, height: 62 })),
      el("span", { class: "about" }, el("span", {}, order.quote ? page.titleOf(order.quote.lines[0].product_id) : order.order_id), el("small", {}, order.created_at_ms ? timeOfDay(order.created_at_ms, { date: true }) : ""), chip),
      order.payable_fen === undefined ? null : el("b", { class: "num" }, `¥${yuan(order.payable_fen)}`));
  }
}
