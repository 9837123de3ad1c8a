// @ts-check
import { language } from "./words.js";

/**
 * The words for the server's codes, from its one catalogue: statuses, operations, refusals and rules.
 *
 * @type {Record<string, Record<string, string>>}
 */
let texts = {};

/** Ask for the catalogue in the language of the page; once, before anything is shown. @param {import("./api.js").Api} api */
export async function learnTexts(api) {
  texts = (await api.get("api/texts", { lang: language() })).texts;
}

/**
 * The word for a code; one that the catalogue does not have stands for itself.
 *
 * @param {string} group of the catalogue, as "phase"
 * @param {string} code
 */
export function textOf(group, code) {
  return texts[group]?.[code] ?? code;
}

/**
 * Why the server refuses: its own sentence, or where that is in another language the catalogue's
 * for its code and its rule.
 *
 * @param {{code: string, detail: string, rule: string}} problem
 */
export function whyOf({ code, detail, rule }) {
  if (language() === "en") return detail;
  const said = new Set([texts.refusal?.[code], texts.rule?.[rule]].filter(Boolean));
  return [...said].join("\uff1b") || detail;
}
