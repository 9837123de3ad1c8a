// @ts-check
import { el, icon, svg } from "../shared/dom.js";
import { grouped, yuan } from "../shared/money.js";
import { celebrate } from "./canvas.js";
import { held } from "./focus.js";
import { avatar, masked, nameOf } from "./names.js";
import { goodFor, secondsOf } from "./terms.js";

const COUNT_MS = 900;

/** @typedef {import("./state.js").RoomPacket} RoomPacket */
/** @typedef {import("./page.js").Page} Page */

/**
 * The closed packet in the middle: it waits for a tap on its coin, or its coin turns until the answer is there.
 */
export class ClosedPacketView {
  /**
   * @param {Page} page
   * @param {RoomPacket} packet
   * @param {boolean} turning
   */
  constructor(page, packet, turning) {
    const { say } = page;
    this._page = page;
    this._foot = el("div", { class: "ft", role: "status" }, turning ? say("opening") : say("tap_coin"));
    this._coin = el("button", { class: turning ? "coin turn" : "coin", "aria-label": say("open_packet"), disabled: turning,
      onclick: () => this._open(packet.packet_id) }, el("i", {}, "開"), el("i", {}, "福"));
    const host = packet.creator_name || packet.creator_id;
    const closed = el(
      "div", { class: "env" }, el("div", { class: "flap" }), waves(),
      el("div", { class: "who" }, el("div", { class: "ava" }, icon("face", { class: "her", width: 46, height: 46 }), icon("face-2", { class: "him", width: 46, height: 46 })), nameOf(host)),
      el("h3", {}, say("wish")), this._coin, this._foot,
    );
    this._dialog = el("div", { class: "pop in", role: "dialog", "aria-modal": "true", "aria-label": say("open_packet") }, closed);
    const close = () => page.tell({ type: "dismissed", packetId: packet.packet_id });
    this.element = el("div", { class: "lit" }, el("div", { class: "dim" }), el("div", { class: "rays" }), this._dialog,
      turning ? null : closing(page, close));
    this._close = close;
  }

  shown() {
    this.gone = held(this._dialog, this._close);
    if (!this._coin.disabled) this._coin.focus({ preventScroll: true });
  }

  /** @param {import("./scene.js").Scene} scene */
  update(scene) {
    const word = scene.retrying ? "retrying" : scene.slow ? "still_opening" : null;
    if (word) this._foot.textContent = this._page.say(word);
  }

  /** @param {string} packetId */
  _open(packetId) {
    this._page.feel.buzz("tap");
    this._page.grabs.take(packetId);
  }
}

/** What became of a tap, or of a packet that one waited for. */
export class CardView {
  /**
   * @param {Page} page
   * @param {RoomPacket} packet
   * @param {string} status of the receipt; `exhausted` and `voided` come without a tap, too
   */
  constructor(page, packet, status) {
    this._page = page;
    this._packet = packet;
    this._status = status;
    this._close = () => page.tell({ type: "dismissed", packetId: packet.packet_id });
    const won = status === "granted" || status === "repeated";
    const title = el("h3", {}, this._title());
    const body = el("div", { class: "b" }, status === "voided" ? icon("cross", { width: 54, height: 54, class: "mark" }) : null, title, ...this._body());
    this._dialog = el("div", { class: "pop in", role: "dialog", "aria-modal": "true", "aria-label": this._title() },
      el("div", { class: won ? "card" : "card mute" }, body, el("div", { class: "lo" }, ...this._foot(won))));
    this.element = el("div", { class: "lit" }, el("div", { class: "dim" }), won ? el("div", { class: "rays" }) : null, this._dialog,
      closing(page, this._close), status === "granted" && !page.calm ? el("canvas", { class: "conf", "aria-hidden": "true" }) : null);
  }

  shown() {
    this.gone = held(this._dialog, this._close);
    /** @type {HTMLElement | null} */ (this._dialog.querySelector(".cta"))?.focus({ preventScroll: true });
    if (this._status !== "granted") return;
    this._page.feel.sound("coin");
    this._page.feel.buzz("win");
    const paper = this.element.querySelector("canvas");
    if (paper) celebrate(paper);
    if (!this._page.calm) this._countUp();
  }

  update() {}

  _title() {
    const { say } = this._page;
    const { status, seconds } = { status: this._status, seconds: secondsOf(this._packet.elapsedMs, this._page.state().speed) };
    if (status === "exhausted") return seconds === null ? say("exhausted") : say("exhausted_in", { seconds });
    return say(/** @type {import("./page.js").Word} */ (status));
  }

