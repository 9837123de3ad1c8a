// @ts-check
/**
 * The language of the page and its words. Each page has a table of two languages, which a test holds against each
 * other; a word may have placeholders: `{count}`.
 *
 * @typedef {"en" | "zh"} Language
 * @typedef {Record<string, string>} Words
 */

const KEPT_AS = "redrain.lang";

/**
 * Choose the language: that of the URL, the one chosen before, or the browser's.
 *
 * @returns {Language}
 */
export function language() {
  const asked = new URLSearchParams(location.search).get("lang") ?? kept();
  if (asked === "en" || asked === "zh") return asked;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/**
 * Change to the other language and keep the choice.
 *
 * @param {Language} chosen
 */
export function choose(chosen) {
  try {
    localStorage.setItem(KEPT_AS, chosen);
  } catch {
    // A browser may forbid storage; the URL says it then.
  }
  const url = new URL(location.href);
  url.searchParams.set("lang", chosen);
  location.replace(url);
}

/**
 * Return the function that says a word of the table in the language of the page, and set the language of the document.
 *
 * @template {Words} T
 * @param {Record<Language, T>} table
 * @param {Language} [lang]
 * @returns {(key: keyof T & string, values?: Record<string, string | number>) => string}
 */
export function speaker(table, lang = language()) {
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  const words = table[lang];
  return (key, values = {}) => filled(words[key] ?? key, values);
}

/**
 * Put values into the placeholders of a sentence.
 *
 * @param {string} sentence
 * @param {Record<string, string | number>} values
 */
export function filled(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

function kept() {
  try {
    return localStorage.getItem(KEPT_AS);
  } catch {
    return null;
  }
}
