// @ts-check
/**
 * Instants as people on the console read and type them: always of Shanghai (UTC+8), whatever the device's zone.
 */
const SHANGHAI_MS = 8 * 3_600_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** @param {number} n */
const two = (n) => String(n).padStart(2, "0");

/** @param {number} ms */
const local = (ms) => new Date(ms + SHANGHAI_MS);

/**
 * The time of day, "20:08:14".
 *
 * @param {number} ms
 */
export function timeOfDay(ms) {
  return local(ms).toISOString().slice(11, 19);
}

/**
 * Hours and minutes, "20:08".
 *
 * @param {number} ms
 */
export function hourAndMinute(ms) {
  return local(ms).toISOString().slice(11, 16);
}

/**
 * The day, "12 Aug" or "8月12日".
 *
 * @param {number} ms
 * @param {"en" | "zh"} lang
 */
export function day(ms, lang) {
  const at = local(ms);
  const [month, date] = [at.getUTCMonth(), at.getUTCDate()];
  return lang === "zh" ? `${month + 1}月${date}日` : `${date} ${MONTHS[month]}`;
}

/**
 * Day and time of day.
 *
 * @param {number} ms
 * @param {"en" | "zh"} lang
 */
export function dayAndTime(ms, lang) {
  return `${day(ms, lang)} ${timeOfDay(ms)}`;
}

/**
 * The value of a `datetime-local` field.
 *
 * @param {number} ms
 */
export function fieldOf(ms) {
  return local(ms).toISOString().slice(0, 19);
}

/**
 * The instant that a `datetime-local` field holds, or null if it is empty.
 *
 * @param {string} value
 */
export function instantOf(value) {
  const ms = Date.parse(`${value.length === 16 ? `${value}:00` : value}Z`);
  return Number.isNaN(ms) ? null : ms - SHANGHAI_MS;
}

/**
 * A span of time in its largest whole units: "7 d", "1 h 30 min", "90 s".
 *
 * @param {number} ms
 * @param {"en" | "zh"} lang
 */
export function span(ms, lang) {
  const units = lang === "zh" ? [" 天", " 小时", " 分钟", " 秒"] : [" d", " h", " min", " s"];
  const sizes = [DAY_MS, HOUR_MS, MINUTE_MS, 1000];
  let left = Math.round(ms / 1000) * 1000;
  const parts = [];
  for (const [at, size] of sizes.entries()) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count) parts.push(`${count}${units[at]}`);
  }
  return parts.slice(0, 2).join(" ") || `0${units[3]}`;
}

/**
 * The midnight that began the day of an instant.
 *
 * @param {number} ms
 */
export function midnight(ms) {
  return ms - ((((ms + SHANGHAI_MS) % DAY_MS) + DAY_MS) % DAY_MS);
}

export { DAY_MS, HOUR_MS, MINUTE_MS, two };
