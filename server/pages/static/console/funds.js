// @ts-check
import { el, show } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { openRecharge } from "./recharge.js";
import { say } from "./words.js";
import { openWithdraw } from "./withdrawals.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * The available funds and the four sums they are made of (DY-ACC-1), with what one may do with them.
 *
 * @param {Desk} desk
 * @param {((tab: string) => void) | null} open shows a tab of the same page; null where recharge has a page of its own
 */
export function fundsCard(desk, open) {
  const total = el("div", { class: "tot num" });
  const formula = el("div", { class: "fx" });
  const link = (/** @type {(tab: string) => void} */ show, /** @type {string} */ tab) =>
    el("button", { type: "button", class: "ln", onclick: () => show(tab) }, say(/** @type {any} */ (`tab_${tab}`)));
  const withdrawable = desk.limit("withdraw_channels").value?.length !== 0;
  const acts = (/** @type {(tab: string) => void} */ show) =>
    el(
      "div",
      { class: "acts" },
      el("button", { type: "button", class: "btn p", onclick: () => openRecharge(desk) }, say("recharge")),
      withdrawable
        ? el("button", { type: "button", class: "btn", onclick: () => openWithdraw(desk) }, say("withdraw"))
        : null,
      link(show, "journal"),
      link(show, "invoices"),
    );
  const node = el(
    "section",
    { class: "card funds", "aria-label": say("funds") },
    el("div", {}, el("h2", {}, say(desk.activities ? "wallet_balance" : "available_funds")), total),
    formula,
    open ? acts(open) : null,
  );
  let said = "";

  function refresh() {
    const { funds } = desk;
    if (said === JSON.stringify(funds)) return;
    said = JSON.stringify(funds);
    show(total, el("small", {}, "¥"), yuan(funds.available_fen));
    show(
      formula,
      part("recharged", funds.recharged_fen, "ok"),
      sign("+"),
      part("returned", funds.returned_fen, "ok2"),
      sign("−"),
      part("withdrawn", funds.withdrawn_fen, "gold"),
      sign("−"),
      part("spent", funds.spent_fen, "red"),
      funds.reversing_fen ? el("p", { class: "hint" }, say("reversing", { sum: yuan(funds.reversing_fen) })) : null,
    );
  }

  return { node, refresh };
}

/**
 * @param {"recharged" | "returned" | "withdrawn" | "spent"} name
 * @param {number} fen
 * @param {string} kind
 */
function part(name, fen, kind) {
  return el(
    "div",
    { title: say(`${name}_why`) },
    el("span", {}, el("i", { class: `mini ${kind}` }), say(name)),
    el("b", { class: "num" }, yuan(fen)),
  );
}

/** @param {string} text */
function sign(text) {
  return el("i", { "aria-hidden": "true" }, text);
}
