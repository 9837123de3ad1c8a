// draw.js: draws the figures of the page. Colours are custom properties of the style sheet, read when drawing, so that
// a change from light to dark draws everything again.
"use strict";

(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const NARROW_PX = 640;
  const STYLE_OF_TEXT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif";

  function coloured(value, style) {
    if (typeof value === "string") return value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
    if (Array.isArray(value)) return value.map((one) => coloured(one, style));
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, coloured(one, style)]));
    }
    return value;
  }

  function axis(given) {
    return {
      gridcolor: "--grid", linecolor: "--grid", zerolinecolor: "--grid", tickcolor: "--grid", automargin: true,
      ticks: "outside", ticklen: 4, separatethousands: true, ...given,
      title: { font: { size: 12, color: "--faint" }, standoff: 8, ...(given.title ?? {}) },
    };
  }

  function layoutOf(figure, narrow) {
    const layout = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: STYLE_OF_TEXT, size: narrow ? 11 : 13, color: "--ink" },
      margin: { l: narrow ? 44 : 64, r: narrow ? 8 : 24, t: 24, b: 44 },
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom", font: { size: narrow ? 11 : 12 } },
      hoverlabel: { bgcolor: "--card", bordercolor: "--grid", font: { color: "--ink", family: STYLE_OF_TEXT } },
      dragmode: narrow ? false : "zoom",
      ...figure.layout,
    };
    for (const name of new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))])) {
      layout[name] = axis(layout[name] ?? {});
      if (narrow) layout[name].fixedrange = true;
    }
    return layout;
  }

  // Plotly reads dates without a zone as they stand: the room's wall clock goes in as it is to be shown.
  function roomRange(roomAxis, range) {
    const [start, speed] = roomAxis;
    const origin = Date.parse(start.replace(" ", "T").slice(0, 23) + "Z");
    return range.map((seconds) => new Date(origin + seconds * 1000 * speed).toISOString().slice(0, 23).replace("T", " "));
  }

  function withRoomAxis(figure, data, layout, narrow) {
    layout.xaxis2 = axis({
      type: "date", tickmode: "auto", tickcolor: "--faint", overlaying: "x", side: "top", showgrid: false, range: roomRange(figure.room_axis, layout.xaxis.range),
      tickformat: "%H:%M:%S", fixedrange: true, nticks: narrow ? 4 : 8, title: { text: "room time", standoff: 4, font: { size: 12, color: "--faint" } },
      anchor: layout.yaxis2 ? "y2" : "y",
    });
    // The room's axis has the place above, so the legend goes below the axis in real seconds.
    layout.margin = { ...layout.margin, t: 50, b: 90 };
    const plot_px = figure.height_px - layout.margin.t - layout.margin.b;
    layout.legend = { ...layout.legend, y: -50 / plot_px, yanchor: "top", traceorder: "normal" };
    // An axis without a trace is not drawn.
    data.push({ type: "scatter", mode: "markers", x: [layout.xaxis2.range[0]], y: [0], xaxis: "x2", yaxis: layout.yaxis2 ? "y2" : "y",
      opacity: 0, showlegend: false, hoverinfo: "skip" });
  }

  function draw(figure) {
    const place = document.getElementById(`plot-${figure.name}`);
    const narrow = place.clientWidth < NARROW_PX;
    const data = structuredClone(figure.traces);
    const layout = layoutOf(structuredClone(figure), narrow);
    if (figure.room_axis) withRoomAxis(figure, data, layout, narrow);
    const style = getComputedStyle(document.documentElement);
    Plotly.react(place, coloured(data, style), coloured(layout, style), { displayModeBar: false, responsive: true });
    if (figure.room_axis && !place.dataset.follows) {
      place.dataset.follows = "yes";
      place.on("plotly_relayout", (change) => {
        if (Object.keys(change).some((key) => key.startsWith("xaxis."))) {
          Plotly.relayout(place, { "xaxis2.range": roomRange(figure.room_axis, place.layout.xaxis.range) });
        }
      });
    }
  }

  const drawAll = () => figures.forEach(draw);
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
