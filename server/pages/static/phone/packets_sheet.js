// @ts-check
import { el, show } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { nameOf, timeOfDay } from "./names.js";
import { ownerOf, sharesOf } from "./shares.js";
import { said, tellIn } from "./sheets.js";
import { placesOf, span } from "./terms.js";

const SOON_MS = 3 * 86_400_000;

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./shares.js").Share} Share */
/** @typedef {"all" | "usable" | "locked" | "used" | "expired"} Tab */

/** @type {Tab[]} */
const TABS = ["all", "usable", "locked", "used", "expired"];

/**
 * The viewer's packets of all creators (券和福利).
 *
 * @param {Page} page
 */
export function openPackets(page) {
  const { say } = page;
  const content = page.sheets.open(say("my_packets"));
  tellIn(content, say("loading"));
  void load();

  async function load() {
    try {
      draw(await sharesOf(page), "all");
    } catch (error) {
      tellIn(content, said(page, error), { label: say("again"), again: () => void load() });
    }
  }

  /**
   * @param {Share[]} shares
   * @param {Tab} chosen
   */
  function draw(shares, chosen) {
    const tabs = TABS.map((tab) =>
      el("button", { role: "tab", id: `tab-${tab}`, "aria-selected": String(tab === chosen), "aria-controls": "tickets", tabindex: tab === chosen ? 0 : -1, onclick: () => {
        draw(shares, tab);
        document.getElementById(`tab-${tab}`)?.focus();
      } }, say(`tab_${tab}`), " ", el("span", { class: "num" }, within(shares, tab).length)));
    const shown = within(shares, chosen);
    const panel = el("div", { role: "tabpanel", id: "tickets", "aria-labelledby": `tab-${chosen}` },
      ...(shown.length ? shown.map((share) => ticket(page, share)) : [el("p", { class: "empty" }, say("no_packets"))]));
    const list = el("div", { class: "tabs", role: "tablist", onkeydown: (event) => turn(/** @type {KeyboardEvent} */ (event), chosen) }, ...tabs);
    show(content, list, panel);
  }

  /**
   * @param {KeyboardEvent} event
   * @param {Tab} chosen
   */
  function turn(event, chosen) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? 0;
    if (step) document.getElementById(`tab-${TABS[(TABS.indexOf(chosen) + step + TABS.length) % TABS.length]}`)?.click();
  }
}

/**
 * @param {Share[]} shares
 * @param {Tab} tab
 */
function within(shares, tab) {
  return tab === "all" ? shares : shares.filter((share) => tabOf(share) === tab);
}

/**
 * @param {Share} share
 * @returns {Tab}
 */
function tabOf({ state }) {
  return /** @type {Record<string, Tab>} */ ({ available: "usable", locked: "locked", redeemed: "used", expired_returned: "expired" })[state] ?? "usable";
}

/**
 * @param {Page} page
 * @param {Share} share
 */
function ticket(page, share) {
  const { say, clock, state, go } = page;
  const tab = tabOf(share);
  const own = share.creator_id === "platform";
  const leftMs = share.use_end_at_ms === null ? Infinity : share.use_end_at_ms - clock.now();
  const howLong = leftMs === Infinity ? say("no_end")
    : leftMs < SOON_MS ? say("time_left", { span: span(say, leftMs) }) : say("until", { time: timeOfDay(share.use_end_at_ms ?? 0, { date: true, seconds: false }) });
  const usable = tab === "usable" && (own || share.creator_id === (state().creatorId || share.creator_id));
  const order = share.order_id ? `…${share.order_id.slice(-4)}` : "";
  const places = placesOf(say, share, share.product_ids?.length ?? 0);
  const text = { all: places, usable: places, locked: say("locked_by", { order }), used: say("used_in", { order }), expired: say("went_back") }[tab];
  const later = tab === "usable" && !share.usable ? say("usable_from", { time: timeOfDay(share.use_start_at_ms, { date: true, seconds: false }) }) : null;
  const use = () => {
    page.sheets.close();
    go("checkout");
  };
  return el("div", { class: `tk is-${tab}` },
    el("div", { class: "l" }, el("span", {}, el("sup", {}, "¥"), yuan(share.face_fen)), el("small", {}, tab === "usable" ? later ?? howLong : say(`state_${tab}`))),
    el("div", { class: "r" },
      usable && share.usable ? el("button", { class: "go", onclick: use }, say("use")) : null,
      el("b", {}, nameOf(ownerOf(page, share))), el("p", { class: "named" }, nameOf(share.packet_name)), el("p", {}, text)));
}
