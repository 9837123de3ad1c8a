// @ts-check
const PAGES_MAX = 20;

/**
 * A share that the viewer has claimed (`GET /api/viewers/ID/packets`).
 *
 * @typedef {{asset_id: string, packet_id: string, packet_name: string, creator_id: string, creator_name: string,
 *   platform: string, state: string, usable: boolean, face_fen: number, use_start_at_ms: number,
 *   use_end_at_ms: number | null, goods: string, product_ids: string[] | null,
 *   entrances: string[] | null, order_id: string | null}} Share
 */

/**
 * The viewer's shares of all creators' and the platform's packets, the latest first.
 *
 * @param {import("./page.js").Page} page
 * @returns {Promise<Share[]>}
 */
export async function sharesOf({ viewer, state }) {
  /** @type {Share[]} */
  const shares = [];
  let after = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await viewer.api.get(`api/viewers/${encodeURIComponent(state().viewerId)}/packets`, { after });
    shares.push(...answer.packets);
    after = answer.next;
    if (after === null) break;
  }
  return shares;
}

/**
 * Whose packet it is, in a name.
 *
 * @param {import("./page.js").Page} page
 * @param {Share} share
 */
export function ownerOf({ say }, share) {
  return share.creator_id === "platform" ? say("platform_packets") : share.creator_name;
}

/**
 * The creator of the room, as far as it is known.
 *
 * @param {import("./state.js").RoomState} state
 */
export function creatorOf(state) {
  return state.creatorId || (Object.values(state.packets)[0]?.creator_id ?? "");
}
