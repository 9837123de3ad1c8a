// @ts-check
import { el, show } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { packetList } from "./packet_list.js";
import { say } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * The tool of the live control panel that sends red packets (DY-UI-1): the list with its operations, the drawer of a
 * new packet (DY-UI-2), and what the platform advises.
 *
 * @param {Desk} desk
 */
export function send(desk) {
  const funds = el("p", { class: "avail" });
  const list = packetList(desk);
  const advice = desk.rulebook.advice.map((/** @type {any} */ each) => adviceLine(each));
  return {
    node: el(
      "div",
      {},
      advice.length ? el("ul", { class: "card advice", "aria-label": say("advice") }, ...advice) : null,
      funds,
      list.node,
    ),
    refresh: async () => {
      show(funds, `${say("available_funds")} `, el("b", { class: "num" }, `¥${yuan(desk.funds.available_fen)}`));
      await list.refresh();
    },
  };
}

/**
 * A sentence of advice in the language of the page; the rulebook has it in English.
 *
 * @param {{text: string, rule: string}} advice
 */
function adviceLine(advice) {
  const number = /[A-Z]+-\d+$/.exec(advice.rule)?.[0] ?? "";
  const known = { "LAU-10": say("advice_early"), "VOI-2": say("advice_void") };
  return el(
    "li",
    {},
    known[/** @type {keyof typeof known} */ (number)] ?? advice.text,
    " ",
    el("code", { class: "rule" }, advice.rule),
  );
}
