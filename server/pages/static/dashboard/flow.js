// @ts-check
/**
 * The layout of the flow of money: three columns of bars, ribbons between them, and labels that do not overlap. Pure.
 *
 * @typedef {{funded_fen: number, claimed_fen: number, redeemed_fen: number, hands_fen: number, expired_fen: number,
 *   escrow_fen: number, returned_fen: number, gap_fen: number}} Money
 * @typedef {{name: string, fen: number, column: 0 | 1 | 2, y: number, height: number, labelY: number}} Bar
 * @typedef {{from: string, to: string, top: number, bottom: number, endTop: number, endBottom: number}} Ribbon
 */

const GAP = 14;
const LABEL = 44;
const LEAST = 2;

/**
 * @param {Money} money
 * @param {number} height of the drawing
 * @returns {{bars: Bar[], ribbons: Ribbon[]}}
 */
export function flowOf(money, height) {
  const unclaimed = money.escrow_fen + money.returned_fen;
  const whole = Math.max(money.funded_fen, money.claimed_fen + unclaimed, 1);
  const ends = [
    { name: "redeemed", fen: money.redeemed_fen, of: "claimed" },
    { name: "hands", fen: money.hands_fen, of: "claimed" },
    { name: "expired", fen: money.expired_fen, of: "claimed" },
    { name: "escrow", fen: money.escrow_fen, of: "unclaimed" },
    { name: "returned", fen: money.returned_fen, of: "unclaimed" },
  ].filter((end) => end.fen > 0);
  const middles = [
    { name: "claimed", fen: money.claimed_fen, of: "funded" },
    { name: "unclaimed", fen: unclaimed, of: "funded" },
  ].filter((middle) => middle.fen > 0);
  const free = height - GAP * Math.max(0, ends.length - 1);
  const size = (/** @type {number} */ fen) => Math.max(LEAST, (fen / whole) * free);
  const bars = [
    ...column(0, [{ name: "funded", fen: money.funded_fen }], size, height),
    ...column(1, middles, size, height),
    ...column(2, ends, size, height),
  ];
  return { bars, ribbons: ribbonsOf(bars, [...middles, ...ends], size) };
}

/**
 * @param {0 | 1 | 2} number
 * @param {{name: string, fen: number}[]} parts
 * @param {(fen: number) => number} size
 * @param {number} height
 * @returns {Bar[]}
 */
function column(number, parts, size, height) {
  let y = 0;
  const bars = parts.map((part) => {
    const bar = { ...part, column: number, y, height: size(part.fen), labelY: 0 };
    y += bar.height + GAP;
    return bar;
  });
  let free = 0;
  for (const bar of bars) {
    bar.labelY = Math.max(free, bar.y + Math.max(0, (bar.height - LABEL) / 2));
    free = bar.labelY + LABEL;
  }
  let limit = height;
  for (const bar of [...bars].reverse()) {
    bar.labelY = Math.max(0, Math.min(bar.labelY, limit - LABEL));
    limit = bar.labelY;
  }
  return bars;
}

/**
 * @param {Bar[]} bars
 * @param {{name: string, fen: number, of: string}[]} parts
 * @param {(fen: number) => number} size
 * @returns {Ribbon[]}
 */
function ribbonsOf(bars, parts, size) {
  /** @type {Record<string, number>} */
  const used = {};
  const ribbons = [];
  for (const part of parts) {
    const from = bars.find((bar) => bar.name === part.of);
    const to = bars.find((bar) => bar.name === part.name);
    if (!from || !to) continue;
    const top = from.y + (used[from.name] ?? 0);
    const bottom = Math.min(top + size(part.fen), from.y + from.height);
    used[from.name] = bottom - from.y;
    ribbons.push({ from: from.name, to: to.name, top, bottom, endTop: to.y, endBottom: to.y + to.height });
  }
  return ribbons;
}
