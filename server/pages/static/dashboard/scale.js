// @ts-check
/** Axes and figures: pure, without a document. */

const NICE = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

/**
 * The smallest round number that is not below a value: where an axis ends.
 *
 * @param {number} value
 * @param {number} [least]
 */
export function niceTop(value, least = 4) {
  const wanted = Math.max(value, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return power * (NICE.find((step) => step * power >= wanted) ?? 10);
}

/**
 * A count as it is written at an axis: 28000 is "28k".
 *
 * @param {number} count
 */
export function short(count) {
  if (count >= 1_000_000) return `${trimmed(count / 1_000_000)}M`;
  return count >= 1_000 ? `${trimmed(count / 1_000)}k` : trimmed(count);
}

/**
 * Milliseconds with three digits, and no more than tenths, as the result has them.
 *
 * @param {number | null | undefined} ms
 */
export function milliseconds(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 100) return ms.toFixed(1);
  return String(ms < 1_000 ? Math.round(ms) : Number(ms.toPrecision(3))).replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * A span of time for people: tenths of a second, then minutes.
 *
 * @param {number} ms
 */
export function seconds(ms) {
  const whole = Math.max(0, ms) / 1000;
  if (whole < 60) return `${whole.toFixed(1)} s`;
  return `${Math.floor(whole / 60)} min ${String(Math.floor(whole % 60)).padStart(2, "0")} s`;
}

/**
 * The time of day in the business time zone, UTC+8, whatever the machine's.
 *
 * @param {number} atMs
 * @param {boolean} [exact] with milliseconds
 */
export function clockTime(atMs, exact = false) {
  return new Date(atMs + 8 * 3_600_000).toISOString().slice(11, exact ? 23 : 19);
}

/**
 * The path through points, each [x, y].
 *
 * @param {[number, number][]} points
 */
export function pathOf(points) {
  return points.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

/** @param {number} value */
function trimmed(value) {
  return String(Math.round(value * 10) / 10);
}
