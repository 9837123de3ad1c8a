// @ts-check
import { el } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { textOf } from "../shared/texts.js";
import { Form, choice, figureInput, textInput } from "./form.js";
import { notice, overlay } from "./overlay.js";
import { channelWord } from "./recharge.js";
import { Table } from "./table.js";
import { dayAndTime } from "./times.js";
import { say } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * The dialog that asks for a withdrawal: amount, channel, and the payee that the platform wants to be named (DY-ACC-7).
 *
 * @param {Desk} desk
 */
export function openWithdraw(desk) {
  const form = new Form();
  const offered = /** @type {string[] | null} */ (desk.limit("withdraw_channels").value);
  const named = desk.limit("withdraw_names_payee").value === true;
  form.node.append(
    form.error,
    form.field("amount_fen", {
      label: say("amount"),
      aside: `${say("available")} ¥${yuan(desk.funds.available_fen)}`,
      input: figureInput(),
    }),
    offered?.length
      ? form.field("channel", {
          label: say("channel"),
          input: choice(offered.map((each) => [each, channelWord(each)])),
        })
      : "",
    form.field("payee.name", { label: say("payee_name"), aside: named ? null : say("optional"), input: textInput() }),
    form.field("payee.account", {
      label: say("payee_account"),
      aside: named ? null : say("optional"),
      input: textInput(),
      hint: el("span", {}, say("payee_hint"), " ", el("code", { class: "rule" }, desk.rule("withdraw_names_payee"))),
    }),
  );

  async function submit() {
    const fen = form.fen("amount_fen");
    if (fen === null) return;
    const payee = { name: form.text("payee.name"), account: form.text("payee.account") };
    try {
      await desk.api.post(desk.of("withdrawals"), {
        amount_fen: fen,
        ...(form.inputs.has("channel") ? { channel: form.text("channel") } : {}),
        ...(payee.name || payee.account ? { payee } : {}),
      });
      box.close();
      notice(say("withdrawal_done", { sum: yuan(fen) }));
      desk.changed();
    } catch (error) {
      form.refuse(error);
    }
  }

  form.node.addEventListener("submit", () => void submit());
  const box = overlay({
    kind: "dialog small",
    title: say("withdraw"),
    body: [form.node],
    foot: [
      el("button", { type: "button", class: "btn l", onclick: () => box.close() }, say("cancel")),
      el("button", { type: "button", class: "btn p l", onclick: () => void submit() }, say("withdraw")),
    ],
  });
}

/**
 * The withdrawals of a creator, the latest first.
 *
 * @param {Desk} desk
 */
export function withdrawalList(desk) {
  const table = new Table({
    name: say("tab_withdrawals"),
    empty: say("no_withdrawals"),
    key: (/** @type {any} */ row) => row.withdrawal_id,
    columns: [
      {
        label: say("col_time"),
        cell: (row) => [dayAndTime(row.requested_at_ms, desk.lang), el("small", { class: "num" }, row.withdrawal_id)],
      },
      { label: say("col_sum"), cell: (row) => [el("span", { class: "num" }, `¥${yuan(row.amount_fen)}`)] },
      { label: say("channel"), cell: (row) => [channelWord(row.channel)] },
      {
        label: say("payee"),
        cell: (row) =>
          row.payee ? [el("bdi", { class: "name" }, row.payee.name), el("small", {}, row.payee.account)] : ["—"],
      },
      {
        label: say("col_status"),
        cell: (row) => [
          stateChip(row.state),
          row.ended_at_ms ? el("small", {}, dayAndTime(row.ended_at_ms, desk.lang)) : null,
        ],
      },
    ],
    turn: () => void refresh(),
  });

  async function refresh() {
    const rows = await desk.api.get(desk.of("withdrawals"), { skip: table.skip, count: table.size + 1, newest: true });
    table.update(rows.slice(0, table.size), null, rows.length > table.size);
  }

  return { node: el("section", { class: "card" }, table.node), refresh };
}

/** @param {"pending" | "paid" | "failed"} state */
function stateChip(state) {
  const kinds = { pending: "warming", paid: "settled", failed: "voided" };
  return el("span", { class: `chip k-${kinds[state]}` }, textOf("withdrawal_state", state));
}
