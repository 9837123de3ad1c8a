// @ts-check
import { el } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { Table } from "./table.js";
import { dayAndTime } from "./times.js";
import { say } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * The fund details: every movement of the funds, the latest first, with what was available after it (KS-ACC-5, DY-ACC-8).
 *
 * @param {Desk} desk
 */
export function journal(desk) {
  /** @type {string[]} */
  const starts = ["0"]; // where each page begins: the journal is read on from an entry
  const table = new Table({
    name: say("tab_journal"),
    empty: say("no_movements"),
    key: (/** @type {any} */ row) => row.entry_id,
    columns: [
      {
        label: say("col_time"),
        cell: (row) => [dayAndTime(row.at_ms, desk.lang), el("small", { class: "num" }, row.entry_id)],
      },
      {
        label: say("col_kind"),
        cell: (row) => [kind(row.kind), el("small", { class: "num" }, row.packet_id || row.transfer_id)],
      },
      { label: say("col_sum"), kind: "r", cell: (row) => [sum(desk, row)] },
      {
        label: say("col_balance"),
        kind: "r",
        cell: (row) => [el("span", { class: "num" }, `¥${yuan(row.balance_fen)}`)],
      },
      { label: say("col_from_to"), cell: (row) => [el("small", { class: "num" }, `${row.debit} → ${row.credit}`)] },
    ],
    turn: () => void refresh(),
  });

  async function refresh() {
    const rows = await desk.api.get(desk.of("fund-details"), {
      after: starts[table.page] ?? "0",
      count: table.size + 1,
      newest: true,
    });
    if (rows.length > table.size) starts[table.page + 1] = rows[table.size - 1].entry_id;
    table.update(rows.slice(0, table.size), null, rows.length > table.size);
  }

  return { node: el("section", { class: "card" }, table.node), refresh };
}

/**
 * @param {Desk} desk
 * @param {any} row
 */
function sum(desk, row) {
  const into = row.credit === `funds:${desk.creator}`;
  return el("span", { class: `num ${into ? "ok" : ""}` }, `${into ? "+" : "−"}¥${yuan(row.amount_fen)}`);
}

/** @param {string} name */
function kind(name) {
  const word = say(/** @type {any} */ (`kind_${name}`));
  return word.startsWith("kind_") ? name : word;
}
