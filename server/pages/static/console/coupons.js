// @ts-check
import { el } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { textOf } from "../shared/texts.js";
import { Form, figureInput } from "./form.js";
import { confirmed, notice, overlay } from "./overlay.js";
import { Table } from "./table.js";
import { dayAndTime } from "./times.js";
import { say } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * The budgets of the creator's coupons: they draw on the same funds as packets (DY-ACC-3), and what is left comes back.
 *
 * @param {Desk} desk
 */
export function coupons(desk) {
  const table = new Table({
    name: say("coupons"),
    empty: say("no_coupons"),
    key: (/** @type {any} */ row) => row.budget_id,
    columns: [
      {
        label: say("col_budget"),
        cell: (row) => [
          el("span", { class: "num" }, row.budget_id),
          el("small", {}, dayAndTime(row.funded_at_ms, desk.lang)),
        ],
      },
      { label: say("col_sum"), kind: "r", cell: (row) => [el("span", { class: "num" }, `¥${yuan(row.amount_fen)}`)] },
      { label: say("col_left"), kind: "r", cell: (row) => [el("span", { class: "num" }, `¥${yuan(row.left_fen)}`)] },
      {
        label: say("col_status"),
        cell: (row) => [
          el(
            "span",
            { class: `chip k-${row.state === "open" ? "grabbing" : "settled"}` },
            textOf("coupon_budget_state", row.state),
          ),
          row.returned_at_ms ? el("small", {}, dayAndTime(row.returned_at_ms, desk.lang)) : null,
        ],
      },
      {
        label: say("col_operations"),
        kind: "op",
        cell: (row) => [
          row.state === "open"
            ? el(
                "div",
                { class: "ops" },
                el(
                  "button",
                  { type: "button", "data-focus": `${row.budget_id}-return`, onclick: () => void giveBack(desk, row) },
                  say("budget_return"),
                ),
              )
            : null,
        ],
      },
    ],
    turn: () => void refresh(),
  });
  const fund = el(
    "button",
    { type: "button", class: "btn p", onclick: () => openFund(desk) },
    `+ ${say("new_budget")}`,
  );

  async function refresh() {
    const rows = await desk.api.get(desk.of("coupon-budgets"), {
      skip: table.skip,
      count: table.size + 1,
      newest: true,
    });
    table.update(rows.slice(0, table.size), null, rows.length > table.size);
  }

  return {
    node: el(
      "section",
      { class: "card" },
      el("div", { class: "tool" }, el("p", { class: "hint" }, say("coupons_why")), el("span", { class: "sp" }), fund),
      table.node,
    ),
    refresh,
  };
}

/** @param {Desk} desk */
function openFund(desk) {
  const form = new Form();
  form.node.append(
    form.error,
    form.field("amount_fen", {
      label: say("amount"),
      aside: `${say("available")} ¥${yuan(desk.funds.available_fen)}`,
      input: figureInput(),
    }),
  );

  async function submit() {
    const fen = form.fen("amount_fen");
    if (fen === null) return;
    try {
      await desk.api.post(desk.of("coupon-budgets"), { amount_fen: fen });
      box.close();
      notice(say("budget_done", { sum: yuan(fen) }));
      desk.changed();
    } catch (error) {
      form.refuse(error);
    }
  }

  form.node.addEventListener("submit", () => void submit());
  const box = overlay({
    kind: "dialog small",
    title: say("new_budget"),
    body: [form.node],
    foot: [
      el("button", { type: "button", class: "btn l", onclick: () => box.close() }, say("cancel")),
      el("button", { type: "button", class: "btn p l", onclick: () => void submit() }, say("new_budget")),
    ],
  });
}

/**
 * @param {Desk} desk
 * @param {any} budget
 */
async function giveBack(desk, budget) {
  const yes = await confirmed({
    title: say("budget_return"),
    text: say("budget_return_text", { sum: yuan(budget.left_fen) }),
    go: say("budget_return"),
  });
  if (!yes) return;
  await desk.api.post(desk.of(`coupon-budgets/${encodeURIComponent(budget.budget_id)}/return`));
  desk.changed();
}
