// @ts-check
import { Api, Refusal } from "../shared/api.js";

const KEPT_AS = "redrain.viewer";

/**
 * @typedef {{viewerId: string, credential: string | null}} Known
 */

/**
 * Who looks at this page. It stays the same viewer over a reload: the guest ticket, or on a server without credentials
 * the name, is kept by the browser for this tab.
 */
export class Viewer {
  constructor() {
    const { insecure, guests } = document.documentElement.dataset;
    this._free = insecure === "yes" && guests !== "yes";
    /** @type {Known | null} */
    this.known = kept();
    this.api = new Api(this._free ? null : this.known?.credential);
  }

  /** Whether the server lets anybody in, by a name or by a guest ticket. */
  get may() {
    const { insecure, guests } = document.documentElement.dataset;
    return insecure === "yes" || guests === "yes";
  }

  /** Whether a viewer comes in by its name, and needs no credential. */
  get named() {
    return this._free;
  }

  /**
   * The rooms that anybody may enter.
   *
   * @returns {Promise<{room_id: string, creator_id: string, title: string, platform: string}[]>}
   */
  async lobby() {
    return this.api.get("api/lobby");
  }

  /**
   * What to enter a room with.
   *
   * @param {string} roomId
   * @returns {Promise<import("../shared/room_socket.js").Entry>}
   */
  async enter(roomId) {
    if (this._free) {
      const asked = new URLSearchParams(location.search).get("viewer");
      if (asked) this.known = { viewerId: asked, credential: null };
      this.known ??= { viewerId: `guest-${token().slice(0, 6)}`, credential: null };
      keep(this.known);
      return { query: { viewer: this.known.viewerId } };
    }
    if (this.known?.credential) {
      try {
        return { ticket: (await this.api.post(`api/rooms/${encodeURIComponent(roomId)}/tickets`)).ticket };
      } catch (refusal) {
        if (!(refusal instanceof Refusal) || refusal.status !== 401) throw refusal;
        this.api.credential = null; // it has run out: draw another
      }
    }
    const drawn = await this.api.post("api/guest-tickets", { room_id: roomId });
    this.known = { viewerId: drawn.viewer_id, credential: drawn.token };
    this.api.credential = drawn.token;
    keep(this.known);
    return { ticket: drawn.ticket };
  }
}

/** A text that nobody else makes, in hexadecimal. */
export function token() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @returns {Known | null} */
function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT_AS) ?? "null");
  } catch {
    return null;
  }
}

/** @param {Known} known */
function keep(known) {
  try {
    sessionStorage.setItem(KEPT_AS, JSON.stringify(known));
  } catch {
    // Without storage a reload is another viewer.
  }
}
