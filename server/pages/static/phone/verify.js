// @ts-check
import { commitment, split } from "../shared/split.js";

/**
 * Check a packet against what was promised: every edition's shares are drawn again from the revealed seed. Pure.
 *
 * @typedef {{index: number, amount_fen: number}} ClaimSeen
 * @typedef {{commitments: {edition: number, commitment: string}[], shares: number, compared: number, wrong: number[],
 *   broken: number[]}} Verdict `wrong`: indexes of claims with another amount; `broken`: editions whose seed does not
 *   fit the commitment
 */

/**
 * @param {import("./state.js").RoomPacket} packet with its result, which holds the seeds
 * @param {import("./state.js").Edition[]} promised what was on screen before
 * @param {ClaimSeen[]} claims
 * @returns {Verdict}
 */
export function verified(packet, promised, claims) {
  /** @type {Verdict} */
  const verdict = { commitments: [], shares: 0, compared: 0, wrong: [], broken: [] };
  /** @type {Map<number, number>} amounts by index, the latest edition's from its first index on */
  const amounts = new Map();
  for (const revealed of packet.result?.editions ?? []) {
    for (const index of amounts.keys()) if (index >= revealed.first_index) amounts.delete(index);
    if (!revealed.seed || !revealed.commitment) continue;
    const terms = {
      denomination: packet.denomination ?? "random",
      share_count: revealed.share_count,
      total_fen: revealed.total_fen,
      min_share_fen: packet.min_share_fen ?? 0,
      max_share_fen: packet.max_share_fen ?? 0,
    };
    const before = promised.find(({ edition }) => edition === revealed.edition)?.commitment ?? revealed.commitment;
    if (commitment(terms, revealed.seed) !== before) verdict.broken.push(revealed.edition);
    split(terms, revealed.seed).forEach((fen, i) => amounts.set(revealed.first_index + i, fen));
    verdict.commitments.push({ edition: revealed.edition, commitment: before });
  }
  verdict.shares = amounts.size;
  for (const { index, amount_fen } of claims) {
    verdict.compared++;
    if (amounts.get(index) !== amount_fen) verdict.wrong.push(index);
  }
  return verdict;
}
