// @ts-check
import { el } from "../shared/dom.js";
import { cards, choice, chosen, figureInput, textInput } from "./form.js";
import { DAY_MS, HOUR_MS, MINUTE_MS, fieldOf, instantOf, span } from "./times.js";
import { say } from "./words.js";

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {import("./form.js").Form} Form
 */

const UNITS = { minutes: MINUTE_MS, hours: HOUR_MS, days: DAY_MS };

/**
 * The fields of a use validity: so long after the claim, or from one instant to another (DY-CRE-3).
 *
 * @param {Desk} desk
 * @param {Form} form
 * @param {any} from the packet that is copied, if one is
 * @returns {{node: HTMLElement, asked: () => Record<string, number | null | undefined>}}
 */
export function validityFields(desk, form, from) {
  const now = Math.floor(desk.clock.now() / 1000) * 1000;
  const absolute = from?.use_end_at_ms != null;
  const forMs = from?.use_for_ms ?? DAY_MS;
  const unit = forMs % DAY_MS === 0 ? "days" : forMs % HOUR_MS === 0 ? "hours" : "minutes";
  const limit = desk.limit("use_for_max_ms");
  const kind = cards(
    "validity",
    [
      { value: "relative", label: say("validity_relative"), hint: say("validity_relative_why") },
      { value: "absolute", label: say("validity_absolute"), hint: say("validity_absolute_why") },
    ],
    absolute ? "absolute" : "relative",
    say("col_validity"),
  );
  const count = figureInput(String(forMs / UNITS[unit]), { inputmode: "numeric" });
  const units = choice(
    [
      ["minutes", say("minutes")],
      ["hours", say("hours")],
      ["days", say("days")],
    ],
    unit,
  );
  const starts = textInput(fieldOf(from?.use_start_at_ms ?? now), { type: "datetime-local", step: 1 });
  const ends = textInput(fieldOf(from?.use_end_at_ms ?? now + DAY_MS), { type: "datetime-local", step: 1 });
  const relativeFields = el(
    "div",
    { class: "g2" },
    form.field("use_for_ms", {
      label: say("usable_for"),
      input: count,
      hint:
        limit.value === null
          ? null
          : el(
              "span",
              {},
              say("at_most", { most: span(limit.value, desk.lang) }),
              " ",
              el("code", { class: "rule" }, limit.rules[0]),
            ),
    }),
    form.field("unit", { label: say("unit"), input: units }),
  );
  const absoluteFields = el(
    "div",
    { class: "g2" },
    form.field("use_start_at_ms", { label: say("from"), aside: "UTC+8", input: starts }),
    form.field("use_end_at_ms", { label: say("until"), aside: "UTC+8", input: ends }),
  );
  const turn = () => {
    relativeFields.hidden = chosen(kind) !== "relative";
    absoluteFields.hidden = chosen(kind) !== "absolute";
  };
  kind.addEventListener("change", turn);
  turn();
  return {
    node: el("div", {}, el("div", { class: "lb" }, say("col_validity")), kind, relativeFields, absoluteFields),
    asked: () =>
      chosen(kind) === "absolute"
        ? { use_start_at_ms: instantOf(starts.value), use_end_at_ms: instantOf(ends.value) }
        : { use_for_ms: Math.round(Number(count.value) * UNITS[/** @type {keyof typeof UNITS} */ (units.value)]) || 0 },
  };
}
