// @ts-check
import { el } from "../shared/dom.js";
import { tile } from "./control_room.js";
import { fundsCard } from "./funds.js";
import { packetList } from "./packet_list.js";
import { say } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * All tools of the marketing centre, where favor packets are found (KS-UI-1).
 *
 * @param {Desk} _desk
 */
export function tools(_desk) {
  const tiles = [
    tile("heart", say("favor"), say("favor_why"), "manage"),
    tile("wallet", say("wallet"), say("wallet_why"), "wallet"),
    tile("ticket", say("coupons"), say("coupons_why"), "coupons"),
    tile("bars", say("effects"), say("effects_why"), "effects"),
  ];
  return { node: el("section", { class: "card" }, el("div", { class: "tiles" }, ...tiles)), refresh: async () => {} };
}

/**
 * The list of activities with edit and end, and the way to the page on which one recharges (KS-UI-2).
 *
 * @param {Desk} desk
 */
export function favor(desk) {
  const url = new URL(location.href);
  url.searchParams.set("view", "wallet");
  const recharge = el("a", { class: "btn", href: url.href, "data-view": "wallet" }, say("recharge"));
  const list = packetList(desk, [recharge]);
  const funds = fundsCard(desk, null);
  return {
    node: el("div", {}, funds.node, list.node),
    refresh: async () => {
      funds.refresh();
      await list.refresh();
    },
  };
}
