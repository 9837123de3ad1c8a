// @ts-check
import { el, icon } from "../shared/dom.js";
import { pictureOf } from "./goods.js";

/**
 * The product at the top of a sheet.
 *
 * @param {string} title
 * @param {...import("../shared/dom.js").Child} more
 */
export function goodsBox(title, ...more) {
  return el("div", { class: "box good" }, el("div", { class: "im" }, icon(pictureOf(title), { width: 54, height: 62 })), el("div", { class: "about" }, el("p", {}, title), ...more));
}
