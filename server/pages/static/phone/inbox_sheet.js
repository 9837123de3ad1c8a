// @ts-check
import { el, icon, show } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { timeOfDay } from "./names.js";
import { openOrder } from "./order_sheet.js";
import { said, tellIn } from "./sheets.js";
import { openTrail } from "./trail_sheet.js";

const LATEST = 50;

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").Word} Word */
/**
 * @typedef {{message_id: string, kind: string, order_id: string, about: string, amount_fen: number,
 *   occurred_at_ms: number, received_at_ms: number, read: boolean}} Message
 */

/**
 * The service messages (服务消息) of the viewer, the latest first. What was seen is read once the sheet is closed, or
 * by the button.
 *
 * @param {Page} page
 * @param {(unread: number) => void} counted
 */
export function openInbox(page, counted) {
  const { say, viewer } = page;
  /** @type {Message[]} */
  let messages = [];
  const stop = page.listen("trail", () => void load());
  const content = page.sheets.open(say("inbox"), { gone: () => {
    stop();
    void read();
  } });
  tellIn(content, say("loading"));
  void load();

  async function load() {
    try {
      ({ messages } = await inboxOf(page, LATEST));
      draw();
    } catch (error) {
      tellIn(content, said(page, error), { label: say("again"), again: () => void load() });
    }
  }

  async function read() {
    if (messages.every((message) => message.read)) return;
    const path = `api/viewers/${encodeURIComponent(page.state().viewerId)}/messages/read`;
    const answer = await viewer.api.post(path, { received_at_ms: messages[0].received_at_ms }).catch(() => null);
    if (!answer) return;
    messages = answer.messages;
    counted(answer.unread);
    draw();
  }

  function draw() {
    const fresh = messages.some((message) => !message.read);
    show(content,
      fresh ? el("button", { class: "plain wide", onclick: () => void read() }, say("read_all")) : null,
      messages.length ? el("ul", { class: "box inbox", "aria-live": "polite" }, ...messages.map((message) => row(page, message))) : el("p", { class: "empty" }, say("no_messages")));
  }
}

/**
 * @param {Page} page
 * @param {number} limit
 * @returns {Promise<{messages: Message[], unread: number}>}
 */
export function inboxOf({ viewer, state }, limit) {
  return viewer.api.get(`api/viewers/${encodeURIComponent(state().viewerId)}/messages`, { limit });
}

/**
 * @param {Page} page
 * @param {Message} message
 */
function row(page, message) {
  const { say } = page;
  const step = message.kind === "trail";
  const title = say(/** @type {Word} */ (step ? `step_${message.about}` : `message_${message.kind}`));
  const text = step ? say(/** @type {Word} */ (`step_${message.about}_more`)) : say(/** @type {Word} */ (`message_${message.kind}_more`), { amount: yuan(message.amount_fen) });
  const open = () => (step ? openTrail(page, message.order_id) : openOrder(page, message.order_id));
  return el("li", {}, el("button", { class: message.read ? "" : "fresh", onclick: open },
    el("span", { class: "sign" }, icon(step ? "bell" : "gift", { width: 22, height: 22 })),
    el("span", { class: "about" }, el("b", {}, title, message.read ? null : el("span", { class: "chip c-s" }, say("unread"))), el("small", {}, text), el("small", { class: "num" }, `…${message.order_id.slice(-6)}`)),
    el("span", { class: "time num" }, timeOfDay(message.occurred_at_ms, { seconds: false }))));
}
