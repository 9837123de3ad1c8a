// @ts-check
import { grouped, yuan } from "../shared/money.js";
import { textOf } from "../shared/texts.js";
import { day, dayAndTime, span, timeOfDay } from "./times.js";
import { say } from "./words.js";

/**
 * @typedef {Record<string, any>} Packet a packet as the API shows it
 * @typedef {"en" | "zh"} Language
 */

/** @param {Packet} packet */
export function denomination(packet) {
  if (packet.denomination === "fixed") return [say("fixed"), `¥${yuan(packet.min_share_fen)}`];
  return [say("random"), `¥${yuan(packet.min_share_fen)}–${yuan(packet.max_share_fen)}`];
}

/**
 * How and when a packet is launched.
 *
 * @param {Packet} packet
 * @param {Language} lang
 */
export function launch(packet, lang) {
  if (packet.grab_at_ms === null) return ["—", say(packet.state === "draft" ? "not_launched" : "never_launched")];
  const way = packet.launch_mode ? textOf("launch_mode", packet.launch_mode) : say("launched");
  const opens = `${day(packet.grab_at_ms, lang)} ${timeOfDay(packet.grab_at_ms)}`.replaceAll(" ", "\u00a0");
  if (packet.warmup_at_ms === packet.grab_at_ms) return [way, say("opens_at", { time: opens })];
  return [way, say("warms_and_opens", { warmup: timeOfDay(packet.warmup_at_ms), time: opens })];
}

/**
 * How long a share may be used, and on what.
 *
 * @param {Packet} packet
 * @param {Language} lang
 */
export function validity(packet, lang) {
  const goods = packet.product_ids ? say("chosen_goods", { count: packet.product_ids.length }) : say("all_goods");
  if (packet.use_for_ms !== null) return [say("after_claim", { span: span(packet.use_for_ms, lang) }), goods];
  if (packet.use_end_at_ms === null) return [say("without_end"), goods];
  return [`${dayAndTime(packet.use_start_at_ms, lang)} – ${dayAndTime(packet.use_end_at_ms, lang)}`, goods];
}

/** The share of the issuance that was claimed, in whole percent; only all of it is 100. @param {Packet} packet */
export function claimedPercent(packet) {
  return Math.floor((packet.given * 100) / Math.max(1, packet.share_count));
}

/** @param {Packet} packet */
export function claimed(packet) {
  return say("claimed_of", { given: grouped(packet.given), count: grouped(packet.share_count) });
}

/**
 * The word for a packet's phase, or for the state of an activity, each as the server says it.
 *
 * @param {Packet} packet
 * @param {boolean} activity
 * @returns {{word: string, kind: string}}
 */
export function status(packet, activity = false) {
  if (activity) {
    const kinds = { pending: packet.phase === "draft" ? "draft" : "scheduled", active: "grabbing", ended: "settled" };
    const state = /** @type {keyof typeof kinds} */ (packet.activity);
    return { word: textOf("activity", state), kind: kinds[state] };
  }
  return { word: textOf("phase", packet.phase), kind: packet.phase };
}
