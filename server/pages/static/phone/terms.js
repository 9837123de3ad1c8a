// @ts-check
/** What a packet may be used for and how long, in words. Pure, but for the words. */

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * The seconds in which all shares went, in real time with one decimal; null if it is not known.
 *
 * @param {number | null} elapsedMs room time
 * @param {number} speed
 */
export function secondsOf(elapsedMs, speed) {
  return elapsedMs === null ? null : (elapsedMs / 1000 / (speed || 1)).toFixed(1);
}

/**
 * A time span: "23 h 51 min", "2 days 3 h", "4 min".
 *
 * @param {import("./page.js").Say} say
 * @param {number} ms
 */
export function span(say, ms) {
  const days = ms < 2 * DAY_MS ? 0 : Math.floor(ms / DAY_MS); // "1 day 20 h" is better said in hours
  const [hours, minutes] = [Math.floor(ms / HOUR_MS) - days * 24, Math.floor(ms / MINUTE_MS) % 60];
  if (days) return hours ? say("span_days_hours", { days, hours }) : say("span_days", { days });
  if (hours) return minutes ? say("span_hours_minutes", { hours, minutes }) : say("span_hours", { hours });
  return say("span_minutes", { minutes: Math.max(1, minutes) });
}

/**
 * What a share just won is good for.
 *
 * @param {import("./page.js").Page} page
 * @param {import("./state.js").RoomPacket} packet
 */
export function goodFor({ say, clock }, packet) {
  const leftMs = packet.use_for_ms ?? (packet.use_end_at_ms ? packet.use_end_at_ms - clock.now() : null);
  const where = placesOf(say, packet, packet.product_count ?? 0);
  return leftMs === null || leftMs <= 0 ? where : say("use_within", { span: span(say, leftMs), where });
}

/**
 * On which goods, and from where their pages must have been opened.
 *
 * @param {import("./page.js").Say} say
 * @param {{goods?: string, entrances?: string[] | null}} terms
 * @param {number} products
 */
export function placesOf(say, { goods, entrances }, products) {
  const what = goods === "all" ? say("goods_all") : goods === "products" ? say("goods_products", { count: products }) : say("goods_creator");
  if (!entrances) return what;
  const places = entrances.map((place) => say(/** @type {import("./page.js").Word} */ (`place_${place}`)));
  return say("goods_from", { what, places: places.join(say("comma")) });
}
