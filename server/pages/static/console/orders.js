// @ts-check
import { el, show } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { textOf } from "../shared/texts.js";
import { overlay } from "./overlay.js";
import { Table } from "./table.js";
import { dayAndTime } from "./times.js";
import { say } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

const KINDS = {
  submitted_unpaid: "warming",
  paid: "grabbing",
  cancelled: "voided",
  refunded: "voided",
  final: "settled",
};
const LINES = [
  "base_fen",
  "merchant_gross_fen",
  "commission_fen",
  "service_fee_fen",
  "subsidies_fen",
  "merchant_net_fen",
  "creator_net_fen",
  "platform_net_fen",
];

/**
 * The orders of the creator, the latest first, each with who has what of it (DY-SET-1).
 *
 * @param {Desk} desk
 */
export function orders(desk) {
  /** @type {(string | null)[]} */
  const starts = [null]; // where each page begins: the list is read on from an order
  const table = new Table({
    name: say("orders"),
    empty: say("no_orders"),
    key: (/** @type {any} */ row) => row.order_id,
    columns: [
      {
        label: say("col_order"),
        cell: (row) => [
          el("span", { class: "num" }, row.order_id),
          el("small", {}, dayAndTime(row.created_at_ms, desk.lang)),
        ],
      },
      { label: say("col_buyer"), cell: (row) => [el("bdi", { class: "name" }, row.viewer_id)] },
      {
        label: say("col_payable"),
        kind: "r",
        cell: (row) => [
          el("span", { class: "num" }, `¥${yuan(row.payable_fen)}`),
          el("small", {}, say("kept_sum", { sum: yuan(row.kept_fen) })),
        ],
      },
      {
        label: say("col_packets"),
        kind: "r",
        cell: (row) => [
          el("span", { class: "num" }, `¥${yuan(used(row))}`),
          el("small", {}, say("packet_count", { count: row.packets.length })),
        ],
      },
      {
        label: say("col_status"),
        cell: (row) => [
          el(
            "span",
            { class: `chip k-${KINDS[/** @type {keyof typeof KINDS} */ (row.state)] ?? "draft"}` },
            textOf("order_state", row.state),
          ),
        ],
      },
      {
        label: say("col_operations"),
        kind: "op",
        cell: (row) => [
          el(
            "div",
            { class: "ops" },
            el(
              "button",
              { type: "button", "data-focus": `${row.order_id}-settle`, onclick: () => void openSettlement(desk, row) },
              say("settlement"),
            ),
          ),
        ],
      },
    ],
    turn: () => void refresh(),
  });

  async function refresh() {
    const rows = await desk.api.get("api/orders", {
      creator_id: desk.creator,
      count: table.size + 1,
      after: starts[table.page],
    });
    if (rows.length > table.size) starts[table.page + 1] = rows[table.size - 1].order_id;
    table.update(rows.slice(0, table.size), null, rows.length > table.size);
  }

  return { node: el("section", { class: "card" }, table.node), refresh };
}

/** @param {any} order */
function used(order) {
  return order.packets.reduce((/** @type {number} */ sum, /** @type {any} */ packet) => sum + packet.used_fen, 0);
}

/**
 * @param {Desk} desk
 * @param {any} order
 */
async function openSettlement(desk, order) {
  const settled = await desk.api.get(`api/orders/${encodeURIComponent(order.order_id)}/settlement`);
  const list = el("dl", { class: "facts" });
  show(
    list,
    ...LINES.flatMap((name) => [
      el("dt", {}, say(/** @type {any} */ (`settle_${name}`))),
      el("dd", { class: "num" }, `¥${yuan(settled[name])}`),
    ]),
  );
  overlay({
    title: say("settlement_title", { order: order.order_id }),
    body: [el("p", { class: "hint" }, say(settled.final ? "settlement_final" : "settlement_open")), list],
  });
}
