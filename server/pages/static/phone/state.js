// @ts-check
/**
 * The state of the page: what the room's messages and the viewer's own taps have made of it. Everything here is pure;
 * the views draw what `scene.js` makes of it.
 *
 * @typedef {{status: string, amount_fen: number | null, index: number | null}} Receipt
 * @typedef {{requestId: string, atMs: number, receipt: Receipt | null, tries: number}} Tap `atMs` is of the local clock
 * @typedef {{edition: number, first_index: number, share_count: number, total_fen: number,
 *   commitment: string | null, seed?: string | null}} Edition
 * @typedef {{granted_count: number, best_luck: {viewer_id: string, amount_fen: number, index: number}[],
 *   editions: Edition[]}} Result
 * @typedef {{packet_id: string, name: string, creator_id: string, creator_name?: string, platform: string,
 *   share_count: number, total_fen: number, warmup_at_ms: number, grab_at_ms: number, claim_end_at_ms: number,
 *   surface: string, editions: Edition[], denomination?: string, min_share_fen?: number, max_share_fen?: number,
 *   use_end_at_ms?: number | null, use_for_ms?: number | null, goods?: string, product_count?: number | null,
 *   entrances?: string[] | null, phase?: string, remaining: number | null, sold_out: boolean,
 *   claimable_at_ms?: number}} PacketShown
 * @typedef {PacketShown & {witnessed: boolean, elapsedMs: number | null, closed: boolean, voided: boolean,
 *   result: Result | null, tap: Tap | null, mine: {amount_fen: number, index: number} | null,
 *   dismissed: boolean}} RoomPacket `witnessed`: it opened before this viewer's eyes
 * @typedef {{viewer_id: string, text: string, number: number}} Comment
 * @typedef {{line: {state: string, retryAtMs?: number, code?: number}, viewerId: string, roomId: string, title: string,
 *   creatorId: string, creatorName: string, platform: string, speed: number, audience: number, likes: number,
 *   packets: Record<string, RoomPacket>, comments: Comment[], commentCount: number, assetCount: number,
 *   steps: number, toast: {code: string, packetId: string, number: number} | null}} RoomState
 */

const COMMENTS_KEPT = 12;
const PACKETS_KEPT = 20;

/**
 * The state before anything is known.
 *
 * @param {string} roomId
 * @returns {RoomState}
 */
export function before(roomId) {
  return {
    line: { state: "connecting" },
    viewerId: "",
    roomId,
    title: "",
    creatorId: "",
    creatorName: "",
    platform: "",
    speed: 1,
    audience: 0,
    likes: 0,
    packets: {},
    comments: [],
    commentCount: 0,
    assetCount: 0,
    steps: 0,
    toast: null,
  };
}

/**
 * Return the state after an event: a message of the server, or something that happened on the page.
 *
 * @param {RoomState} state
 * @param {any} event
 * @returns {RoomState}
 */
export function after(state, event) {
  const change = CHANGES[event.type];
  return change ? change(state, event) : state;
}

/** @type {Record<string, (state: RoomState, event: any) => RoomState>} */
const CHANGES = {
  // Messages of the server.
  welcome,
  warmup: (state, { packet }) => {
    const known = Object.entries(state.packets).slice(1 - PACKETS_KEPT);
    return { ...state, packets: { ...Object.fromEntries(known), [packet.packet_id]: fresh(packet) } };
  },
  open: (state, { packet_id }) => changed(state, packet_id, () => ({ witnessed: true, phase: "grabbing" })),
  sold_out: (state, { packet_id, elapsed_ms }) =>
    changed(state, packet_id, () => ({ sold_out: true, remaining: 0, elapsedMs: elapsed_ms })),
  reopened: (state, event) =>
    changed(state, event.packet_id, (packet) => ({
      sold_out: false,
      share_count: event.share_count,
      total_fen: event.total_fen,
      editions: event.editions,
      claimable_at_ms: event.at_ms,
      remaining: null,
      // Who came away with nothing may try again.
      tap: packet.tap?.receipt?.status === "exhausted" ? null : packet.tap,
      dismissed: packet.mine ? packet.dismissed : false,
    })),
  closed: (state, { packet_id }) => changed(state, packet_id, () => ({ closed: true, phase: "claim_closed" })),
  result: (state, event) =>
    changed(state, event.packet_id, () => ({ closed: true, result: event })), // `editions` stay as they were promised
  voided: (state, { packet_id }) => changed(state, packet_id, () => ({ voided: true })),
  popup: (state, { packet_id }) => changed(state, packet_id, () => ({ surface: "popup" })),
  asset_widget: (state, { packet_id }) => changed(state, packet_id, () => ({ surface: "asset_widget" })),
  progress: (state, { packet_id, remaining, claimable_at_ms }) =>
    changed(state, packet_id, () => ({ remaining, claimable_at_ms })),
  receipt,
  comments: (state, { comments }) => {
    const numbered = comments.map((/** @type {object} */ comment, /** @type {number} */ index) => ({
      ...comment,
      number: state.commentCount + index,
    }));
    const kept = [...state.comments, ...numbered].slice(-COMMENTS_KEPT);
    return { ...state, comments: kept, commentCount: state.commentCount + comments.length };
  },
  audience: (state, { viewers, likes }) => ({ ...state, audience: viewers, likes }),
  assets: (state, { count }) => ({ ...state, assetCount: count }),
  trail: (state) => ({ ...state, steps: state.steps + 1 }),

  // What happens on the page.
  listed: (state, { room }) => ({ ...state, title: room.title, creatorId: room.creator_id, platform: room.platform }),
  line: (state, { line }) => ({ ...state, line }),
  tapped: (state, { packetId, requestId, atMs }) =>
    changed(state, packetId, () => ({ tap: { requestId, atMs, receipt: null, tries: 0 }, dismissed: false })),
  dismissed: (state, { packetId }) =>
    changed(state, packetId, (packet) => ({ dismissed: true, tap: packet.tap?.receipt ? null : packet.tap })),
  recalled: (state, { packetId }) => changed(state, packetId, () => ({ dismissed: false, surface: "popup" })),
  held: (state, { shares }) =>
    shares.reduce(
      (/** @type {RoomState} */ so_far, /** @type {any} */ share) =>
        changed(so_far, share.packet_id, (packet) => ({
          mine: packet.mine ?? { amount_fen: share.face_fen, index: Number(share.asset_id.split(":").pop()) },
        })),
      { ...state, assetCount: shares.filter((/** @type {any} */ share) => share.usable).length },
    ),
};

