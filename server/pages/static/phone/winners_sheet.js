// @ts-check
import { el, icon, show } from "../shared/dom.js";
import { grouped, yuan } from "../shared/money.js";
import { avatar, masked, nameOf } from "./names.js";
import { said, tellIn } from "./sheets.js";
import { verified } from "./verify.js";

const PAGE = 50;
const PAGES_VERIFIED_MAX = 400;

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./state.js").RoomPacket} RoomPacket */
/** @typedef {{index: number, amount_fen: number, claimed_at_ms: number | null, viewer: string, mine: boolean}} Claim */

/**
 * The list of winners (领取列表) of a packet, and its proof.
 *
 * @param {Page} page
 * @param {string} packetId
 */
export function openWinners(page, packetId) {
  const { say, state, tell } = page;
  let open = true;
  const content = page.sheets.open(say("winners"), { gone: () => { open = false; stop(); } });
  tellIn(content, say("loading"));
  const rows = el("ul", { class: "rows" });
  const more = el("button", { class: "plain", onclick: () => void load(), hidden: true }, say("more"));
  const proof = el("div", {});
  const head = el("div", {});
  /** @type {number | null} */
  let next = null;
  const packet = () => state().packets[packetId];
  const drawn = () => {
    show(proof, proofOf(page, packet(), state().viewerId));
    show(head, bestOf(page, packet()));
  };
  const stop = page.listen("result", () => drawn());
  tell({ type: "dismissed", packetId });

  async function load() {
    const first = next === null;
    try {
      const answer = await claimsOf(page, packetId, PAGE, next);
      if (!open) return;
      if (first) {
        drawn();
        const box = el("div", { class: "box" }, myRow(page, packet()), rows, more);
        show(content, proof, head, answer.claimed ? box : el("p", { class: "empty" }, say("nobody_yet")), summary(page, packet(), answer.claimed));
      }
      rows.append(...answer.claims.filter((claim) => !claim.mine).map((claim) => row(page, packet(), claim)));
      next = answer.next;
      more.hidden = next === null;
    } catch (error) {
      if (first) tellIn(content, said(page, error), { label: say("again"), again: () => void load() });
    }
  }
  void load();
}

/**
 * @param {Page} page
 * @param {string} packetId
 * @param {number} limit
 * @param {number | null} after
 * @returns {Promise<{claimed: number, claims: Claim[], next: number | null}>}
 */
function claimsOf({ viewer, state }, packetId, limit, after) {
  return viewer.api.get(`api/packets/${encodeURIComponent(packetId)}/claims`, { order: "index", limit, after, viewer_id: state().viewerId });
}

/**
 * @param {Page} page
 * @param {RoomPacket | undefined} packet
 * @param {Claim} claim
 */
function row(page, packet, claim) {
  return el("li", { class: claim.mine ? "me" : "" }, avatar(claim.viewer), el("span", {}, nameOf(claim.viewer), el("small", { class: "num" }, when(page, packet, claim))), el("b", { class: "num" }, `¥${yuan(claim.amount_fen)}`));
}

/**
 * @param {Page} page
 * @param {RoomPacket | undefined} packet
 * @param {Claim} claim
 */
function when({ say, clock }, packet, { claimed_at_ms, index }) {
  const number = say("share", { number: grouped(index + 1) });
  if (claimed_at_ms === null || !packet) return number;
  const seconds = ((claimed_at_ms - packet.grab_at_ms) / 1000 / (clock.speed || 1)).toFixed(2);
  return `${number} · ${say("after_seconds", { seconds })}`;
}

/**
 * @param {Page} page
 * @param {RoomPacket | undefined} packet
 */
function myRow({ say, state }, packet) {
  if (!packet?.mine) return el("p", { class: "none" }, say("you_have_none"));
  const { amount_fen, index } = packet.mine;
  const number = say("share", { number: grouped(index + 1) });
  return el("ul", { class: "rows" }, el("li", { class: "me" }, avatar(state().viewerId), el("span", {}, say("you"), el("small", {}, number)), el("b", { class: "num" }, `¥${yuan(amount_fen)}`)));
}

