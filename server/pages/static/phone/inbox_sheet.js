// @ts-check
import { el, show } from "../shared/dom.js";
import { timeOfDay } from "./names.js";
import { said, tellIn } from "./sheets.js";
import { labelOf, openTrail, textOf } from "./trail_sheet.js";

/**
 * The service messages (服务消息) of the viewer: each step of each order, unread ones marked.
 *
 * @param {import("./page.js").Page} page
 */
export function openInbox(page) {
  const { say } = page;
  const content = page.sheets.open(say("inbox"));
  void el; void show; void timeOfDay; void said; void labelOf; void openTrail; void textOf;
  tellIn(content, say("loading"));
}
