// @ts-check
import { el, show } from "../shared/dom.js";
import { fundsCard } from "./funds.js";
import { invoiceList } from "./invoices.js";
import { journal } from "./journal.js";
import { rechargeForm } from "./recharge.js";
import { say } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * The marketing wallet, the page of its own to which recharge leads (KS-UI-2): recharge, every movement, invoices.
 *
 * @param {Desk} desk
 */
export function wallet(desk) {
  const details = journal(desk);
  const invoices = invoiceList(desk);
  const funds = fundsCard(desk, null);
  const place = el("div", {});
  const fill = () => {
    const { node, go } = rechargeForm(desk, () => {
      fill();
      desk.changed();
    });
    show(place, node, go);
  };
  fill();
  return {
    node: el(
      "div",
      {},
      funds.node,
      el("section", { class: "card narrow" }, el("h2", {}, say("recharge")), place),
      el("h2", { class: "over" }, say("tab_journal")),
      details.node,
      el("h2", { class: "over" }, say("tab_invoices")),
      invoices.node,
    ),
    refresh: async () => {
      funds.refresh();
      await Promise.all([details.refresh(), invoices.refresh()]);
    },
  };
}
