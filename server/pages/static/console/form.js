// @ts-check
import { el } from "../shared/dom.js";
import { Refusal } from "../shared/api.js";
import { fenOf, grouped, yuan } from "../shared/money.js";
import { language } from "../shared/words.js";
import { refused } from "./overlay.js";
import { dayAndTime, span } from "./times.js";
import { say } from "./words.js";

/**
 * @typedef {HTMLInputElement | HTMLSelectElement} Input
 * @typedef {{label: string, input: Input, aside?: string | Node | null, hint?: string | Node | null}} Line
 */

/**
 * A form whose fields carry the names of the API's fields, so that a refusal of the server finds the field it is about.
 */
export class Form {
  constructor() {
    /** @type {Map<string, Input>} */
    this.inputs = new Map();
    this.error = el("div", {});
    this.node = el("form", { novalidate: true, onsubmit: (/** @type {Event} */ event) => event.preventDefault() });
  }

  /**
   * Make a field with its label, and a hint that explains its limit.
   *
   * @param {string} name
   * @param {Line} line
   */
  field(name, { label, input, aside, hint }) {
    const id = `f-${++made}`;
    input.id = id;
    input.name = name;
    if (hint) input.setAttribute("aria-describedby", `${id}-h`);
    this.inputs.set(name, input);
    return el(
      "div",
      { class: "f" },
      el("label", { for: id }, label, aside ? el("em", {}, aside) : null),
      input,
      hint ? el("div", { class: "hint", id: `${id}-h` }, hint) : null,
    );
  }

  /**
   * What a field holds; trimmed.
   *
   * @param {string} name
   */
  text(name) {
    return this.inputs.get(name)?.value.trim() ?? "";
  }

  /**
   * The amount in a field in fen; marks the field and returns null if it is none.
   *
   * @param {string} name
   */
  fen(name) {
    const fen = fenOf(this.text(name));
    this.mark(name, fen === null);
    return fen;
  }

  /**
   * The whole number in a field; marks the field and returns null if it is none.
   *
   * @param {string} name
   */
  count(name) {
    const text = this.text(name).replaceAll(",", "");
    const count = /^\d{1,9}$/.test(text) ? Number(text) : null;
    this.mark(name, count === null);
    return count;
  }

  /**
   * @param {string} name
   * @param {boolean} wrong
   */
  mark(name, wrong) {
    const input = this.inputs.get(name);
    if (wrong) input?.setAttribute("aria-invalid", "true");
    else input?.removeAttribute("aria-invalid");
  }

  /**
   * Show what the server refused, at its field, or take it back (null). `offer` is what to do instead.
   *
   * @param {unknown} error
   * @param {Node | null} [offer]
   */
  refuse(error, offer = null) {
    for (const name of this.inputs.keys()) this.mark(name, false);
    if (error === null) {
      refused(this.error, null);
      return;
    }
    if (error instanceof Refusal) {
      const field = error.field ?? error.message.split(":")[0];
      if (this.inputs.has(field)) this.mark(field, true);
    }
    refused(this.error, refusalOf(error), offer);
  }
}

let made = 0;

/**
 * The sentence of a refusal as people read it: without the name of the API's field in front, with instants and ranges
 * in the units that the console shows.
 *
 * @param {string} detail
 */
export function plainly(detail) {
  const field = /^([a-z_.]+): /.exec(detail)?.[1] ?? "";
  const shown = (/** @type {string} */ number) =>
    field.endsWith("_fen")
      ? `¥${yuan(Number(number))}`
      : field.endsWith("_ms")
        ? span(Number(number), language())
        : grouped(Number(number));
  return detail
    .slice(field ? field.length + 2 : 0)
    .replace(/^(must be from )(\d+)( to )(\d+)$/, (_, from, low, to, high) => `${from}${shown(low)}${to}${shown(high)}`)
    .replace(/\b\d{13}\b/g, (ms) => dayAndTime(Number(ms), language()));
}

/**
 * What to show of anything that was thrown: the server's refusal, or that it did not answer.
 *
 * @param {unknown} error
 * @returns {{message: string, rule: string | null}}
 */
export function refusalOf(error) {
  if (error instanceof Refusal) return { message: plainly(error.message), rule: error.rule };
  return { message: say("offline"), rule: null };
}

/**
 * @param {string} value
 * @param {Record<string, string | number | boolean | null>} [attributes]
 */
export function textInput(value = "", attributes = {}) {
  const input = el("input", { class: "inp", type: "text", autocomplete: "off", ...attributes });
  input.value = value;
  return input;
}

/**
 * A field for an amount in yuan or for a number.
 *
 * @param {string} [value]
 * @param {Record<string, string | number | boolean | null>} [attributes]
 */
export function figureInput(value = "", attributes = {}) {
  return textInput(value, { class: "inp num", inputmode: "decimal", ...attributes });
}

/**
 * @param {[value: string, label: string][]} options
 * @param {string} [chosen]
 */
export function choice(options, chosen) {
  const select = el("select", { class: "inp" }, ...options.map(([value, label]) => el("option", { value }, label)));
  if (chosen !== undefined) select.value = chosen;
  return select;
}

/**
 * Radio buttons as cards.
 *
 * @param {string} name
 * @param {{value: string, label: string, hint: string}[]} options
 * @param {string} chosen
 * @param {string} legend
 */
export function cards(name, options, chosen, legend) {
  return el(
    "fieldset",
    { class: "f rad" },
    el("legend", { class: "sr" }, legend),
    ...options.map(({ value, label, hint }) => {
      const input = el("input", { type: "radio", name, value });
      input.checked = value === chosen;
      return el("label", {}, input, el("span", {}, label, el("small", {}, hint)));
    }),
  );
}

/**
 * The value of the chosen radio button.
 *
 * @param {HTMLElement} fieldset
 */
export function chosen(fieldset) {
  const input = fieldset.querySelector("input:checked");
  return input instanceof HTMLInputElement ? input.value : "";
}
