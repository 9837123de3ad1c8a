// @ts-check
import { grouped } from "../shared/money.js";
import { axis, plot } from "../shared/plots.js";
import { say } from "./words.js";

/**
 * The drawings of what packets did.
 *
 * @typedef {import("./packet_words.js").Packet} Packet
 * @typedef {Record<string, any>} Effects
 */

/** @param {HTMLElement} into @param {Effects} found */
export function drawFunnel(into, found) {
  const steps = [
    [say("funnel_exposed"), found.exposed_viewers],
    [say("funnel_grabbed"), found.grab_attempts],
    [say("funnel_claimed"), found.claims],
    [say("funnel_ordered"), found.locked + found.redeemed_count],
    [say("funnel_redeemed"), found.redeemed_count],
  ];
  const most = Math.max(1, ...steps.map(([, count]) => Number(count)));
  return plot(
    into,
    [
      {
        type: "bar",
        orientation: "h",
        y: steps.map(([name]) => name),
        x: steps.map(([, count]) => count),
        text: steps.map(([, count]) => grouped(Number(count))),
        textposition: "outside",
        cliponaxis: false,
        marker: { color: "--c-bar" },
        hoverinfo: "skip",
        textfont: { color: "--c-text", size: 13 },
      },
    ],
    {
      yaxis: axis({ autorange: "reversed", showgrid: false, tickfont: { family: "--font-ui", color: "--c-text" } }),
      xaxis: axis({ visible: false, range: [0, most * 1.18] }),
      margin: { l: 10, r: 10, t: 4, b: 4 },
      bargap: 0.3,
      height: 200,
    },
  );
}

/** @param {HTMLElement} into @param {number[]} moments @param {Packet} packet */
export function drawClaims(into, moments, packet) {
  const seconds = moments.map((ms) => (ms - packet.grab_at_ms) / 1000).sort((a, b) => a - b);
  return plot(
    into,
    [
      {
        type: "scatter",
        mode: "lines",
        line: { color: "--c-bar", shape: "hv", width: 2.5 },
        fill: "tozeroy",
        x: [0, ...seconds],
        y: [0, ...seconds.map((_, at) => at + 1)],
        hovertemplate: `%{x:.1f} s: %{y}<extra></extra>`,
      },
    ],
    {
      xaxis: axis({ title: { text: say("axis_seconds") } }),
      yaxis: axis({ rangemode: "tozero", title: { text: say("axis_claims") } }),
    },
  );
}

/** @param {HTMLElement} into @param {Packet[]} packets @param {Effects[]} each */
export function drawReturns(into, packets, each) {
  const names = packets.map((packet) => [...packet.name].slice(0, 12).join(""));
  const ids = packets.map((packet) => packet.packet_id);
  return plot(
    into,
    [
      {
        type: "bar",
        name: say("gmv"),
        x: ids,
        y: each.map((one) => one.gmv_attributed_fen / 100),
        marker: { color: "--c-bar-2" },
        hovertemplate: "¥%{y:,.2f}<extra></extra>",
      },
      {
        type: "bar",
        name: say("cost"),
        x: ids,
        y: each.map((one) => one.cost_fen / 100),
        marker: { color: "--c-bar" },
        hovertemplate: "¥%{y:,.2f}<extra></extra>",
      },
    ],
    {
      showlegend: true,
      legend: { orientation: "h", y: 1.15 },
      xaxis: axis({ tickvals: ids, ticktext: names, type: "category" }),
      yaxis: axis({ tickprefix: "¥", rangemode: "tozero" }),
      barmode: "group",
    },
  );
}

/** @param {HTMLElement} into @param {Effects} found */
export function drawWatch(into, found) {
  const bars = /** @type {[string, number | null, string][]} */ ([
    [say("watch_with"), found.watch_seconds, "--c-bar"],
    [say("watch_without"), found.watch_seconds_without, "--c-line-strong"],
  ]);
  return plot(
    into,
    [
      {
        type: "bar",
        x: bars.map(([name]) => name),
        y: bars.map(([, seconds]) => seconds ?? 0),
        marker: { color: bars.map(([, , color]) => color) },
        text: bars.map(([, seconds]) =>
          seconds === null ? say("unknown") : say("seconds", { count: seconds.toFixed(1) }),
        ),
        textposition: "outside",
        cliponaxis: false,
        hoverinfo: "skip",
        textfont: { color: "--c-text", size: 13 },
      },
    ],
    { yaxis: axis({ title: { text: say("axis_seconds") }, rangemode: "tozero" }), bargap: 0.5 },
  );
}

/** @param {HTMLElement} into @param {Effects} found */
export function drawMoney(into, found) {
  const usable =
    found.claimed_amount_fen - found.redeemed_amount_fen - found.locked_amount_fen - found.expired_amount_fen;
  const parts = /** @type {[string, number, string][]} */ ([
    [say("money_redeemed"), found.redeemed_amount_fen, "--c-ok"],
    [say("money_locked"), found.locked_amount_fen, "--c-bar-2"],
    [say("money_usable"), Math.max(0, usable), "--c-info"],
    [say("money_expired"), found.expired_amount_fen, "--c-line-strong"],
  ]);
  return plot(
    into,
    parts.map(([name, fen, color]) => ({
      type: "bar",
      orientation: "h",
      name,
      x: [fen / 100],
      y: [""],
      marker: { color },
      hovertemplate: `${name}: ¥%{x:,.2f}<extra></extra>`,
    })),
    {
      barmode: "stack",
      showlegend: true,
      legend: { orientation: "h", y: -0.6, traceorder: "normal" },
      height: 120,
      margin: { l: 4, r: 10, t: 4, b: 40 },
      xaxis: axis({ tickprefix: "¥", rangemode: "tozero" }),
      yaxis: axis({ visible: false }),
    },
  );
}