/**
 * @param {RoomState} state
 * @param {any} event
 * @returns {RoomState}
 */
function welcome(state, event) {
  /** @type {Record<string, RoomPacket>} */
  const packets = event.resync ? {} : { ...state.packets };
  for (const packet of event.packets) {
    const known = state.packets[packet.packet_id];
    // After a resume the facts that were missed follow one by one; only what no fact says is taken over.
    if (known && !event.resync) packets[packet.packet_id] = { ...known, remaining: packet.remaining };
    else packets[packet.packet_id] = { ...fresh(packet), ...(known && { tap: known.tap, mine: known.mine, dismissed: known.dismissed }) };
  }
  return {
    ...state,
    viewerId: event.viewer_id,
    title: event.title ?? state.title,
    creatorId: event.creator_id ?? state.creatorId,
    creatorName: event.creator_name ?? event.creator_id ?? state.creatorName,
    speed: event.speed,
    audience: event.audience,
    packets,
  };
}

/**
 * Whose rules the room follows.
 *
 * @param {RoomState} state
 */
export function platformOf(state) {
  return state.platform || (Object.values(state.packets)[0]?.platform ?? "");
}

/** Receipts after which the viewer is where it was before: the tap did not count, and a toast says why. */
const PASSING = new Set(["too_early", "rate_limited"]);

/**
 * @param {RoomState} state
 * @param {any} event
 * @returns {RoomState}
 */
function receipt(state, event) {
  const packet = state.packets[event.packet_id];
  if (packet?.tap?.requestId !== event.request_id) return state;
  if (event.status === "unavailable") {
    // The outcome is unknown: the same request goes out again (grab.js) and the coin goes on turning.
    return changed(state, event.packet_id, ({ tap }) => ({ tap: tap && { ...tap, tries: tap.tries + 1 } }));
  }
  if (PASSING.has(event.status)) {
    const toast = { code: event.status, packetId: event.packet_id, number: (state.toast?.number ?? 0) + 1 };
    return { ...changed(state, event.packet_id, () => ({ tap: null })), toast };
  }
  const { status, amount_fen, index } = event;
  return changed(state, event.packet_id, ({ tap, mine }) => ({
    tap: tap && { ...tap, receipt: { status, amount_fen, index } },
    mine: amount_fen === null ? mine : { amount_fen, index },
    voided: status === "voided" || packet.voided,
  }));
}

/**
 * @param {PacketShown} packet
 * @returns {RoomPacket}
 */
function fresh(packet) {
  return {
    ...packet,
    remaining: packet.remaining ?? null,
    sold_out: packet.sold_out ?? false,
    witnessed: false,
    elapsedMs: null,
    closed: packet.phase === "claim_closed",
    voided: false,
    result: null,
    tap: null,
    mine: null,
    dismissed: false,
  };
}

/**
 * @param {RoomState} state
 * @param {string} packetId
 * @param {(packet: RoomPacket) => Partial<RoomPacket>} change
 * @returns {RoomState}
 */
function changed(state, packetId, change) {
  const packet = state.packets[packetId];
  if (!packet) return state;
  return { ...state, packets: { ...state.packets, [packetId]: { ...packet, ...change(packet) } } };
}