  /** @returns {import("../shared/dom.js").Child[]} */
  _body() {
    const { say, state } = this._page;
    const { amount_fen, index } = this._packet.mine ?? { amount_fen: null, index: null };
    const note = (/** @type {import("../shared/dom.js").Child[]} */ ...text) => el("p", { class: "su" }, ...text);
    const whole = say("shares_total", { count: grouped(this._packet.share_count), amount: yuan(this._packet.total_fen).replace(/\.00$/, "") });
    if (this._status === "granted" || this._status === "repeated") {
      this._amount = el("span", {}, yuan(amount_fen ?? 0));
      const place = index === null ? null : note(say("share_number", { number: grouped(index + 1), count: grouped(this._packet.share_count) }));
      return [
        this._status === "granted" ? note(say("from"), " ", nameOf(this._packet.creator_name || this._packet.creator_id)) : note(say("one_each")),
        el("div", { class: "amt num" }, el("small", {}, "¥"), this._amount),
        note(goodFor(this._page, this._packet)),
        this._status === "repeated" ? place : null,
      ];
    }
    if (this._status === "exhausted") {
      const best = this._packet.result?.best_luck ?? [];
      return [note(whole), best.length ? luckiest(best, say("best_luck")) : note(say("luck_later"))];
    }
    const why = /** @type {Record<string, import("./page.js").Word>} */ ({ voided: "voided_more", too_late: "too_late_more", not_found: "not_found_more", not_eligible: "not_eligible_more" })[this._status];
    return [note(why ? say(why, { host: state().creatorName }) : "")];
  }

  /**
   * @param {boolean} won
   * @returns {import("../shared/dom.js").Child[]}
   */
  _foot(won) {
    const { say, go } = this._page;
    const list = this._status === "voided" || this._status === "not_found" ? null
      : el("button", { class: "lnk", onclick: () => go("winners", this._packet.packet_id) }, say(won ? "who_got_what" : "all_winners"));
    const use = () => {
      this._close();
      go("checkout");
    };
    return [
      won ? el("button", { class: "cta", onclick: use }, say("use_now")) : el("button", { class: "cta q", onclick: this._close }, say("back_to_room")),
      list,
    ];
  }

  _countUp() {
    const [to, start, place] = [this._packet.mine?.amount_fen ?? 0, performance.now(), this._amount];
    if (!place) return;
    const frame = (/** @type {number} */ now) => {
      const part = Math.min(1, Math.max(0, (now - start) / COUNT_MS));
      place.textContent = yuan(part === 1 ? to : Math.round(to * (1 - (1 - part) ** 4)));
      if (part < 1 && place.isConnected) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }
}

/**
 * @param {{viewer_id: string, amount_fen: number}[]} best
 * @param {string} word
 */
function luckiest(best, word) {
  const rows = best.slice(0, 4).map(({ viewer_id, amount_fen }, i) =>
    el("li", {}, el("span", { class: "rk" }, i ? i + 1 : icon("crown", { width: 22, height: 15 })), avatar(viewer_id),
      el("span", {}, nameOf(masked(viewer_id)), " ", i ? null : el("span", { class: "chip c-a" }, word)), el("b", { class: "num" }, `¥${yuan(amount_fen)}`)));
  return el("ul", { class: "lk" }, ...rows);
}

/**
 * @param {Page} page
 * @param {() => void} close
 */
function closing(page, close) {
  return el("button", { class: "xc", "aria-label": page.say("close"), onclick: close }, icon("close", { width: 16, height: 16 }));
}

function waves() {
  const drawing = svg("svg", { class: "pat", viewBox: "0 0 300 170", preserveAspectRatio: "xMidYMax slice", "aria-hidden": "true" });
  for (const [y, xs] of /** @type {[number, number[]][]} */ ([[170, [-10, 60, 130, 200, 270, 340]], [130, [25, 95, 165, 235, 305]]])) {
    for (const cx of xs) for (const r of [35, 24, 13]) drawing.append(svg("circle", { cx, cy: y, r }));
  }
  return drawing;
}

/** The last three seconds. */
export class CountView {
  /**
   * @param {Page} page
   * @param {RoomPacket} packet
   */
  constructor(page, packet) {
    this._page = page;
    this._packet = packet;
    this._shown = 0;
    this._number = el("b", { class: "num", "aria-live": "off" });
    const ring = svg("svg", { viewBox: "0 0 300 300", "aria-hidden": "true" }, svg("circle", { class: "track", cx: 150, cy: 150, r: 138 }), svg("circle", { class: "arc", cx: 150, cy: 150, r: 138, pathLength: 100 }));
    const more = page.say("shares_total", { count: grouped(packet.share_count), amount: yuan(packet.total_fen).replace(/\.00$/, "") });
    this.element = el("div", { class: "big3" }, el("div", { class: "d" }, ring, this._number), el("h2", {}, page.say(packet.platform === "kuaishou" ? "here_it_comes" : "here_comes_rain")), el("p", {}, more));
  }

  shown() {}

  update() {
    const leftMs = this._page.clock.realMsUntil(this._packet.grab_at_ms);
    const seconds = Math.max(1, Math.ceil(leftMs / 1000));
    this.element.style.setProperty("--left", String(Math.max(0, leftMs / 30)));
    if (seconds === this._shown) return;
    this._shown = seconds;
    const punched = el("b", { class: "num p" }, seconds);
    this._number.replaceWith(punched);
    this._number = punched;
    this._page.feel.sound("tick");
  }
}