/**
 * @param {Page} page
 * @param {RoomPacket | undefined} packet
 */
function bestOf({ say }, packet) {
  const best = packet?.result?.best_luck[0];
  if (!best) return null;
  return el("div", { class: "best" },
    el("div", { class: "cr" }, avatar(best.viewer_id), icon("crown")),
    el("div", { class: "who" }, el("strong", {}, nameOf(masked(best.viewer_id))), el("small", {}, `${say("best_luck")} · ${say("share", { number: grouped(best.index + 1) })}`)),
    el("b", { class: "num" }, `¥${yuan(best.amount_fen)}`));
}

/**
 * @param {Page} page
 * @param {RoomPacket | undefined} packet
 * @param {number} claimed
 */
function summary({ say }, packet, claimed) {
  if (!packet) return null;
  return el("p", { class: "fine" }, say("claimed_of", { claimed: grouped(claimed), count: grouped(packet.share_count), amount: yuan(packet.total_fen) }));
}

/**
 * @param {Page} page
 * @param {RoomPacket | undefined} packet
 * @param {string} viewerId
 */
function proofOf(page, packet, viewerId) {
  const { say } = page;
  if (!packet) return null;
  if (!packet.result) {
    return el("div", { class: "ver wait" }, icon("ok", { width: 24, height: 24 }), el("div", {}, el("b", {}, say("sealed")), say("sealed_more"), " ", el("code", {}, short(packet.editions[0]?.commitment))));
  }
  const place = el("div", { class: "ver wait" }, icon("ok", { width: 24, height: 24 }), el("div", {}, el("b", {}, say("can_verify")), say("can_verify_more")));
  const button = el("button", { class: "go", onclick: () => void check() }, say("verify"));
  place.append(button);

  async function check() {
    button.disabled = true;
    button.textContent = say("verifying");
    try {
      place.replaceWith(verdictOf(page, packet, await allClaims(page, packet?.packet_id ?? ""), viewerId));
    } catch (error) {
      button.disabled = false;
      button.textContent = say("verify");
      page.toast(said(page, error));
    }
  }
  return place;
}

/**
 * @param {Page} page
 * @param {RoomPacket | undefined} packet
 * @param {Claim[]} claims
 * @param {string} viewerId
 */
function verdictOf({ say }, packet, claims, viewerId) {
  if (!packet) return el("div");
  const best = packet.result?.best_luck ?? [];
  const own = packet.mine ? [packet.mine] : [];
  const verdict = verified(packet, packet.editions, [...claims, ...best, ...own]);
  const right = !verdict.broken.length && !verdict.wrong.length;
  const text = right
    ? say("verified_more", { shares: grouped(verdict.shares), compared: grouped(claims.length) })
    : say("wrong_more", { broken: verdict.broken.join(", ") || "0", wrong: verdict.wrong.length });
  const codes = verdict.commitments.map(({ edition, commitment }) => el("code", {}, verdict.commitments.length > 1 ? `${edition}: ` : "", short(commitment)));
  return el("div", { class: right ? "ver" : "ver bad", role: "status", "data-viewer": viewerId }, icon(right ? "ok" : "cross", { width: 24, height: 24 }),
    el("div", {}, el("b", {}, say(right ? "verified" : "wrong")), text, " ", ...codes));
}

/**
 * @param {Page} page
 * @param {string} packetId
 */
async function allClaims(page, packetId) {
  /** @type {Claim[]} */
  const claims = [];
  let after = /** @type {number | null} */ (null);
  for (let i = 0; i < PAGES_VERIFIED_MAX; i++) {
    const answer = await claimsOf(page, packetId, 100, after);
    claims.push(...answer.claims);
    after = answer.next;
    if (after === null) break;
  }
  return claims;
}

/** @param {string | null | undefined} commitment */
function short(commitment) {
  return commitment ? `${commitment.slice(0, 6)}…${commitment.slice(-6)}` : "";
}
