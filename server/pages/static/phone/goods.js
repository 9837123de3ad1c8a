// @ts-check
import { language } from "../shared/words.js";
import { yuan } from "../shared/money.js";

/**
 * A product as the platform has registered it (`GET /api/products`).
 *
 * @typedef {{product_id: string, title: string | null, list_price_fen: number | null, goods?: string}} Goods
 */

/** @type {Goods & {list_price_fen: number}} a product for a creator who has registered none */
export const SAMPLE = { product_id: "sample-oolong", title: null, list_price_fen: 20_000 };

const SAMPLE_TITLE = { en: "Osmanthus oolong gift box", zh: "桂花乌龙 双罐礼盒" };

/** @param {Goods} goods */
export function titleOf(goods) {
  return goods.title ?? SAMPLE_TITLE[language()];
}

const TEA = /茶|龙井|乌龙|\btea\b|oolong/i;

/**
 * The drawing for goods: a tin of tea, or a parcel for all else.
 *
 * @param {string} title
 */
export function pictureOf(title) {
  return TEA.test(title) ? "tin" : "parcel";
}

/** @param {Goods} goods */
export function priceFen(goods) {
  return goods.list_price_fen ?? SAMPLE.list_price_fen;
}

/**
 * The price as a product card shows it: 200, or 199.90.
 *
 * @param {Goods} goods
 */
export function priceOf(goods) {
  return yuan(priceFen(goods)).replace(/\.00$/, "");
}

/**
 * The first product of a creator, or the sample.
 *
 * @param {import("../shared/api.js").Api} api
 * @param {string} creatorId
 * @returns {Promise<Goods>}
 */
export async function productOf(api, creatorId) {
  const products = creatorId ? await api.get("api/products", { creator_id: creatorId, count: 1 }).catch(() => []) : [];
  return products[0] ?? SAMPLE;
}
