// @ts-check
import { el, show } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { drawClaims, drawFunnel, drawMoney, drawReturns, drawWatch } from "./charts.js";
import { choice } from "./form.js";
import { overlay } from "./overlay.js";
import { status } from "./packet_words.js";
import { span } from "./times.js";
import { say } from "./words.js";

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {import("./packet_words.js").Packet} Packet
 * @typedef {Record<string, any>} Effects
 */

const LATEST = 100; // packets that can be chosen

/**
 * What packets did (KS-MON-1): of all packets of the creator, or of one.
 *
 * @param {Desk} desk
 */
export function effects(desk) {
  const page = el("div", {});
  const pick = choice([["", say("all_packets")]]);
  pick.setAttribute("aria-label", say("packet"));
  const shown = charts(desk);
  pick.addEventListener("change", () => void refresh());

  async function refresh() {
    const { packets } = await desk.api.get(desk.of("packets"), { limit: LATEST });
    const options = packets.filter((/** @type {Packet} */ packet) => packet.grab_at_ms !== null);
    if (pick.options.length !== options.length + 1) {
      const before = pick.value;
      show(
        pick,
        el("option", { value: "" }, say("all_packets")),
        ...options.map((/** @type {Packet} */ packet) => el("option", { value: packet.packet_id }, packet.name)),
      );
      pick.value = before;
    }
    const packet = options.find((/** @type {Packet} */ each) => each.packet_id === pick.value) ?? null;
    await shown.refresh(packet, options);
  }

  page.append(
    el(
      "section",
      { class: "card" },
      el("div", { class: "tool" }, el("label", { class: "pick" }, say("packet"), " ", pick)),
      shown.node,
    ),
  );
  return { node: page, refresh };
}

/**
 * The effects of one packet in a drawer.
 *
 * @param {Desk} desk
 * @param {Packet} packet
 */
export function openEffects(desk, packet) {
  const shown = charts(desk);
  const { word, kind } = status(packet, desk.activities);
  const box = overlay({
    title: say("effects_title", { name: packet.name }),
    kind: "drawer",
    body: [el("p", {}, el("span", { class: `chip k-${kind}` }, word)), shown.node],
  });
  const again = () => void shown.refresh(packet, [packet]).catch(() => {});
  const timer = window.setInterval(again, 2000);
  box.addEventListener("close", () => clearInterval(timer));
  again();
}

/** @param {Desk} desk */
function charts(desk) {
  const figures = el("div", { class: "kp" });
  const funnel = el("div", { class: "plot" });
  const claims = el("div", { class: "plot" });
  const returns = el("div", { class: "plot" });
  const watching = el("div", { class: "plot" });
  const money = el("div", { class: "plot short" });
  const claimed = titled(say("chart_claims"), say("chart_claims_why"), claims);
  const compared = titled(say("chart_roi"), say("chart_roi_why"), returns);
  const node = el(
    "div",
    { class: "charts" },
    figures,
    titled(say("chart_funnel"), say("chart_funnel_why"), funnel),
    claimed,
    compared,
    titled(say("chart_watch"), say("chart_watch_why"), watching),
    titled(say("chart_money"), say("chart_money_why"), money),
  );
  let said = "";

  /**
   * @param {Packet | null} packet null: all of the creator
   * @param {Packet[]} packets
   */
  async function refresh(packet, packets) {
    const path = packet ? desk.packet(packet.packet_id, "effects") : desk.of("effects");
    /** @type {Effects} */
    const found = await desk.api.get(path);
    const { at_ms, ...rest } = found;
    const now = JSON.stringify([packet?.packet_id, rest, document.documentElement.dataset.theme]);
    if (now === said) return;
    said = now;
    show(figures, ...keyFigures(found, desk));
    const moments = packet ? await claimTimes(desk, packet) : null;
    claimed.hidden = !moments || moments.length === 0;
    compared.hidden = packet !== null || packets.length === 0;
    const drawn = [drawFunnel(funnel, found), drawWatch(watching, found), drawMoney(money, found)];
    if (!claimed.hidden && moments && packet) drawn.push(drawClaims(claims, moments, packet));
    if (!compared.hidden) {
      const latest = packets.slice(0, 8);
      drawn.push(
        drawReturns(
          returns,
          latest,
          await Promise.all(latest.map((each) => desk.api.get(desk.packet(each.packet_id, "effects")))),
        ),
      );
    }
    await Promise.all(drawn);
  }

  return { node, refresh };
}

/** @param {string} title @param {string} why @param {HTMLElement} drawing */
function titled(title, why, drawing) {
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", title);
  return el("section", { class: "chart" }, el("h3", {}, title), el("p", { class: "sub" }, why), drawing);
}

/**
 * @param {Effects} found
 * @param {Desk} desk
 */
function keyFigures(found, desk) {
  const figure = (/** @type {string} */ name, /** @type {string} */ value, /** @type {string} */ why, high = false) =>
    el("div", { class: high ? "hi" : null }, name, el("b", { class: "num" }, value), why);
  const percent = (/** @type {number | null} */ part) => (part === null ? "—" : `${(part * 100).toFixed(1)}%`);
  const uplift =
    found.watch_time_uplift === null
      ? "—"
      : `${found.watch_time_uplift < 0 ? "−" : "+"}${Math.abs(found.watch_time_uplift * 100).toFixed(0)}%`;
  return [
    figure(say("roi"), found.roi === null ? "—" : found.roi.toFixed(2), say("roi_why"), true),
    figure(
      say("gmv"),
      `¥${yuan(found.gmv_attributed_fen)}`,
      found.gmv_increment_fen === null ? say("gmv_why") : say("gmv_more", { sum: yuan(found.gmv_increment_fen) }),
    ),
    figure(say("cost"), `¥${yuan(found.cost_fen)}`, say("cost_why", { sum: yuan(found.claimed_amount_fen) })),
    figure(say("claim_rate"), percent(found.claim_rate), say("claim_rate_why")),
    figure(say("redemption_rate"), percent(found.redemption_rate), say("redemption_rate_why")),
    figure(
      say("sold_out"),
      found.sold_out_seconds == null ? "—" : span(found.sold_out_seconds * 1000, desk.lang),
      say("sold_out_why"),
    ),
    figure(say("watch_uplift"), uplift, say("watch_uplift_why")),
    figure(say("commission"), `¥${yuan(found.estimated_commission_fen)}`, say("commission_why")),
  ];
}

/**
 * When the first shares were claimed, from the list of claims.
 *
 * @param {Desk} desk
 * @param {Packet} packet
 * @returns {Promise<number[]>}
 */
async function claimTimes(desk, packet) {
  const found = [];
  let after = null;
  for (let page = 0; page < 10; page++) {
    const answer = await desk.api.get(desk.packet(packet.packet_id, "claims"), { limit: 100, after });
    found.push(
      ...answer.claims
        .map((/** @type {any} */ claim) => claim.claimed_at_ms)
        .filter((/** @type {any} */ ms) => ms !== null),
    );
    after = answer.next;
    if (after === null) break;
  }
  return found;
}
