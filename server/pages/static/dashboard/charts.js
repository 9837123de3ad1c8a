// @ts-check
import { el, show, svg } from "../shared/dom.js";
import { grouped, yuan } from "../shared/money.js";
import { flowOf } from "./flow.js";
import { milliseconds, niceTop, pathOf, short } from "./scale.js";

const POINTS = 120;
const LEFT = 58;
const FOOT = 26;
const MUTED = "#bda9ab";
const GRID = "rgba(255,226,190,.1)";

/** A drawing that is made anew whenever its figures or its place change. */
class Drawing {
  /** @param {string} name */
  constructor(name) {
    this.place = el("div", { class: "chart" });
    this._name = name;
    this._picture = /** @type {any} */ (null);
    new ResizeObserver(() => this._picture && this.update(this._picture)).observe(this.place);
  }

  /** @param {any} picture */
  update(picture) {
    this._picture = picture;
    const [width, height] = [this.place.clientWidth, this.place.clientHeight];
    if (width < 40 || height < 40) return;
    const size = { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": this._name, "font-size": 14 };
    show(this.place, svg("svg", size, ...this.drawn(picture, width, height)));
  }

  /**
   * @param {any} _picture
   * @param {number} _width
   * @param {number} _height
   * @returns {import("../shared/dom.js").Child[]}
   */
  drawn(_picture, _width, _height) {
    return [];
  }
}

/** Grabs a second over the last two minutes: answered as an area, offered as a dashed line. */
export class GrabsChart extends Drawing {
  /** @param {import("./words.js").Say} say */
  constructor(say) {
    super(say("grabs_chart"));
    this._say = say;
  }

  /**
   * @param {any} picture
   * @param {number} width
   * @param {number} height
   */
  drawn(picture, width, height) {
    /** @type {[number | null, number][]} */
    const rates = picture.rates;
    const top = niceTop(Math.max(...rates.flat().map((rate) => rate ?? 0), 0));
    const x = (/** @type {number} */ age) => width - 8 - (age * (width - LEFT - 8)) / (POINTS - 1);
    const y = (/** @type {number} */ rate) => height - FOOT - (rate / top) * (height - FOOT - 18);
    const points = (/** @type {0 | 1} */ which) =>
      rates.map((pair, at) => /** @type {[number, number]} */ ([x(rates.length - 1 - at), y(pair[which] ?? 0)]));
    const answered = points(1);
    const floor = y(0);
    const parts = [0, 0.25, 0.5, 0.75, 1].map((part) => svg("g", {},
      svg("path", { d: `M${LEFT} ${y(part * top)}H${width}`, stroke: GRID }),
      svg("text", { x: LEFT - 8, y: y(part * top) + 5, fill: MUTED, "text-anchor": "end" }, short(part * top))));
    const times = [120, 90, 60, 30].map((age, at) =>
      svg("text", { x: LEFT + (at * (width - LEFT - 8)) / 4, y: height - 5, fill: MUTED }, `−${age} s`));
    const now = svg("text", { x: width, y: height - 5, fill: MUTED, "text-anchor": "end" }, this._say("now"));
    const [last] = answered.slice(-1);
    if (!last) return [...parts, ...times, now];
    const offered = rates.some((pair) => pair[0] !== null) &&
      svg("path", { d: pathOf(points(0)), fill: "none", stroke: "#ff7a66", "stroke-width": 1.6, "stroke-dasharray": "4 4" });
    return [
      ...parts,
      svg("path", { d: `${pathOf(answered)}L${last[0]} ${floor}L${answered[0][0]} ${floor}Z`, fill: "url(#under-line)" }),
      offered,
      svg("path", { d: pathOf(answered), fill: "none", stroke: "#ffd98a", "stroke-width": 2.6, "stroke-linejoin": "round" }),
      svg("circle", { cx: last[0], cy: last[1], r: 5, fill: "#fff3cf" }),
      ...times,
      now,
    ];
  }
}

/** How many taps took how long, with the median and the 99th percentile. */
export class LatencyChart extends Drawing {
  /** @param {import("./words.js").Say} say */
  constructor(say) {
    super(say("latency_chart"));
    this._say = say;
  }

