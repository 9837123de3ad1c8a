// @ts-check
import { at } from "./api.js";
import { RoomClock } from "./clock.js";

const PROTOCOL = "redrain.v1";
const PING_EVERY_MS = 5_000;
const SILENT_MS = 15_000;
const WAIT_MS_MAX = 8_000;

/**
 * @typedef {{query?: Record<string, string>, ticket?: string}} Entry what to come in with
 * @typedef {{state: "connecting" | "open" | "waiting" | "refused", retryAtMs?: number, code?: number}} Line
 */

/**
 * One WebSocket to one room. It comes back by itself after a loss, resumes where it was, keeps the room's clock, and
 * hands on each message; facts come in their order and once (docs/protocol.md, Resume).
 */
export class RoomSocket {
  /**
   * @param {string} roomId
   * @param {{
   *   enter: () => Promise<Entry>,
   *   message: (message: any) => void,
   *   line?: (line: Line) => void,
   *   clock?: RoomClock,
   * }} given `enter` yields a ticket or a name for a first visit, or once the resume token is no longer taken
   */
  constructor(roomId, given) {
    this._roomId = roomId;
    this._given = given;
    this.clock = given.clock ?? new RoomClock();
    /** @type {WebSocket | null} */
    this._socket = null;
    /** @type {string | null} */
    this._resume = null;
    this._epoch = "";
    this._seq = 0;
    this._failures = 0;
    this._heardMs = 0;
    this._timer = 0;
    this._pinging = 0;
    this._closed = false;
    document.addEventListener("visibilitychange", () => this._awake());
    addEventListener("online", () => this.retryNow());
  }

  /** Connect, or connect again at once. */
  retryNow() {
    if (this._closed || this._socket) return;
    clearTimeout(this._timer);
    void this._connect();
  }

  /** Leave for good. */
  close() {
    this._closed = true;
    clearTimeout(this._timer);
    clearInterval(this._pinging);
    this._socket?.close(1000);
  }

  /**
   * Send a message; false if there is no connection to send it on.
   *
   * @param {object} message
   */
  send(message) {
    if (this._socket?.readyState !== WebSocket.OPEN) return false;
    this._socket.send(JSON.stringify(message));
    return true;
  }

  async _connect() {
    this._say({ state: "connecting" });
    const url = at(`ws/rooms/${encodeURIComponent(this._roomId)}`);
    url.protocol = url.protocol.replace("http", "ws");
    const protocols = [PROTOCOL];
    try {
      /** @type {Entry} */
      const entry = this._resume ? { query: this._query() } : await this._given.enter();
      if (entry.ticket) protocols.push(`ticket.${entry.ticket}`);
      for (const [name, value] of Object.entries(entry.query ?? {})) url.searchParams.set(name, value);
    } catch {
      this._later();
      return;
    }
    if (this._closed) return;
    const socket = new WebSocket(url, protocols);
    this._socket = socket;
    let welcomed = false;
    socket.onmessage = (event) => {
      welcomed = true;
      this._heard(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      clearInterval(this._pinging);
      this._socket = null;
      // A refused handshake looks like any loss to a page; the token may be why, so the next try is a first visit.
      if (!welcomed && this._failures > 1) this._resume = null;
      if (!this._closed) this._later(event.code);
    };
  }

  /** @param {any} message */
  _heard(message) {
    this._heardMs = performance.now();
    if (message.type === "welcome") this._welcomed(message);
    else if (message.type === "pong") this.clock.sample(message.server_ms, this.clock.speed, message.client_ms / 1000);
    else if (message.seq !== undefined) this._seq = message.seq;
    this._given.message(message);
  }

  /** @param {any} welcome */
  _welcomed(welcome) {
    this._failures = 0;
    if (!this._resume || welcome.resync || welcome.epoch !== this._epoch) this._seq = welcome.seq;
    this._resume = welcome.resume;
    this._epoch = welcome.epoch;
    this.clock.forget();
    this.clock.sample(welcome.server_ms, welcome.speed);
    this._ping();
    this._pinging = window.setInterval(() => this._ping(), PING_EVERY_MS);
    this._say({ state: "open" });
  }

  _ping() {
    if (performance.now() - this._heardMs > SILENT_MS) this._socket?.close(4000);
    // The field is a whole number; in microseconds it keeps the fraction of the local clock.
    else this.send({ type: "ping", client_ms: Math.round(this.clock.local() * 1000) });
  }

  _awake() {
    if (document.visibilityState !== "visible") return;
    this.clock.forget();
    this._ping();
    this.retryNow();
  }

  _query() {
    return { resume: this._resume ?? "", epoch: this._epoch, seq: String(this._seq) };
  }

  /** @param {number} [code] */
  _later(code) {
    const waitMs = Math.min(WAIT_MS_MAX, 500 * 2 ** this._failures++) * (0.5 + Math.random() / 2);
    this._say({ state: "waiting", retryAtMs: performance.now() + waitMs, code });
    this._timer = window.setTimeout(() => void this._connect(), waitMs);
  }

  /** @param {Line} line */
  _say(line) {
    this._given.line?.(line);
  }
}
