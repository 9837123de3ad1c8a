// @ts-check
import { el, show } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { textOf } from "../shared/texts.js";
import { Form, textInput } from "./form.js";
import { notice, overlay } from "./overlay.js";
import { channelWord } from "./recharge.js";
import { Table } from "./table.js";
import { DAY_MS, dayAndTime, fieldOf, instantOf, midnight } from "./times.js";
import { say } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * The invoices for the fees of recharges (KS-ACC-3): the creator asks for one of a period that is over, the platform
 * issues it.
 *
 * @param {Desk} desk
 */
export function invoiceList(desk) {
  const table = new Table({
    name: say("tab_invoices"),
    empty: say("no_invoices"),
    key: (/** @type {any} */ row) => String(row.number),
    columns: [
      { label: say("col_number"), cell: (row) => [el("span", { class: "num" }, `#${row.number}`)] },
      {
        label: say("col_period"),
        cell: (row) => [`${dayAndTime(row.from_ms, desk.lang)} – ${dayAndTime(row.to_ms, desk.lang)}`],
      },
      {
        label: say("col_fee"),
        cell: (row) => [
          el("span", { class: "num" }, `¥${yuan(row.fee_fen)}`),
          el(
            "small",
            {},
            row.channels
              .map((/** @type {any} */ each) => `${channelWord(each.channel)} ¥${yuan(each.fee_fen)}`)
              .join(" · "),
          ),
        ],
      },
      {
        label: say("col_status"),
        cell: (row) => [
          el(
            "span",
            { class: `chip k-${row.state === "issued" ? "settled" : "warming"}` },
            textOf("invoice_state", row.state),
          ),
        ],
      },
    ],
    turn: () => void refresh(),
  });
  const ask = el("button", { type: "button", class: "btn p", onclick: () => openInvoice(desk) }, say("ask_invoice"));

  async function refresh() {
    const rows = (await desk.api.get(desk.of("invoices"))).reverse();
    table.update(rows.slice(table.skip, table.skip + table.size), rows.length);
  }

  return {
    node: el("section", { class: "card" }, el("div", { class: "tool" }, el("span", { class: "sp" }), ask), table.node),
    refresh,
  };
}

/** @param {Desk} desk */
function openInvoice(desk) {
  const form = new Form();
  const now = Math.floor(desk.clock.now());
  const fees = el("p", { class: "hint", role: "status" });
  const from = textInput(fieldOf(midnight(now) - 30 * DAY_MS), { type: "datetime-local", step: 1 });
  const to = textInput(fieldOf(now), { type: "datetime-local", step: 1 });

  async function preview() {
    const [fromMs, toMs] = [instantOf(from.value), instantOf(to.value)];
    if (fromMs === null || toMs === null) return;
    try {
      const found = await desk.api.get(desk.of("fee-invoice"), { from_ms: fromMs, to_ms: toMs });
      show(fees, say("fees_of_period", { sum: yuan(found.fee_fen) }));
    } catch {
      show(fees);
    }
  }

  async function submit() {
    try {
      const made = await desk.api.post(desk.of("invoices"), {
        from_ms: instantOf(from.value),
        to_ms: instantOf(to.value),
      });
      box.close();
      notice(say("invoice_done", { number: made.number }));
      desk.changed();
    } catch (error) {
      form.refuse(error);
    }
  }

  form.node.append(
    form.error,
    el(
      "div",
      { class: "g2" },
      form.field("from_ms", { label: say("from"), input: from }),
      form.field("to_ms", { label: say("until"), input: to, hint: say("period_hint") }),
    ),
    fees,
  );
  form.node.addEventListener("input", () => void preview());
  form.node.addEventListener("submit", () => void submit());
  void preview();
  const box = overlay({
    kind: "dialog small",
    title: say("ask_invoice"),
    body: [form.node],
    foot: [
      el("button", { type: "button", class: "btn l", onclick: () => box.close() }, say("cancel")),
      el("button", { type: "button", class: "btn p l", onclick: () => void submit() }, say("ask_invoice")),
    ],
  });
}
