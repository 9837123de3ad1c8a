// @ts-check
import { el, show, svg } from "../shared/dom.js";
import { grouped, yuan } from "../shared/money.js";
import { say } from "./words.js";

const [WIDTH, HEIGHT] = [620, 148];

/**
 * The split of a packet as one would see it: how many shares of which amount, in a drawing that follows the typing.
 */
export function histogram() {
  const figures = el("div", { class: "t" });
  const drawing = svg("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": say("histogram"),
  });
  const axis = el("div", { class: "ax num" });
  const verdict = el("p", { class: "verdict", role: "status" });
  const node = el("div", {}, el("div", { class: "hist" }, figures, drawing, axis), verdict);

  /**
   * @param {any} found the server's preview
   * @param {number} totalFen
   */
  function draw(found, totalFen) {
    node.classList.remove("stale");
    const figure = (/** @type {any} */ key, /** @type {number} */ fen) =>
      el("span", {}, say(key), el("b", { class: "num" }, `¥${yuan(fen)}`));
    show(
      figures,
      figure("average", Math.round(found.mean_fen)),
      figure("least", found.min_fen),
      figure("best_luck", found.max_fen),
    );
    const bars = /** @type {{from_fen: number, to_fen: number, count: number}[]} */ (found.bars);
    const [low, high] = [bars[0].from_fen, bars[bars.length - 1].to_fen];
    const tallest = Math.max(...bars.map((bar) => bar.count));
    const width = WIDTH / bars.length;
    show(
      drawing,
      ...bars.map((bar, at) => {
        const height = (bar.count / tallest) * (HEIGHT - 12);
        return svg(
          "rect",
          { class: "bar", x: at * width + 1, y: HEIGHT - 2 - height, width: Math.max(1, width - 2.5), height, rx: 2.5 },
          svg("title", {}, `¥${yuan(bar.from_fen)}–${yuan(bar.to_fen)}: ${grouped(bar.count)}`),
        );
      }),
      high > low
        ? svg("path", { class: "mean", d: `M${((found.mean_fen - low) / (high - low)) * WIDTH} 0V${HEIGHT}` })
        : null,
    );
    show(
      axis,
      ...[0, 0.25, 0.5, 0.75, 1].map((part) => el("span", {}, `¥${yuan(Math.round(low + (high - low) * part))}`)),
    );
    const sums = { low: yuan(found.total_min_fen), total: yuan(totalFen), high: yuan(found.total_max_fen) };
    show(
      verdict,
      el("span", { class: "ok" }, `✓ ${say("splits", sums)}`),
      " ",
      found.bars.length > 1 ? el("span", { class: "hint" }, say("example")) : null,
    );
  }

  /** @param {{message: string, rule: string | null}} refusal */
  function refuse(refusal) {
    node.classList.add("stale");
    show(
      verdict,
      el(
        "span",
        { class: "bad" },
        `✕ ${refusal.message} `,
        refusal.rule ? el("code", { class: "rule" }, refusal.rule) : null,
      ),
    );
  }

  function wait() {
    node.classList.add("stale");
    show(verdict, say("fill_in"));
  }

  return { node, draw, refuse, wait };
}
