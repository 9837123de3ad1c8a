// @ts-check
/**
 * A share that the viewer has claimed (`GET /api/viewers/ID/assets`).
 *
 * @typedef {{asset_id: string, packet_id: string, packet_name: string, creator_id: string, creator_name?: string,
 *   platform: string, state: string, usable: boolean, face_fen: number, use_start_at_ms: number,
 *   use_end_at_ms: number | null, order_id: string | null}} Share
 */

/**
 * The viewer's shares of all creators' and the platform's packets, the latest first.
 *
 * @param {import("./page.js").Page} page
 * @returns {Promise<Share[]>}
 */
export async function sharesOf({ viewer, state }) {
  const answer = await viewer.api.get(`api/viewers/${encodeURIComponent(state().viewerId)}/assets`, { creator_id: creatorOf(state()) });
  return [...answer].reverse();
}

/**
 * Whose packet it is, in a name.
 *
 * @param {import("./page.js").Page} page
 * @param {Share} share
 */
export function ownerOf({ say, state }, share) {
  if (share.creator_id === "platform") return say("platform_packets");
  return share.creator_name ?? (share.creator_id === creatorOf(state()) ? state().creatorName : share.creator_id);
}

/**
 * The creator of the room, as far as it is known.
 *
 * @param {import("./state.js").RoomState} state
 */
export function creatorOf(state) {
  return state.creatorId || (Object.values(state.packets)[0]?.creator_id ?? "");
}
