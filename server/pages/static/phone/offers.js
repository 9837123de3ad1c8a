// @ts-check
import { priceFen } from "./goods.js";

/**
 * What a shop takes off besides packets, made up for each platform after the example of its rules: on Kuaishou the
 * flash price and all that comes after it, elsewhere a reduction and a coupon.
 *
 * @typedef {{discount_id: string, kind: string, amount_fen: number, threshold_fen?: number}} Offer
 */

export const SHIPPING_FEN = 600;

/** @type {Offer[]} */
const KUAISHOU = [
  { discount_id: "shop", kind: "shop_coupon", amount_fen: 2000 },
  { discount_id: "host", kind: "streamer_coupon_packet", amount_fen: 1500 },
  { discount_id: "full", kind: "full_reduction", amount_fen: 1000, threshold_fen: 10_000 },
  { discount_id: "platform", kind: "platform_coupon", amount_fen: 800 },
  { discount_id: "coins", kind: "gold_coin", amount_fen: 300 },
  { discount_id: "subsidy", kind: "cash_subsidy", amount_fen: 500 },
  { discount_id: "credit", kind: "consumption_credit", amount_fen: 200 },
];
/** @type {Offer[]} */
const OTHERS = [
  { discount_id: "full", kind: "full_reduction", amount_fen: 2000, threshold_fen: 15_000 },
  { discount_id: "shop", kind: "shop_coupon", amount_fen: 1000 },
];

/**
 * @param {string} platform
 * @returns {Offer[]}
 */
export function offersOn(platform) {
  return platform === "kuaishou" ? KUAISHOU : OTHERS;
}

/**
 * The purchase of one product in a room, as the API takes it.
 *
 * @param {{viewerId: string, creatorId: string, platform: string}} buyer
 * @param {import("./goods.js").Goods} goods
 */
export function purchaseOf({ viewerId, creatorId, platform }, goods) {
  const kuaishou = platform === "kuaishou";
  const list = priceFen(goods);
  return {
    viewer_id: viewerId,
    client: kuaishou ? "kuaishou" : "douyin",
    lines: [{
      line_id: "1",
      product_id: goods.product_id,
      list_price_fen: list,
      ...(kuaishou && { flash_price_fen: list - Math.floor(list / 4) }),
      creator_id: creatorId,
      entrance: "live_room",
    }],
    shipping_fen: SHIPPING_FEN,
    discounts: offersOn(platform),
  };
}
