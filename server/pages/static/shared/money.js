// @ts-check
/**
 * Write fen as yuan, exact to the fen: 1234567 is "12,345.67". A minus is a true minus sign.
 *
 * @param {number} fen
 */
export function yuan(fen) {
  const whole = Math.trunc(Math.abs(fen) / 100);
  const rest = String(Math.abs(fen) % 100).padStart(2, "0");
  return `${fen < 0 ? "−" : ""}${grouped(whole)}.${rest}`;
}

/**
 * Group the digits of a whole number by thousands.
 *
 * @param {number} count
 */
export function grouped(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * Read what a person typed as yuan, exactly; null if it is not an amount with at most two decimals.
 *
 * @param {string} text
 * @returns {number | null}
 */
export function fenOf(text) {
  const parts = /^\s*(\d{1,12})(?:[.。](\d{1,2}))?\s*$/.exec(text.replaceAll(",", "").replaceAll("¥", ""));
  if (!parts) return null;
  return Number(parts[1]) * 100 + Number((parts[2] ?? "").padEnd(2, "0"));
}
