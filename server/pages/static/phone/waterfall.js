// @ts-check
/**
 * A quote as rows of a bill: goods, then each stage with its discounts, then what is never discounted. Pure.
 *
 * @typedef {{discount_id: string, kind: string, stage: string, funder: string, amount_fen: number}} Deduction
 * @typedef {{lines: {line_id: string, product_id: string, list_fen: number, paid_fen: number}[],
 *   deductions: Deduction[], unused: Record<string, string>, asset_ids: string[],
 *   exclusions: {asset_id: string, reason: string, rule: string}[], goods_paid_fen: number, shipping_fen: number,
 *   service_fee_fen: number, payable_fen: number, approximate: boolean}} Quote
 * @typedef {{row: "goods", fen: number} | {row: "stage", stage: string, number: number} |
 *   {row: "off", deduction: Deduction} | {row: "extra", what: "shipping" | "service_fee", fen: number} |
 *   {row: "payable", fen: number}} BillRow
 */

/** @type {[stage: string, stages: string[]][]} shop and platform count side by side */
const STAGES = [["item", ["item"]], ["coupons", ["shop", "platform"]], ["funds", ["funds"]]];

/**
 * @param {Quote} quote
 * @returns {BillRow[]}
 */
export function billOf(quote) {
  /** @type {BillRow[]} */
  const rows = [{ row: "goods", fen: sum(quote.lines.map(({ list_fen }) => list_fen)) }];
  let number = 0;
  for (const [stage, stages] of STAGES) {
    const off = quote.deductions.filter((deduction) => stages.includes(deduction.stage) && deduction.amount_fen > 0);
    if (!off.length) continue;
    rows.push({ row: "stage", stage, number: ++number }, ...off.map((deduction) => /** @type {BillRow} */ ({ row: "off", deduction })));
  }
  const extras = /** @type {BillRow[]} */ ([
    { row: "extra", what: "shipping", fen: quote.shipping_fen },
    { row: "extra", what: "service_fee", fen: quote.service_fee_fen },
  ]).filter((row) => row.row === "extra" && row.fen > 0);
  if (extras.length) rows.push({ row: "stage", stage: "never", number: ++number }, ...extras);
  rows.push({ row: "payable", fen: quote.payable_fen });
  return rows;
}

/**
 * Everything that was taken off.
 *
 * @param {Quote} quote
 */
export function savedFen(quote) {
  return sum(quote.deductions.map(({ amount_fen }) => amount_fen));
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((so_far, number) => so_far + number, 0);
}
