// @ts-check
import { el, show, svg } from "../shared/dom.js";
import { evening, lanes, overlaps, ticks } from "./timeline_layout.js";
import { hourAndMinute, timeOfDay } from "./times.js";
import { say } from "./words.js";

/**
 * @typedef {import("./timeline_layout.js").Schedule} Schedule
 * @typedef {import("./timeline_layout.js").Planned} Planned
 * @typedef {{now_ms: number, slots: {from_ms: number, to_ms: number}[], packets: Planned[], own: (Schedule & {name: string}) | null, refused: boolean}} Plan
 */

const WIDTH = 820;
const [EDGE, TOP, LANE] = [20, 24, 30];
const GLYPH = 11;

/**
 * A drawing of the evening: the platform's slots, what is launched already, and the launch that is being planned, so
 * that overlap and blackout are seen before one submits.
 */
export function timeline() {
  const drawing = svg("svg", { role: "img" });
  const words = el("p", { class: "sr" });
  const node = el("div", { class: "tlx" }, drawing, words, legend());

  /** @param {Plan} plan */
  function draw(plan) {
    const stretch = evening(plan.now_ms, plan.own);
    const scale = (WIDTH - 2 * EDGE) / (stretch.to_ms - stretch.from_ms);
    const x = (/** @type {number} */ ms) =>
      EDGE + (Math.min(Math.max(ms, stretch.from_ms), stretch.to_ms) - stretch.from_ms) * scale;
    const packets = plan.packets.map((each) =>
      each.ended_at_ms
        ? { ...each, claim_end_at_ms: Math.min(each.claim_end_at_ms, Math.max(each.ended_at_ms, each.grab_at_ms)) }
        : each,
    );
    const within = packets.filter(
      (each) => each.claim_end_at_ms > stretch.from_ms && each.warmup_at_ms < stretch.to_ms,
    );
    const longest = Math.max(4, ...within.map((each) => [...each.name].length)) * GLYPH;
    const placed = lanes(within, Math.min(longest, 150) / scale);
    const rows = Math.max(1, ...placed.map(({ lane }) => lane + 1)) + (plan.own ? 1.3 : 0);
    const bottom = TOP + rows * LANE + 12;
    const slots = plan.slots.filter((slot) => slot.to_ms > stretch.from_ms && slot.from_ms < stretch.to_ms);
    const clashes = plan.own ? overlaps(plan.own, packets) : [];
    const bar = (
      /** @type {Schedule} */ each,
      /** @type {number} */ y,
      /** @type {number} */ height,
      /** @type {string} */ kind,
    ) => [
      svg("rect", {
        class: `${kind} warm`,
        x: x(each.warmup_at_ms),
        y,
        width: Math.max(0, x(each.grab_at_ms) - x(each.warmup_at_ms)),
        height,
        rx: 5,
      }),
      svg("rect", {
        class: kind,
        x: x(each.grab_at_ms),
        y,
        width: Math.max(3, x(each.claim_end_at_ms) - x(each.grab_at_ms)),
        height,
        rx: 5,
      }),
    ];
    const label = (
      /** @type {number} */ from,
      /** @type {number} */ open,
      /** @type {number} */ to,
      /** @type {number} */ y,
      /** @type {string} */ kind,
      /** @type {string} */ text,
    ) => {
      const long = text.length * GLYPH;
      if (to - open > long + 16) return svg("text", { class: `${kind} inside`, x: open + 8, y }, text);
      const beyond = to + long > WIDTH;
      return svg(
        "text",
        { class: kind, x: beyond ? from - 6 : to + 6, y, "text-anchor": beyond ? "end" : "start" },
        text,
      );
    };
    drawing.setAttribute("viewBox", `0 0 ${WIDTH} ${bottom + 24}`);
    const ownY = TOP + (rows - 1) * LANE + 2;
    show(
      drawing,
      svg(
        "defs",
        {},
        svg(
          "pattern",
          { id: "hatch", width: 8, height: 8, patternTransform: "rotate(45)", patternUnits: "userSpaceOnUse" },
          svg("rect", { class: "hatch-a", width: 8, height: 8 }),
          svg("rect", { class: "hatch-b", width: 3, height: 8 }),
        ),
      ),
      ...slots.flatMap((slot) => [
        svg("rect", {
          x: x(slot.from_ms),
          y: TOP,
          width: x(slot.to_ms) - x(slot.from_ms),
          height: bottom - TOP,
          fill: "url(#hatch)",
        }),
        x(slot.to_ms) - x(slot.from_ms) > 44
          ? svg(
              "text",
              { class: "axis", x: (x(slot.from_ms) + x(slot.to_ms)) / 2, y: TOP - 6, "text-anchor": "middle" },
              say("platform_slot"),
            )
          : null,
      ]),
      ...ticks(stretch).flatMap((at) => [
        svg("path", { class: "grid", d: `M${x(at)} ${TOP}V${bottom}` }),
        svg("text", { class: "axis num", x: x(at), y: bottom + 16, "text-anchor": "middle" }, hourAndMinute(at)),
      ]),
      ...clashes.map((clash) =>
        svg("rect", {
          class: "clash",
          x: x(clash.from_ms),
          y: TOP,
          width: Math.max(2, x(clash.to_ms) - x(clash.from_ms)),
          height: bottom - TOP,
        }),
      ),
      ...placed.flatMap(({ packet, lane }) => {
        const y = TOP + 6 + lane * LANE;
        return [
          ...bar(packet, y, 18, "taken"),
          label(x(packet.warmup_at_ms), x(packet.grab_at_ms), x(packet.claim_end_at_ms), y + 13, "tag", packet.name),
        ];
      }),
      ...(plan.own
        ? [
            ...bar(plan.own, ownY, 24, plan.refused ? "own refused" : "own"),
            label(
              x(plan.own.warmup_at_ms),
              x(plan.own.grab_at_ms),
              x(plan.own.claim_end_at_ms),
              ownY + 17,
              plan.refused ? "tag own refused" : "tag own",
              plan.own.name,
            ),
          ]
        : []),
      plan.now_ms >= stretch.from_ms && plan.now_ms <= stretch.to_ms
        ? svg(
            "g",
            { class: "now" },
            svg("path", { d: `M${x(plan.now_ms)} ${TOP - 2}V${bottom}` }),
            svg("circle", { cx: x(plan.now_ms), cy: TOP - 2, r: 4 }),
          )
        : null,
    );
    drawing.setAttribute("aria-label", say("timeline"));
    words.textContent = [
      ...slots.map((slot) => `${say("platform_slot")} ${hourAndMinute(slot.from_ms)}–${hourAndMinute(slot.to_ms)}`),
      ...within.map((each) => `${each.name} ${timeOfDay(each.warmup_at_ms)}–${timeOfDay(each.claim_end_at_ms)}`),
    ].join("; ");
  }

  return { node, draw };
}

function legend() {
  const entry = (/** @type {string} */ kind, /** @type {string} */ text) =>
    el("span", {}, el("i", { class: `key ${kind}`, "aria-hidden": "true" }), text);
  return el(
    "div",
    { class: "lg" },
    entry("slot", say("legend_slot")),
    entry("warm", say("legend_warm")),
    entry("taken", say("legend_grab")),
    entry("mine", say("legend_own")),
    entry("now", say("now")),
  );
}
