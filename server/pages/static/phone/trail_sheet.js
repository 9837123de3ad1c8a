// @ts-check
import { el, show } from "../shared/dom.js";
import { language } from "../shared/words.js";
import { goodsBox } from "./goods_box.js";
import { timeOfDay } from "./names.js";
import { said, tellIn } from "./sheets.js";

const STEPS = ["paid", "accepted", "picking", "picked", "waybill_printed", "packed", "shipped"];

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").Word} Word */
/** @typedef {{event_id: string, event: string, label: string, text: string, occurred_at_ms: number}} Step */

/**
 * The logistics of an order (订单物流详情页): the steps before shipping as they come, the newest on top.
 *
 * @param {Page} page
 * @param {string} orderId
 */
export function openTrail(page, orderId) {
  const { say, viewer } = page;
  const stop = page.listen("trail", (message) => message.order_id === orderId && void load());
  const content = page.sheets.open(say("logistics"), { full: true, gone: () => stop() });
  const list = el("ul", { class: "tl", "aria-live": "polite" });
  let drawn = new Set();
  let title = "";
  tellIn(content, say("loading"));
  void load();

  async function load() {
    try {
      const trail = await viewer.api.get(`api/trails/${encodeURIComponent(orderId)}`);
      title ||= await viewer.api.get(`api/orders/${encodeURIComponent(orderId)}`).then((order) => page.titleOf(order.quote.lines[0].product_id)).catch(() => say("order"));
      draw(trail.timeline);
    } catch (error) {
      tellIn(content, said(page, error), { label: say("again"), again: () => void load() });
    }
  }

  /** @param {Step[]} timeline */
  function draw(timeline) {
    const done = new Set(timeline.map(({ event }) => event));
    const next = STEPS.find((step) => !done.has(step) && STEPS.indexOf(step) > Math.max(-1, ...[...done].map((each) => STEPS.indexOf(each))));
    const waiting = next ? el("li", { class: "wait" }, el("b", {}, say("next_step", { step: say(/** @type {Word} */ (`step_${next}`)) }))) : null;
    const rows = [...timeline].reverse().map((step, i) =>
      el("li", { class: `${i ? "" : "now"} ${drawn.size && !drawn.has(step.event_id) ? "new" : ""}` },
        el("span", { class: "time num" }, timeOfDay(step.occurred_at_ms)), el("b", {}, labelOf(page, step)), el("small", {}, textOf(page, step))));
    drawn = new Set(timeline.map(({ event_id }) => event_id));
    show(list, waiting, ...rows);
    const progress = el("div", { class: "prog", role: "img", "aria-label": say("steps_done", { done: timeline.length, of: 6 }) }, ...STEPS.slice(0, 6).map((step) => el("i", { class: done.has(step) ? "on" : "" })));
    show(content,
      goodsBox(title, el("small", {}, say("order_number"), " ", el("span", { class: "num" }, orderId)), el("p", { class: "live" }, el("span", { class: "pulse" }), say("live_updates")), progress),
      el("div", { class: "box" }, timeline.length ? list : el("p", { class: "empty" }, say("no_steps"))),
      el("p", { class: "fine" }, say("trail_note")));
  }
}

/**
 * The product's own words are Chinese; other readers get them in English.
 *
 * @param {Page} page
 * @param {{event: string, label: string}} step
 */
export function labelOf({ say }, { event, label }) {
  return language() === "zh" || !STEPS.includes(event) ? label : say(/** @type {Word} */ (`step_${event}`));
}

/**
 * @param {Page} page
 * @param {{event: string, text: string}} step
 */
export function textOf({ say }, { event, text }) {
  return language() === "zh" || !STEPS.includes(event) ? text : say(/** @type {Word} */ (`step_${event}_more`));
}
