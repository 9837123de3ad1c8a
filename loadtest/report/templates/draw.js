// draw.js: lays out the figures of the page, and tells what is under the pointer.
"use strict";

(() => {
  const { element, colour, each, width_of, lines_of, write, told, Axis, symbol_of, DASHES } = Plot;
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const NARROW_PX = 640, NEAR_PX = 28;

  // A drawing: its figure, its place, and what can be pointed at, each with its words.
  class Drawing {
    constructor(figure, place) {
      Object.assign(this, { figure, place, layout: figure.layout, targets: [] });
      this.narrow = place.clientWidth < NARROW_PX;
      this.size = this.narrow ? 11 : 12.5;
      this.width = place.clientWidth;
      place.replaceChildren();
      place.classList.add("drawn");
      const legend = this.legend();
      this.height = Math.max(150, figure.height_px - (legend?.offsetHeight ?? 0) - 16);
      place.style.height = "auto";
      this.svg = element("svg", { width: this.width, height: this.height, role: "img", "font-size": this.size, fill: "var(--ink)" }, place);
      if (figure.traces[0].type === "sankey") Flows.draw(this, figure.traces[0]);
      else this.plane();
      this.listen();
    }

    legend() {
      const { traces, layout } = this.figure;
      const named = traces.filter((trace) => trace.name && trace.showlegend !== false);
      if (layout.showlegend === false || (named.length < 2 && !layout.showlegend)) return null;
      const list = document.createElement("ul");
      list.className = "legend";
      for (const trace of named) {
        const item = document.createElement("li"), swatch = element("svg", { width: 26, height: 12, viewBox: "-13 -6 26 12" });
        if (trace.type === "bar") element("rect", { x: -8, y: -5, width: 16, height: 10, fill: colour(each(trace.marker.color, 0)), opacity: trace.marker.opacity ?? 1 }, swatch);
        if (trace.mode?.includes("lines")) element("path", { d: "M-13 0H13", ...this.stroke(trace.line) }, swatch);
        if (trace.mode?.includes("markers")) element("path", symbol_of(trace, 0), swatch);
        item.append(swatch, lines_of(trace.name).join(" "));
        list.append(item);
      }
      this.place.append(list);
      return list;
    }

    stroke(line) {
      return { fill: "none", stroke: colour(line?.color), "stroke-width": line?.width ?? 2, "stroke-dasharray": DASHES[line?.dash ?? "solid"] };
    }

    axis(name, letter) {
      const of = (trace) => (trace[`${letter}axis`] ?? letter) === name;
      const values = this.figure.traces.filter(of).flatMap((trace) => {
        if (trace.type !== "bar") return trace[letter];
        const level = (trace.orientation === "h") === (letter === "x");
        if (level) return trace[letter].flatMap((value, at) => [each(trace.base, at) ?? 0, (each(trace.base, at) ?? 0) + value, ...this.stacked(trace, at)]);
        return trace[letter].flatMap((value) => [value - trace.width / 2, value + trace.width / 2]);
      });
      const given = this.layout[name.replace(letter, `${letter}axis`)] ?? {};
      const levels = this.figure.traces.some((trace) => of(trace) && trace.type === "bar" && (trace.orientation === "h") === (letter === "x"));
      return new Axis({ spacing: letter === "x" ? 85 : 45, ...(levels ? { rangemode: "tozero" } : {}), ...given }, values);
    }

    // Returns from where to where a bar of a stack goes; of others from nothing.
    stacked(trace, at) {
      if (this.layout.barmode !== "stack" || trace.orientation === "h") return [0, trace.y[at]];
      this.stacks ??= this.stack();
      return this.stacks.get(trace)[at];
    }

    stack() {
      const reached = new Map();
      const bars = this.figure.traces.filter((trace) => trace.type === "bar" && trace.orientation !== "h");
      return new Map(bars.map((trace) => [trace, trace.x.map((x, at) => {
        const from = reached.get(x) ?? 0;
        reached.set(x, from + trace.y[at]);
        return [from, from + trace.y[at]];
      })]));
    }

    plane() {
      const { layout, figure } = this, dated = figure.room_axis;
      const lanes = layout.yaxis2 ? this.axis("y2", "y") : null;
      this.axes = { x: this.axis("x", "x"), y: this.axis("y", "y"), ...(lanes ? { y2: lanes } : {}) };
      const top = dated ? 44 : 10, bottom = this.height - (layout.xaxis?.title ? 46 : 28);
      const domain = (given) => (given?.domain ?? [0, 1]).map((part) => bottom - part * (bottom - top));
      for (const name of ["y", "y2"]) this.axes[name]?.between(...domain(layout[`${name[0]}axis${name.slice(1)}`]));
      const labels = Object.values(this.axes).slice(1).flatMap((axis) => axis.ticks.map((tick) => lines_of(tick.text).join(" ")));
      const most = this.narrow ? 90 : 230;
      this.left = 12 + Math.min(most, Math.max(20, ...labels.map((text) => width_of(text, this.size)))) + (layout.yaxis?.title ? 20 : 0);
      this.right = this.width - (this.narrow ? 8 : 22);
      this.axes.x.between(this.left, this.right);
      Object.assign(this, { top, bottom });
      this.grid();
      if (dated) this.room_axis(dated);
      this.shapes("below");
      const clip = `clip-${figure.name}`, clipped = element("clipPath", { id: clip }, this.svg);
      element("rect", { x: this.left, y: top - 6, width: this.right - this.left + 6, height: bottom - top + 12 }, clipped);
      this.marks = element("g", { "clip-path": `url(#${clip})` }, this.svg);
      for (const trace of figure.traces) (trace.type === "bar" ? this.bars : this.points).call(this, trace);
      this.shapes("above");
      for (const note of layout.annotations ?? []) {
        write(note.text, this.axes.x.at(note.x) + (note.xshift ?? 0), top + 12, { fill: colour(note.font?.color), "font-size": note.font?.size ?? 11 }, this.svg);
      }
    }

    grid() {
      const { x, ...others } = this.axes, faint = { fill: "var(--faint)" };
      let free = -Infinity;
      for (const tick of x.ticks) {
        const at = x.at(tick.value), half = width_of(tick.text, this.size) / 2;
        element("path", { d: `M${at} ${this.top}V${this.bottom + 4}`, stroke: "var(--grid)" }, this.svg);
        if (at - half < free) continue;
        free = at + half + 8;
        write(tick.text, Math.min(at, this.width - half - 2), this.bottom + 17, { "text-anchor": "middle" }, this.svg);
      }
      for (const axis of Object.values(others)) {
        for (const tick of axis.ticks) {
          const at = axis.at(tick.value);
          if (axis.given.showgrid !== false) element("path", { d: `M${this.left - 4} ${at}H${this.right}`, stroke: "var(--grid)" }, this.svg);
          this.fitted(tick.text, this.left - 8, at + this.size * 0.35, this.left - 12 - (this.layout.yaxis?.title ? 20 : 0), { "text-anchor": "end" });
        }
        const title = axis.given.title?.text, middle = (axis.start + axis.end) / 2;
        if (title) write(title, 0, 0, { transform: `translate(14 ${middle}) rotate(-90)`, "text-anchor": "middle", ...faint }, this.svg);
      }
      const title = x.given.title?.text;
      if (title) write(title, (this.left + this.right) / 2, this.bottom + 38, { "text-anchor": "middle", ...faint }, this.svg);
    }

    room_axis(dates) {
      const axis = new Axis({ dates }, []);
      Object.assign(axis, { low: this.axes.x.low, high: this.axes.x.high });
      for (const tick of axis.between(this.left, this.right).ticks) {
        element("path", { d: `M${axis.at(tick.value)} ${this.top - 4}v4`, stroke: "var(--faint)" }, this.svg);
        write(tick.text, axis.at(tick.value), this.top - 9, { "text-anchor": "middle" }, this.svg);
      }
      write("room time", (this.left + this.right) / 2, this.top - 29, { "text-anchor": "middle", fill: "var(--faint)" }, this.svg);
    }

    // Writes a text into so many px, with an ellipsis if it is longer; nothing if hardly any of it would be seen.
    fitted(text, x, y, px, attributes, parent = this.svg) {
      let shown = lines_of(text).join(" ");
      const whole = shown;
      while (shown && width_of(shown, this.size) > px) shown = shown.slice(0, -1);
      if (shown.length < Math.min(3, whole.length)) return;
      const made = write("", x, y, attributes, parent);
      made.textContent = shown === whole ? whole : `${shown.slice(0, -1)}…`;
    }

    shapes(layer) {
      for (const shape of this.layout.shapes ?? []) {
        if ((shape.layer ?? "above") !== layer) continue;
        const place = (ref, value, axis, ends) => (ref === "paper" || ref?.endsWith(" domain") ? ends[0] + value * (ends[1] - ends[0]) : axis.at(value));
        const { x, y } = this.axes, wide = [this.left, this.right], high = [y.start, y.end];
        const [x0, x1] = [shape.x0, shape.x1].map((one) => place(shape.xref, one, x, wide));
        const [y0, y1] = [shape.y0, shape.y1].map((one) => place(shape.yref, one, y, high));
        if (shape.type === "line") element("path", { d: `M${x0} ${y0}L${x1} ${y1}`, ...this.stroke(shape.line) }, this.svg);
        else element("rect", { ...box(x0, y0, x1, y1), fill: colour(shape.fillcolor), opacity: shape.opacity ?? 1 }, this.svg);
      }
    }

    fields(trace, at) {
      return { x: trace.x[at], y: trace.y[at], base: each(trace.base, at), customdata: trace.customdata?.[at], fullData: trace };
    }

    target(trace, at, x, y, more = {}) {
      if (trace.hoverinfo === "skip") return;
      const words = () => [...(trace.hovertemplate.includes("<extra>") || !trace.name ? [] : [`${lines_of(trace.name)}:`]), ...told(trace.hovertemplate, this.fields(trace, at))];
      this.targets.push({ trace, x, y, words, ...more });
    }

    bars(trace) {
      const sideways = trace.orientation === "h", x = this.axes.x, y = this.axes[trace.yaxis ?? "y"];
      trace.x.forEach((_, at) => {
        const half = trace.width / 2, from = each(trace.base, at) ?? 0, [low, high] = this.stacked(trace, at);
        const ends = sideways
          ? box(x.at(from), y.at(trace.y[at] - half), x.at(from + trace.x[at]), y.at(trace.y[at] + half))
          : box(x.at(trace.x[at] - half), y.at(low), x.at(trace.x[at] + half), y.at(high));
        element("rect", { ...ends, fill: colour(each(trace.marker.color, at)), opacity: trace.marker.opacity ?? 1 }, this.marks);
        const middle = [ends.x + ends.width / 2, ends.y + ends.height / 2];
        this.target(trace, at, ...middle, { box: ends });
        if (trace.text?.[at]) this.fitted(trace.text[at], middle[0], middle[1] + this.size * 0.35, ends.width - 6, { "text-anchor": "middle" }, this.marks);
      });
    }

    points(trace) {
      const x = this.axes.x, y = this.axes[trace.yaxis ?? "y"];
      const places = trace.x.map((value, at) => (value === null ? null : [x.at(value), y.at(trace.y[at])]));
      if (trace.mode.includes("lines")) {
        let drawn = "", on = false;
        for (const place of places) {
          const [px, py] = (place ?? [0, 0]).map((one) => one.toFixed(1));
          if (place) drawn += !on ? `M${px} ${py}` : trace.line?.shape === "hv" ? `H${px}V${py}` : `L${px} ${py}`;
          on = place !== null;
        }
        element("path", { d: drawn, "stroke-linejoin": "round", ...this.stroke(trace.line) }, this.marks);
      }
      places.forEach((place, at) => {
        if (place && trace.mode.includes("markers")) {
          element("path", { ...symbol_of(trace, at), transform: `translate(${place[0].toFixed(1)} ${place[1].toFixed(1)})` }, this.marks);
        }
        if (place && trace.customdata?.[at] !== "") this.target(trace, at, ...place);
      });
    }

    // Returns what is under the pointer: a bar or a flow that holds it, else the points next to it.
    near(x, y) {
      const inside = this.targets.filter(({ box: one }) => one && x >= one.x && x <= one.x + one.width && y >= one.y && y <= one.y + one.height);
      if (inside.length) return inside.slice(-1);
      const points = this.targets.filter((target) => !target.box);
      const unified = this.layout.hovermode === "x unified";
      const far = (target) => (unified ? Math.abs(target.x - x) : Math.hypot(target.x - x, target.y - y));
      const best = new Map();
      for (const target of points) if (!(far(best.get(target.trace) ?? { x: Infinity, y: 0 }) <= far(target))) best.set(target.trace, target);
      const found = [...best.values()].sort((one, other) => far(one) - far(other)).filter((target) => far(target) < NEAR_PX);
      return unified ? found.sort((one, other) => one.y - other.y) : found.slice(0, 1);
    }

    listen() {
      const words = document.createElement("div");
      words.className = "words";
      words.hidden = true;
      this.place.append(words);
      this.svg.addEventListener("pointermove", (event) => {
        const frame = this.svg.getBoundingClientRect(), x = event.clientX - frame.left, y = event.clientY - frame.top;
        const found = this.near(x, y);
        words.hidden = !found.length;
        words.replaceChildren(...found.flatMap((target) => target.words()).filter(Boolean).map((line) => Object.assign(document.createElement("div"), { textContent: line })));
        words.style.left = `${Math.min(x + 14, this.width - words.offsetWidth - 4)}px`;
        words.style.top = `${this.svg.offsetTop + y + 14}px`;
      });
      this.svg.addEventListener("pointerleave", () => { words.hidden = true; });
    }
  }

  const box = (x0, y0, x1, y1) => ({ x: Math.min(x0, x1), y: Math.min(y0, y1), width: Math.abs(x1 - x0), height: Math.abs(y1 - y0) });

  // Flows between nodes in columns, each node after all of its sources, and those that nothing leaves in the last.
  const Flows = {
    draw(drawing, { node, link }) {
      const nodes = node.label.map((label, at) => ({ label, colour: node.color[at], column: 0, out: [], in: [] }));
      const links = link.source.map((from, at) => ({ from: nodes[from], to: nodes[link.target[at]], value: link.value[at] }));
      for (const one of links) { one.from.out.push(one); one.to.in.push(one); }
      for (const _ of nodes) for (const one of links) one.to.column = Math.max(one.to.column, one.from.column + 1);
      const last = Math.max(...nodes.map((one) => one.column));
      for (const one of nodes) {
        if (!one.out.length) one.column = last;
        one.value = Math.max(...[one.out, one.in].map((some) => some.reduce((sum, each) => sum + each.value, 0)));
      }
      this.place(drawing, nodes, last, node);
      for (const one of links) this.ribbon(drawing, one, node.thickness, link);
      for (const one of nodes) this.block(drawing, one, node, last);
    },
    place(drawing, nodes, last, { pad, thickness }) {
      const columns = Array.from({ length: last + 1 }, (_, at) => nodes.filter((one) => one.column === at));
      const free = (column) => drawing.height - 24 - pad * (column.length - 1);
      const scale = Math.min(...columns.map((column) => free(column) / column.reduce((sum, one) => sum + one.value, 0)));
      const middle = (one) => one.y + one.height / 2;
      for (const [at, column] of columns.entries()) {
        for (const one of column) one.weight = one.in.reduce((sum, each) => sum + middle(each.from) * each.value, 0) / (one.in.reduce((sum, each) => sum + each.value, 0) || 1);
        if (at) column.sort((one, other) => one.weight - other.weight);
        let y = 12 + (free(column) - scale * column.reduce((sum, one) => sum + one.value, 0)) / 2;
        for (const one of column) {
          Object.assign(one, { y, height: Math.max(1, one.value * scale), x: 8 + (at * (drawing.width - 16 - thickness)) / Math.max(1, last), scale });
          y += one.height + pad;
        }
      }
      for (const one of nodes) {
        let out = one.y, into = one.y;
        for (const each of one.out.sort((a, b) => a.to.y - b.to.y)) { each.y0 = out; out += each.value * scale; }
        for (const each of one.in.sort((a, b) => a.from.y - b.from.y)) { each.y1 = into; into += each.value * scale; }
      }
    },
    ribbon(drawing, one, thickness, { color, hovertemplate }) {
      const x0 = one.from.x + thickness, x1 = one.to.x, middle = (x0 + x1) / 2, high = Math.max(1, one.value * one.from.scale);
      const d = `M${x0} ${one.y0}C${middle} ${one.y0} ${middle} ${one.y1} ${x1} ${one.y1}v${high}C${middle} ${one.y1 + high} ${middle} ${one.y0 + high} ${x0} ${one.y0 + high}Z`;
      element("path", { d, fill: colour(color) }, drawing.svg);
      const words = () => told(hovertemplate, { source: one.from, target: one.to, value: one.value });
      for (const part of [0.25, 0.5, 0.75]) drawing.targets.push({ trace: one, x: x0 + part * (x1 - x0), y: one.y0 + part * (one.y1 - one.y0) + high / 2, words });
    },
    block(drawing, one, { thickness, hovertemplate }, last) {
      const ends = { x: one.x, y: one.y, width: thickness, height: one.height };
      element("rect", { ...ends, fill: colour(one.colour) }, drawing.svg);
      drawing.targets.push({ trace: one, box: ends, words: () => told(hovertemplate, { label: one.label, value: one.value }) });
      const ending = one.column === last, x = ending ? one.x - 6 : one.x + thickness + 6;
      drawing.fitted(one.label, x, one.y + one.height / 2 + drawing.size * 0.35, drawing.width / (last + 1) - 10, { "text-anchor": ending ? "end" : "start" });
    },
  };

  const place_of = (figure) => document.getElementById(`plot-${figure.name}`);
  const drawn = new Map();
  function draw_all() {
    for (const figure of figures) {
      const place = place_of(figure);
      if (drawn.get(place) === place.clientWidth) continue;
      drawn.set(place, place.clientWidth);
      new Drawing(figure, place);
    }
  }
  draw_all();
  addEventListener("resize", draw_all);
})();
