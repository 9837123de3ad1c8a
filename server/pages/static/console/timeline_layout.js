// @ts-check
import { HOUR_MS, MINUTE_MS } from "./times.js";

/**
 * Where things stand on a drawing of the evening; pure.
 *
 * @typedef {{warmup_at_ms: number, grab_at_ms: number, claim_end_at_ms: number}} Schedule
 * @typedef {Schedule & {packet_id: string, name: string, ended_at_ms?: number | null}} Planned
 * @typedef {{from_ms: number, to_ms: number}} Stretch
 */

const STEP_MS = 30 * MINUTE_MS;
const LONGEST_MS = 14 * HOUR_MS;

/**
 * The stretch of time to draw: the next hours, or those around a launch that is further away.
 *
 * @param {number} nowMs
 * @param {Schedule | null} own
 * @returns {Stretch}
 */
export function evening(nowMs, own) {
  const near = !own || own.warmup_at_ms - nowMs < 5 * HOUR_MS;
  const from = floor(near ? nowMs - 10 * MINUTE_MS : (own?.warmup_at_ms ?? nowMs) - HOUR_MS);
  const wanted = Math.max(near ? nowMs + 4 * HOUR_MS : from, own ? own.claim_end_at_ms + HOUR_MS : 0);
  return { from_ms: from, to_ms: floor(Math.min(wanted, from + LONGEST_MS) + STEP_MS - 1) };
}

/**
 * The instants that are written below the drawing: not more than ten or so.
 *
 * @param {Stretch} stretch
 */
export function ticks({ from_ms, to_ms }) {
  const step =
    [STEP_MS, HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS].find((each) => (to_ms - from_ms) / each <= 10) ?? 6 * HOUR_MS;
  const found = [];
  for (let at = Math.ceil(from_ms / step) * step; at <= to_ms; at += step) found.push(at);
  return found;
}

/**
 * Put each packet on the first lane on which nothing else stands, names included.
 *
 * @param {Planned[]} packets
 * @param {number} roomMs how much time a name takes on the drawing
 * @returns {{packet: Planned, lane: number}[]}
 */
export function lanes(packets, roomMs) {
  /** @type {number[]} */
  const free = [];
  return [...packets]
    .sort((a, b) => a.warmup_at_ms - b.warmup_at_ms)
    .map((packet) => {
      let lane = free.findIndex((until) => until <= packet.warmup_at_ms);
      if (lane < 0) lane = free.length;
      free[lane] = packet.claim_end_at_ms + roomMs;
      return { packet, lane };
    });
}

/**
 * Where a schedule overlaps the others, from warm-up to the end of the claim window.
 *
 * @param {Schedule} own
 * @param {Schedule[]} others
 * @returns {Stretch[]}
 */
export function overlaps(own, others) {
  return others
    .map((other) => ({
      from_ms: Math.max(own.warmup_at_ms, other.warmup_at_ms),
      to_ms: Math.min(own.claim_end_at_ms, other.claim_end_at_ms),
    }))
    .filter((stretch) => stretch.from_ms < stretch.to_ms);
}

/** @param {number} ms */
function floor(ms) {
  return Math.floor(ms / STEP_MS) * STEP_MS;
}
