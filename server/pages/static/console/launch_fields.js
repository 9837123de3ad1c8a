// @ts-check
import { el } from "../shared/dom.js";
import { textOf } from "../shared/texts.js";
import { figureInput, textInput } from "./form.js";
import { HOUR_MS, MINUTE_MS, fieldOf, instantOf, span } from "./times.js";
import { say } from "./words.js";

/**
 * The fields of a launch's times, by mode, each limit beside its field; the limits are those of the rulebook.
 *
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {import("./form.js").Form} Form
 * @typedef {"relative" | "exact" | "manual" | "scheduled"} Mode
 * @typedef {{nodes: HTMLElement[], asked: () => Record<string, any> | null, set: (request: any) => void}} Times
 */

/** The modes of the platform, in the order of their tabs. @param {Desk} desk @returns {Mode[]} */
export function modesOf(desk) {
  const offered = desk.limit("launch_modes").value;
  return /** @type {Mode[]} */ (["relative", "exact", "manual", "scheduled"]).filter((mode) => offered.includes(mode));
}

/** @param {Mode} mode */
export function modeWord(mode) {
  return textOf("launch_mode", mode);
}

/**
 * @param {Desk} desk
 * @param {Form} form
 * @param {Mode} mode
 * @returns {Times}
 */
export function timesOf(desk, form, mode) {
  return { relative, exact, manual, scheduled }[mode](desk, form);
}

/** @param {Desk} desk @param {Form} form @returns {Times} */
function relative(desk, form) {
  const [least, most] = [desk.limit("relative_lead_min_ms").value, desk.limit("relative_lead_max_ms").value];
  const first = Math.max(1, Math.ceil(least / MINUTE_MS));
  const minutes = figureInput(String(Math.max(first, Math.min(5, Math.floor(most / MINUTE_MS)))), {
    inputmode: "numeric",
  });
  const chips = [2, 3, 5, 10, 15].filter((each) => each * MINUTE_MS >= least && each * MINUTE_MS <= most);
  const set = (/** @type {number} */ each) => {
    minutes.value = String(each);
    minutes.dispatchEvent(new Event("input", { bubbles: true }));
  };
  return {
    nodes: [
      form.field("delay_ms", {
        label: say("opens_in"),
        aside: say("minutes"),
        input: minutes,
        hint: hint(
          say("period_limits", { least: span(least, desk.lang), most: span(most, desk.lang) }),
          desk.rule("relative_lead_min_ms"),
        ),
      }),
      el(
        "div",
        { class: "chips" },
        ...chips.map((each) =>
          el("button", { type: "button", class: "btn", onclick: () => set(each) }, span(each * MINUTE_MS, desk.lang)),
        ),
      ),
    ],
    asked: () => {
      const typed = Number(minutes.value);
      return minutes.value.trim() && Number.isFinite(typed)
        ? { mode: "relative", delay_ms: Math.round(typed * MINUTE_MS) }
        : null;
    },
    set: () => {},
  };
}

/** @param {Desk} desk @param {Form} form @returns {Times} */
function exact(desk, form) {
  const now = desk.clock.now();
  const start = Math.ceil((now + 10 * MINUTE_MS) / MINUTE_MS) * MINUTE_MS;
  const warmup = instant(start);
  const grab = instant(start + 5 * MINUTE_MS);
  const near = desk.limit("immediate_warmup_ms");
  const [soonest, furthest] = [desk.limit("exact_lead_min_ms"), desk.limit("exact_lead_max_ms")];
  const step = desk.limit("exact_grab_step_ms");
  return {
    nodes: [
      el(
        "div",
        { class: "g2" },
        form.field("warmup_at_ms", {
          label: say("warmup_starts"),
          aside: "UTC+8",
          input: warmup,
          hint:
            near.value === null
              ? null
              : hint(say("warmup_limits", { near: span(near.value, desk.lang) }), near.rules[0]),
        }),
        form.field("grab_at_ms", {
          label: say("grab_opens"),
          aside: "UTC+8",
          input: grab,
          hint: el(
            "span",
            {},
            hint(say("later_than", { least: span(soonest.value, desk.lang) }), soonest.rules[0]),
            " · ",
            hint(say("within", { most: span(furthest.value, desk.lang) }), furthest.rules[0]),
            ...(step.value % 1000 === 0 ? [" · ", hint(say("whole_second"), step.rules[0])] : []),
          ),
        }),
      ),
    ],
    asked: () => both({ mode: "exact", warmup_at_ms: instantOf(warmup.value), grab_at_ms: instantOf(grab.value) }),
    set: (request) => {
      warmup.value = fieldOf(request.warmup_at_ms);
      grab.value = fieldOf(request.grab_at_ms);
    },
  };
}

/** @param {Desk} desk @returns {Times} */
function manual(desk) {
  return {
    nodes: [el("p", {}, say("by_hand_why"), " ", el("code", { class: "rule" }, desk.rule("launch_modes")))],
    asked: () => ({ mode: "manual" }),
    set: () => {},
  };
}

/** @param {Desk} desk @param {Form} form @returns {Times} */
function scheduled(desk, form) {
  const grab = instant(Math.ceil((desk.clock.now() + HOUR_MS) / MINUTE_MS) * MINUTE_MS);
  const furthest = desk.limit("scheduled_lead_max_ms");
  return {
    nodes: [
      form.field("grab_at_ms", {
        label: say("grab_opens"),
        aside: "UTC+8",
        input: grab,
        hint: hint(say("within", { most: span(furthest.value, desk.lang) }), furthest.rules[0]),
      }),
    ],
    asked: () => both({ mode: "scheduled", grab_at_ms: instantOf(grab.value) }),
    set: (request) => {
      grab.value = fieldOf(request.grab_at_ms);
    },
  };
}

/** @param {number} ms */
function instant(ms) {
  return textInput(fieldOf(ms), { type: "datetime-local", step: 1, class: "inp num" });
}

/** @param {Record<string, any>} request */
function both(request) {
  return Object.values(request).includes(null) ? null : request;
}

/** @param {string} text @param {string} rule */
function hint(text, rule) {
  return el("span", {}, text, " ", el("code", { class: "rule" }, rule));
}
