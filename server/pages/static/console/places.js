// @ts-check
import { controlRoom } from "./control_room.js";
import { coupons } from "./coupons.js";
import { effects } from "./effects.js";
import { favor, tools } from "./favor.js";
import { manage } from "./manage.js";
import { orders } from "./orders.js";
import { send } from "./send.js";
import { wallet } from "./wallet.js";
import { say } from "./words.js";

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {import("./shell.js").Place} Place
 */

/**
 * The menu of a creator's platform: where its entries stand is the platform's rule (DY-UI-1, KS-UI-1), and the words
 * of the way become the breadcrumbs.
 *
 * @param {Desk} desk
 * @returns {Place[]}
 */
export function placesOf(desk) {
  const rule = (/** @type {string} */ what) =>
    desk.rulebook.places.find((/** @type {any} */ place) => place.what === what)?.rule ?? "";
  const common = [
    place("effects", "menu_marketing", "bars", ["menu_marketing", "effects"], effects),
    place("coupons", "menu_marketing", "ticket", ["menu_marketing", "coupons"], coupons),
    place("orders", "menu_orders", "receipt", ["menu_orders", "orders"], orders),
  ];
  if (desk.activities) {
    return [
      place("control", "menu_live", "screen", ["menu_live", "control"], controlRoom),
      place("tools", "menu_centre", "grid", ["menu_shop", "menu_centre", "all_tools"], tools, rule("entry")),
      place("manage", "menu_centre", "heart", ["menu_shop", "menu_centre", "all_tools", "favor"], favor, rule("entry")),
      place("wallet", "menu_centre", "wallet", ["menu_shop", "menu_centre", "wallet"], wallet, rule("recharge")),
      ...common,
    ];
  }
  return [
    place("control", "menu_live", "screen", ["menu_live", "control"], controlRoom),
    place("send", "menu_live", "packet-line", ["menu_live", "control", "live_tools", "send"], send, rule("entry")),
    place("manage", "menu_marketing", "wallet", ["menu_marketing", "manage"], manage, rule("entry")),
    ...common,
  ];
}

/**
 * @param {string} id
 * @param {Parameters<typeof say>[0]} group
 * @param {string} icon
 * @param {Parameters<typeof say>[0][]} crumbs
 * @param {Place["make"]} make
 * @param {string} [rule]
 * @returns {Place}
 */
function place(id, group, icon, crumbs, make, rule = "") {
  return { id, group: say(group), icon, crumbs: crumbs.map((crumb) => say(crumb)), rule, make };
}
