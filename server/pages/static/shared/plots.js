// @ts-check
/**
 * Plots are drawn by the plotly.js that the server has in its package. It is large, so a page loads it with its first
 * plot. Colours are those of the style sheet, read when a plot is drawn.
 *
 * @typedef {Record<string, any>} Trace a trace of plotly.js; a string that begins with `--` is a custom property
 */

/** @type {Promise<any> | null} */
let loading = null;

/**
 * Draw a plot into an element, or draw it anew.
 *
 * @param {HTMLElement} into
 * @param {Trace[]} traces
 * @param {Record<string, any>} [layout]
 */
export async function plot(into, traces, layout = {}) {
  const plotly = await library();
  /** @type {Record<string, any>} */
  const drawn = { ...BASE, ...layout };
  for (const each of [drawn.xaxis, drawn.yaxis]) if (each.title) each.title = { font: { size: 12 }, ...each.title };
  await plotly.react(into, literal(traces), literal(drawn), CONFIG);
}

const CONFIG = { displayModeBar: false, responsive: true, locale: "en" };
/** @type {Record<string, any>} */
const AXIS = { gridcolor: "--c-line", linecolor: "--c-line-strong", zeroline: false, automargin: true };
/** @type {Record<string, any>} */
const BASE = {
  paper_bgcolor: "rgba(0,0,0,0)",
  plot_bgcolor: "rgba(0,0,0,0)",
  font: { family: "--font-num", size: 12, color: "--c-muted" },
  margin: { l: 46, r: 14, t: 10, b: 36 },
  height: 230,
  showlegend: false,
  hoverlabel: { bgcolor: "--c-raised", bordercolor: "--c-line-strong", font: { color: "--c-text" } },
  xaxis: AXIS,
  yaxis: { ...AXIS, rangemode: "tozero" },
};

/** Axes look alike on every plot. @param {Record<string, any>} [own] */
export function axis(own = {}) {
  return { ...AXIS, ...own };
}

function library() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("../plotly.min.js", import.meta.url).href;
    script.onload = () => resolve(/** @type {any} */ (window).Plotly);
    script.onerror = () => {
      loading = null;
      reject(new Error("plotly.min.js could not be loaded"));
    };
    document.head.append(script);
  });
  return loading;
}

/**
 * A part of a plot with its colours, in which each text is shown as it stands: plotly would take a name for bold type or
 * a link. Templates are ours, and no name stands in one.
 *
 * @param {any} value @returns {any}
 */
export function literal(value) {
  if (typeof value === "string") return value.startsWith("--") ? colour(value) : escaped(value);
  if (Array.isArray(value)) return value.map(literal);
  if (value && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [name, name === "hovertemplate" ? part : literal(part)]),
    );
  }
  return value;
}

/** @param {string} name */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