  /**
   * @param {any} picture
   * @param {number} width
   * @param {number} height
   */
  drawn(picture, width, height) {
    const { histogram, p50, p99 } = picture.latency;
    const floor = height - 28;
    if (!histogram) {
      return [svg("text", { x: width / 2, y: height / 2, fill: MUTED, "text-anchor": "middle", "font-size": 16 }, this._say("no_latency"))];
    }
    const most = Math.max(...histogram.counts);
    const step = width / histogram.counts.length;
    const place = (/** @type {number} */ ms) => Math.min(1, ms / histogram.top_ms) * width;
    const bars = histogram.counts.map((/** @type {number} */ count, /** @type {number} */ at) => {
      const from = (at / histogram.counts.length) * histogram.top_ms;
      const tall = count ? Math.max(1.5, (count / most) * (floor - 10)) : 0;
      const fill = from <= p50 ? "#f2bd55" : from <= p99 ? "#c9823a" : "#ff7a66";
      return svg("rect", { x: at * step, y: floor - tall, width: Math.max(1, step - 3), height: tall, rx: 2.5, fill });
    });
    const mark = (/** @type {number} */ ms, /** @type {string} */ name) => {
      const x = place(ms);
      const anchor = x < 60 ? "start" : x > width - 60 ? "end" : "middle";
      return svg("g", {},
        svg("path", { d: `M${x} 4V${floor}`, stroke: "#fff", "stroke-dasharray": "3 4", opacity: 0.7 }),
        svg("text", { x, y: height - 6, "text-anchor": anchor, fill: "#fff" }, name));
    };
    const apart = place(p99) - place(p50) > 44;
    return [
      ...bars,
      svg("path", { d: `M0 ${floor + 0.5}H${width}`, stroke: "rgba(255,226,190,.2)" }),
      place(p50) > 30 && apart && mark(p50, "p50"),
      mark(p99, "p99"),
      svg("text", { y: height - 6, fill: MUTED }, "0"),
      place(p99) < width - 90 &&
        svg("text", { x: width, y: height - 6, "text-anchor": "end", fill: MUTED }, `${milliseconds(histogram.top_ms)} ms`),
    ];
  }
}

const INK = {
  funded: "#f2bd55", claimed: "#3fe0a0", unclaimed: "#d9242f", redeemed: "#3fe0a0", hands: "#7db4ff",
  expired: "#b98cff", escrow: "#f2493f", returned: "#8a6d72",
};

/** Where the money of all packets is. */
export class MoneyChart extends Drawing {
  /** @param {import("./words.js").Say} say */
  constructor(say) {
    super(say("money_chart"));
    this._say = say;
  }

  /**
   * @param {any} picture
   * @param {number} width
   * @param {number} height
   */
  drawn(picture, width, height) {
    if (!picture.money) {
      return [svg("text", { x: width / 2, y: height / 2, fill: MUTED, "text-anchor": "middle" }, this._say("no_books"))];
    }
    const { bars, ribbons } = flowOf(picture.money, height - 8);
    const x = [0, width * 0.34, width * 0.68];
    const ink = (/** @type {string} */ name) => INK[/** @type {keyof typeof INK} */ (name)];
    const of = (/** @type {string} */ name) => bars.find((bar) => bar.name === name)?.column ?? 0;
    const flows = ribbons.map((ribbon) => {
      const [from, to] = [x[of(ribbon.from)] + 12, x[of(ribbon.to)]];
      const half = (from + to) / 2;
      const d = `M${from} ${ribbon.top}C${half} ${ribbon.top} ${half} ${ribbon.endTop} ${to} ${ribbon.endTop}` +
        `L${to} ${ribbon.endBottom}C${half} ${ribbon.endBottom} ${half} ${ribbon.bottom} ${from} ${ribbon.bottom}Z`;
      return svg("path", { d, fill: ink(ribbon.to), opacity: 0.28 });
    });
    const nodes = bars.map((bar) => svg("g", {},
      svg("rect", { x: x[bar.column], y: bar.y, width: 12, height: bar.height, rx: 4, fill: ink(bar.name) }),
      svg("text", { x: x[bar.column] + 20, y: bar.labelY + 16, fill: "#f3e4e0" }, this._say(`money_${bar.name}`)),
      svg("text", { x: x[bar.column] + 20, y: bar.labelY + 36, fill: "#fff", "font-size": 16, "font-weight": 700, class: "num" },
        shortYuan(bar.fen))));
    return [svg("g", { transform: "translate(0 4)" }, ...flows, ...nodes)];
  }
}

/**
 * Fen as yuan, without the fen where there are none.
 *
 * @param {number} fen
 */
export function shortYuan(fen) {
  return fen % 100 === 0 ? `¥${fen < 0 ? "−" : ""}${grouped(Math.abs(fen) / 100)}` : `¥${yuan(fen)}`;
}
