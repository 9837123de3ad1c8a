// @ts-check
/**
 * Room time on a device whose clock may be wrong. The clock takes `performance.now()` alone, which no setting of the
 * device moves; each answer of the server gives a sample, and the one with the shortest round trip wins (NTP's rule).
 * A device that slept may stop that clock, so the samples are dropped when the page comes back (`forget`).
 */
export class RoomClock {
  /** @param {() => number} [local] milliseconds that pass evenly */
  constructor(local = () => performance.now()) {
    this._local = local;
    this._roomMs = 0;
    this._localMs = 0;
    this._tripMs = Infinity;
    this.speed = 1;
  }

  /** Whether any sample was taken. */
  get known() {
    return this._tripMs < Infinity;
  }

  /** The local instant, to be handed to `sample` as the time of sending. */
  local() {
    return this._local();
  }

  /**
   * Take what the server said its time is. Without *sentMs* nothing is known of the round trip.
   *
   * @param {number} serverMs room time
   * @param {number} speed room milliseconds in a real one
   * @param {number} [sentMs] local instant of the question
   * @returns {boolean} whether the sample is the best so far
   */
  sample(serverMs, speed, sentMs) {
    const now = this._local();
    const tripMs = sentMs === undefined ? 60_000 : now - sentMs;
    if (tripMs >= this._tripMs && speed === this.speed) return false;
    this.speed = speed;
    this._tripMs = tripMs;
    this._localMs = now - (sentMs === undefined ? 0 : tripMs / 2);
    this._roomMs = serverMs;
    return true;
  }

  /** Let the next sample win, whatever its round trip. */
  forget() {
    this._tripMs = Infinity;
  }

  /** Room time now. */
  now() {
    return this._roomMs + (this._local() - this._localMs) * this.speed;
  }

  /**
   * Real milliseconds until an instant of room time; negative once it has passed. With a clock that stands still
   * (speed 0) it is the difference itself.
   *
   * @param {number} roomMs
   */
  realMsUntil(roomMs) {
    return (roomMs - this.now()) / (this.speed || 1);
  }
}

/**
 * The whole seconds that a countdown shows: the last one shown is 1, and at zero it is 0.
 *
 * @param {number} realMs
 */
export function secondsShown(realMs) {
  return Math.max(0, Math.ceil(realMs / 1000));
}

/**
 * Minutes and seconds, "01:09"; with hours, "1:00:09".
 *
 * @param {number} seconds
 */
export function minutesAndSeconds(seconds) {
  const [s, m, h] = [seconds % 60, Math.floor(seconds / 60) % 60, Math.floor(seconds / 3600)];
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}
