// @ts-check
/**
 * What is on the screen at an instant: one thing is lit at a time. Pure: state and two clocks in, a scene out. Room time
 * decides about packets; the local clock only paces the turn of the coin.
 *
 * @typedef {import("./state.js").RoomState} RoomState
 * @typedef {import("./state.js").RoomPacket} RoomPacket
 * @typedef {"room" | "count" | "rain" | "popup" | "opening" | "card"} SceneKind
 * @typedef {{kind: SceneKind, packet: RoomPacket | null, card?: string, slow?: boolean, retrying?: boolean}} Scene
 * @typedef {{packet: RoomPacket, kind: "countdown" | "claim" | "mine" | "gone", waiting: number}} Widget
 */

export const COIN_MS = 1_000; // 320 ms to the centre and one half turn of 680 ms, however fast the answer is
export const SLOW_MS = 1_200;
export const LAST_MS = 3_000;

/**
 * The phase of a packet by the clock of the room, whose facts may be a moment late.
 *
 * @param {RoomPacket} packet
 * @param {number} roomMs
 * @returns {"voided" | "warming" | "grabbing" | "claim_closed"}
 */
export function phaseOf(packet, roomMs) {
  if (packet.voided) return "voided";
  if (packet.closed || packet.result || roomMs >= packet.claim_end_at_ms) return "claim_closed";
  if (roomMs >= packet.grab_at_ms || packet.phase === "grabbing") return "grabbing";
  return "warming";
}

/**
 * @param {RoomState} state
 * @param {number} roomMs
 * @param {number} localMs
 * @returns {Scene}
 */
export function sceneAt(state, roomMs, localMs) {
  const packets = Object.values(state.packets);
  // A tap before the time is answered by a toast; nothing opens for it.
  const tapped = packets.find(
    (packet) => packet.tap && !packet.dismissed && (packet.tap.receipt || phaseOf(packet, roomMs) !== "warming"),
  );
  if (tapped?.tap) return tapScene(tapped, tapped.tap, localMs);
  const shown = packets.filter((packet) => !packet.dismissed);
  const open = shown.filter(
    (packet) => phaseOf(packet, roomMs) === "grabbing" && packet.surface !== "asset_widget" && !packet.mine,
  );
  const raining = open.find((packet) => !packet.sold_out);
  if (raining) return { kind: raining.platform === "kuaishou" ? "popup" : "rain", packet: raining };
  const last = nextOf(shown, roomMs);
  if (last && (last.grab_at_ms - roomMs) / (state.speed || 1) <= LAST_MS) return { kind: "count", packet: last };
  // What nobody has tapped for gives way to what comes next.
  const voided = shown.find((packet) => packet.voided);
  if (voided) return { kind: "card", packet: voided, card: "voided" };
  const gone = open.find((packet) => packet.witnessed);
  return gone ? { kind: "card", packet: gone, card: "exhausted" } : { kind: "room", packet: null };
}

/**
 * @param {RoomPacket} packet
 * @param {import("./state.js").Tap} tap
 * @param {number} localMs
 * @returns {Scene}
 */
function tapScene(packet, tap, localMs) {
  const passed = localMs - tap.atMs;
  if (!tap.receipt || passed < COIN_MS) {
    return { kind: "opening", packet, slow: passed >= SLOW_MS, retrying: tap.tries > 0 };
  }
  return { kind: "card", packet, card: tap.receipt.status };
}

/**
 * The packet in the widget at the top right: one that can be claimed comes first, then the next to open, then one that
 * the viewer has.
 *
 * @param {RoomState} state
 * @param {number} roomMs
 * @returns {Widget | null}
 */
export function widgetAt(state, roomMs) {
  const packets = Object.values(state.packets);
  const open = packets.filter((packet) => phaseOf(packet, roomMs) === "grabbing");
  const claimable = open.filter((packet) => !packet.mine && !packet.sold_out);
  if (claimable.length) return { packet: claimable[0], kind: "claim", waiting: claimable.length };
  const next = nextOf(packets, roomMs);
  if (next) return { packet: next, kind: "countdown", waiting: 1 };
  const mine = open.find((packet) => packet.mine);
  if (mine) return { packet: mine, kind: "mine", waiting: 1 };
  const gone = open.find((packet) => packet.sold_out);
  return gone ? { packet: gone, kind: "gone", waiting: 1 } : null;
}

/**
 * The last packet whose result is known; the list of its winners is one tap away.
 *
 * @param {RoomState} state
 * @returns {RoomPacket | null}
 */
export function latestResult(state) {
  const done = Object.values(state.packets).filter((packet) => packet.result && !packet.voided);
  return done.sort((a, b) => b.grab_at_ms - a.grab_at_ms)[0] ?? null;
}

/**
 * @param {RoomPacket[]} packets
 * @param {number} roomMs
 */
function nextOf(packets, roomMs) {
  const warming = packets.filter((packet) => phaseOf(packet, roomMs) === "warming");
  return warming.sort((a, b) => a.grab_at_ms - b.grab_at_ms)[0] ?? null;
}
