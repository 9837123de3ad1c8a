// @ts-check
import { token } from "./viewer.js";

const AGAIN_MS = 1_000;
const EARLY_MS = 250;

/**
 * Grabs packets: one request for a tap, the same request again while its outcome is unknown.
 */
export class Grabs {
  /**
   * @param {{send: (message: object) => boolean, tell: (event: object) => void,
   *   state: () => import("./state.js").RoomState, roomMs: () => number}} given
   */
  constructor(given) {
    this._given = given;
    /** @type {Set<string>} packets whose early answer was asked once more */
    this._again = new Set();
  }

  /**
   * Tap a packet.
   *
   * @param {string} packetId
   */
  take(packetId) {
    const known = this._given.state().packets[packetId];
    if (!known || (known.tap && !known.tap.receipt)) return;
    const requestId = token();
    this._given.tell({ type: "tapped", packetId, requestId, atMs: performance.now() });
    this._send(packetId);
  }

  /**
   * See to what a message asks for.
   *
   * @param {any} message
   */
  heard(message) {
    if (message.type === "welcome") {
      // What became of taps on their way when the line broke: the same request has the same answer.
      for (const [packetId, { tap }] of Object.entries(this._given.state().packets)) {
        if (tap && !tap.receipt) this._send(packetId);
      }
    } else if (message.type === "receipt" && message.status === "unavailable") {
      setTimeout(() => this._send(message.packet_id), AGAIN_MS);
    }
  }

  /**
   * Whether a receipt says "too early" of a packet that is open by the room's clock: the server opened a moment later
   * than it should. The tap is then sent once more, and nobody is told of a mistake that was not theirs.
   *
   * @param {any} message
   */
  forgive(message) {
    const packet = this._given.state().packets[message.packet_id];
    if (message.type !== "receipt" || message.status !== "too_early" || !packet?.tap) return false;
    if (this._given.roomMs() < packet.grab_at_ms || this._again.has(message.packet_id)) return false;
    this._again.add(message.packet_id);
    setTimeout(() => this._send(message.packet_id), EARLY_MS);
    return true;
  }

  /** @param {string} packetId */
  _send(packetId) {
    const tap = this._given.state().packets[packetId]?.tap;
    if (tap && !tap.receipt) this._given.send({ type: "grab", packet_id: packetId, request_id: tap.requestId });
  }
}
