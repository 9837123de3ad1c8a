// plot.js: draws a figure of the report as SVG: points, lines, bars, shapes and flows, on linear, logarithmic, dated and
// named axes. Colours are custom properties of the style sheet, so that light and dark need no second drawing.
"use strict";

const Plot = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const DASHES = { solid: "", dot: "2 4", dash: "8 5", longdash: "14 6" };
  const CHARACTER = 0.56; // of the size of the text, on average
  const STEPS = [1, 2, 5, 10];
  const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

  function element(name, attributes, parent) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
    parent?.append(made);
    return made;
  }

  const colour = (given, otherwise = "none") => (given === undefined ? otherwise : given.startsWith("--") ? `var(${given})` : given);
  const each = (value, at) => (Array.isArray(value) ? value[at] : value);
  const width_of = (text, size) => [...text].reduce((sum, one) => sum + (one > "\u2e80" ? 1 : CHARACTER), 0) * size;

  // Texts of figures are escaped, because what strangers wrote stands in them; a line break is ours.
  function lines_of(text) {
    const plain = (part) => part.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
    return String(text).split("<br>").map(plain);
  }

  function write(text, x, y, attributes, parent) {
    const made = element("text", { x, y, ...attributes }, parent);
    made.textContent = lines_of(text).join(" ");
    return made;
  }

  function number(value, format = "") {
    if (typeof value !== "number") return value ?? "";
    const digits = /\.(\d+)/.exec(format)?.[1];
    const grouped = format.includes(",");
    const sign = format.includes("+") && value >= 0 ? "+" : "";
    if (digits === undefined) return sign + value.toLocaleString("en-US", { useGrouping: grouped, maximumFractionDigits: 6 });
    const kind = format.endsWith("f") ? "FractionDigits" : "SignificantDigits";
    const least = format.includes("~") || kind === "SignificantDigits" ? {} : { minimumFractionDigits: +digits };
    return sign + value.toLocaleString("en-US", { useGrouping: grouped, [`maximum${kind}`]: +digits, ...least });
  }

  // Returns what a template of a trace says, line by line: %{y:,.2f} is a field and its format.
  function told(template, fields) {
    const filled = template.replace(/<extra>(.*?)<\/extra>/, (_, more) => (more ? `<br>${more}` : "")).replace(
      /%\{(\w+)(?:\.(\w+)|\[(\d+)\])?(?::([^}]*))?\}/g,
      (_, name, inner, at, format) => number(inner ?? at ? fields[name]?.[inner ?? +at] : fields[name], format));
    return lines_of(filled);
  }

  function linear_ticks(low, high, wanted) {
    const rough = (high - low) / Math.max(1, wanted), power = 10 ** Math.floor(Math.log10(rough));
    const step = STEPS.map((one) => one * power).find((one) => one >= rough * 0.7) ?? rough;
    const count = Math.floor((high - low) / step) + 2, first = Math.ceil(low / step - 1e-9);
    return Array.from({ length: count }, (_, at) => +((first + at) * step).toPrecision(12)).filter((one) => one <= high + step * 1e-9);
  }

  // An axis: its range, its ticks, and where a value lies, between two ends in px.
  class Axis {
    constructor(given, values) {
      Object.assign(this, { given, spacing: given.spacing, log: given.type === "log", names: given.categoryarray });
      const known = values.filter((one) => typeof one === "number" && (!this.log || one > 0)).map((one) => (this.log ? Math.log10(one) : one));
      let low = known.reduce((a, b) => Math.min(a, b), Infinity), high = known.reduce((a, b) => Math.max(a, b), -Infinity);
      if (low > high) [low, high] = [0, 1];
      if (given.rangemode === "tozero" && !this.log) [low, high] = [Math.min(0, low), Math.max(0, high)];
      const room = (high - low || Math.abs(high) || 1) * 0.05;
      const edge = (end) => (given.rangemode === "tozero" && end === 0 && !this.log ? 0 : room);
      [this.low, this.high] = given.range ?? [low - edge(low), high + edge(high)];
    }
    between(start, end) {
      Object.assign(this, { start, end });
      this.ticks = this.find_ticks(Math.abs(end - start));
      return this;
    }
    at(value) {
      const place = this.names ? (typeof value === "number" ? value : this.names.indexOf(value)) : this.log ? Math.log10(value) : value;
      return this.start + ((place - this.low) / (this.high - this.low)) * (this.end - this.start);
    }
    find_ticks(px) {
      const { given } = this, suffix = given.ticksuffix ?? "";
      const inside = (one) => one.place >= Math.min(this.low, this.high) - 1e-9 && one.place <= Math.max(this.low, this.high) + 1e-9;
      const tick = (value, text) => ({ value, text, place: this.names || !this.log ? (this.names ? this.names.indexOf(value) : value) : Math.log10(value) });
      if (this.names) return this.names.map((name) => tick(name, name)).filter(inside);
      if (given.tickvals) return given.tickvals.map((value, at) => tick(value, given.ticktext[at])).filter(inside);
      if (given.dates) return this.dated(px, given.dates).filter(inside);
      if (this.log) {
        const decades = linear_ticks(Math.ceil(this.low), Math.floor(this.high), 20).filter(Number.isInteger);
        return decades.map((one) => tick(10 ** one, number(10 ** one, ",") + suffix));
      }
      const wanted = given.dtick ? (this.high - this.low) / given.dtick : px / (this.spacing ?? 85);
      return linear_ticks(this.low, this.high, wanted).map((one) => tick(one, number(one, ",") + suffix));
    }
    dated(px, [start, speed]) {
      const origin = Date.parse(`${start.replace(" ", "T").slice(0, 23)}Z`), second = 1000;
      const step = SECONDS.find((one) => ((this.high - this.low) * speed) / one <= px / 110) ?? SECONDS.at(-1);
      const first = Math.ceil((origin + this.low * second * speed) / (step * second));
      const count = Math.floor(((this.high - this.low) * speed) / step) + 1;
      return Array.from({ length: count }, (_, at) => (first + at) * step * second).map((at_ms) => {
        const value = (at_ms - origin) / second / speed;
        return { value, place: value, text: new Date(at_ms).toISOString().slice(11, 19) };
      });
    }
  }

  const TAU = Math.PI * 2;
  function polygon(sides, turn, r, inner) {
    const points = Array.from({ length: sides * (inner ? 2 : 1) }, (_, at) => {
      const angle = turn + (at * TAU) / (sides * (inner ? 2 : 1)), far = inner && at % 2 ? inner * r : r;
      return `${(Math.sin(angle) * far).toFixed(2)} ${(-Math.cos(angle) * far).toFixed(2)}`;
    });
    return `M${points.join("L")}Z`;
  }
  const cross = (r) => `M${-r} ${-r}L${r} ${r}M${-r} ${r}L${r} ${-r}`;
  const plus = (r) => `M${-r} 0L${r} 0M0 ${-r}L0 ${r}`;
  const SYMBOLS = {
    circle: (r) => `M${-r} 0A${r} ${r} 0 1 0 ${r} 0A${r} ${r} 0 1 0 ${-r} 0Z`,
    square: (r) => `M${-r} ${-r}H${r}V${r}H${-r}Z`,
    diamond: (r) => polygon(4, 0, r * 1.25),
    star: (r) => polygon(5, 0, r * 1.35, 0.45),
    "triangle-up": (r) => polygon(3, 0, r * 1.25), "triangle-down": (r) => polygon(3, Math.PI, r * 1.25),
    "triangle-right": (r) => polygon(3, TAU / 4, r * 1.25),
    x: (r) => cross(r * 0.8), cross: (r) => plus(r),
  };

  // Returns the attributes that draw a trace's symbol around 0, 0.
  function symbol_of(trace, at) {
    const marker = trace.marker ?? { color: trace.line?.color }, name = each(marker.symbol, at) ?? "circle";
    const base = name.replace(/-(open|thin)$/, ""), r = (marker.size ?? 6) / 2, fill = colour(each(marker.color, at));
    const strokes = base === "x" || base === "cross", open = name.endsWith("-open") || strokes;
    return {
      d: SYMBOLS[base](r), opacity: marker.opacity ?? 1, fill: open ? "none" : fill,
      stroke: open ? fill : colour(marker.line?.color), "stroke-width": open ? (name.endsWith("-open") ? 1.6 : 2.4) : marker.line?.width ?? 0,
    };
  }

  return { element, colour, each, width_of, lines_of, write, number, told, Axis, symbol_of, DASHES };
})();
