// @ts-check
import { el } from "../shared/dom.js";
import { language } from "../shared/words.js";

const GLYPHS_MAX = 20;
const HUES = 8;

/**
 * Show a name of unknown make: isolated, on one line, at most 20 glyphs.
 *
 * @param {string} name
 */
export function nameOf(name) {
  return el("bdi", { class: "name" }, shortened(name));
}

/**
 * @param {string} name
 * @param {number} [most] glyphs
 */
export function shortened(name, most = GLYPHS_MAX) {
  const glyphs = [...new Intl.Segmenter().segment(name)].map(({ segment }) => segment);
  return glyphs.length > most ? `${glyphs.slice(0, most - 1).join("")}…` : name;
}

/**
 * Mask a viewer's name: its first and its last character stay.
 *
 * @param {string} name
 */
export function masked(name) {
  if (name.includes("*")) return name;
  const glyphs = [...new Intl.Segmenter().segment(name)].map(({ segment }) => segment);
  return glyphs.length < 2 ? `${glyphs[0] ?? ""}**` : `${glyphs[0]}**${glyphs[glyphs.length - 1]}`;
}

/**
 * One of eight colours that always goes with a name.
 *
 * @param {string} name
 */
export function hueOf(name) {
  let sum = 0;
  for (const char of name) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 9973;
  return sum % HUES;
}

/**
 * The round picture of a viewer.
 *
 * @param {string} name
 */
export function avatar(name) {
  return el("i", { class: `face hue-${hueOf(name)}`, "aria-hidden": "true" });
}

/**
 * A count as one says it: 12,408, from ten thousand on 1.2万 in Chinese and 12.4k in English.
 *
 * @param {number} count
 */
export function counted(count) {
  if (count < 10_000) return count.toLocaleString("en");
  const [unit, sign] = language() === "zh" ? [10_000, "万"] : [1_000, "k"];
  return `${(Math.floor((count / unit) * 10) / 10).toLocaleString("en")}${sign}`;
}

/**
 * The time of day in UTC+8, which all platforms use.
 *
 * @param {number} roomMs
 * @param {{date?: boolean, fraction?: boolean, seconds?: boolean}} [wanted]
 */
export function timeOfDay(roomMs, { date = false, fraction = false, seconds = true } = {}) {
  const text = new Date(roomMs + 8 * 3_600_000).toISOString();
  const time = text.slice(11, fraction ? 22 : seconds ? 19 : 16);
  return date ? `${text.slice(5, 10)} ${time}` : time;
}
