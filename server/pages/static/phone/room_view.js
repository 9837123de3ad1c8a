// @ts-check
import { el, icon, show } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { avatar, counted, hueOf, nameOf } from "./names.js";
import { latestResult } from "./scene.js";
import { pictureOf, priceOf, titleOf } from "./goods.js";
import { platformOf } from "./state.js";

const LIKES_EVERY_MS = 600;
const HEARTS_MAX = 6;
const DOUBLE_TAP_MS = 320;
const COMMENT_LENGTH_MAX = 100;

/** @typedef {import("./page.js").Page} Page */

/**
 * The room behind everything: host, audience, comments, hearts, the product and the bar at the bottom.
 */
export class RoomView {
  /**
   * @param {HTMLElement} place
   * @param {Page} page
   */
  constructor(place, page) {
    this._page = page;
    /** @type {any} what was drawn last */
    this._drawn = { comments: -1, likes: -1 };
    this._likes = 0;
    this._tapMs = -Infinity;
    this._host = el("b");
    this._watching = el("small", { class: "num" });
    this._faces = el("span", { class: "faces", "aria-hidden": "true" });
    this._platform = el("span", { class: "glass" });
    this._hearts = el("span", { class: "num" });
    this._sound = el("button", { class: "glass chip-button", onclick: () => this._switchSound() });
    this._comments = el("ol", { class: "comments", "aria-live": "off", "aria-label": page.say("comments") });
    this._rising = el("div", { class: "hearts", "aria-hidden": "true" });
    this._product = el("aside", { class: "goods", "aria-label": page.say("goods") });
    this._badge = el("sup", { class: "num", hidden: true });
    this._mail = el("sup", { class: "num", hidden: true });
    this._result = el("button", { class: "luck glass", hidden: true });
    this._field = el("input", {
      class: "in glass", name: "comment", maxlength: COMMENT_LENGTH_MAX, autocomplete: "off", enterkeyhint: "send",
      placeholder: page.say("say_something"), "aria-label": page.say("say_something"),
    });
    show(place, this._status(), this._top(), this._chips(), this._comments, this._result, this._product, this._rising, this._bar());
    show(this._comments, el("li", { class: "sys" }, page.say("house_rule")));
    this._switchSound(page.feel.loud);
    const screen = /** @type {HTMLElement} */ (place.parentElement);
    screen.addEventListener("pointerdown", (event) => this._touched(/** @type {PointerEvent} */ (event)));
    // Rings around what the keyboard has reached are for those who use one.
    screen.ownerDocument.addEventListener("keydown", () => screen.classList.add("keys"));
    screen.ownerDocument.addEventListener("pointerdown", () => screen.classList.remove("keys"));
    screen.addEventListener("dblclick", (event) => event.preventDefault());
  }

  _status() {
    const time = el("span", { class: "num" });
    const tick = () => {
      time.textContent = new Date().toTimeString().slice(0, 5);
    };
    tick();
    setInterval(tick, 10_000);
    return el("div", { class: "status", "aria-hidden": "true" }, time, icon("ways", { width: 68, height: 14 }));
  }

  _top() {
    const { say } = this._page;
    const face = el("div", { class: "ava" }, icon("face", { class: "her", width: 36, height: 36 }), icon("face-2", { class: "him", width: 36, height: 36 }));
    return el(
      "header", { class: "top" },
      el("div", { class: "badge glass" }, face, el("div", {}, this._host, this._watching)),
      el("div", { class: "aud glass" }, this._faces, el("a", { href: "../", "aria-label": say("leave") }, icon("close", { width: 16, height: 16 }))),
    );
  }

  _chips() {
    const likes = el("span", { class: "glass" }, "♥ ", this._hearts);
    const about = el("button", { class: "glass chip-button about-chip", "aria-label": this._page.say("about"), onclick: () => this._page.go("about") }, "?");
    return el("div", { class: "chips" }, this._platform, likes, this._sound, about);
  }

  _bar() {
    const { say, go } = this._page;
    const form = el("form", { class: "say", onsubmit: (event) => this._comment(event) }, this._field);
    return el(
      "div", { class: "bar" },
      form,
      el("button", { class: "ib glass", "aria-label": say("inbox"), onclick: () => go("inbox") }, icon("bell", { width: 24, height: 24 }), this._mail),
      el("button", { class: "ib cart", "aria-label": say("orders"), onclick: () => go("orders") }, icon("bag", { width: 24, height: 24 })),
      el("button", { class: "ib glass", "aria-label": say("my_packets"), onclick: () => go("packets") }, icon("gift", { width: 24, height: 24 }), this._badge),
      el("button", { class: "ib like", "aria-label": say("like"), onclick: () => this.like() }, icon("ht", { width: 24, height: 24 })),
    );
  }

  /** @param {import("./state.js").RoomState} state */
  update(state) {
    const { say } = this._page;
    if (this._drawn.state === state) return;
    const host = state.creatorName || state.roomId;
    if (this._drawn.host !== host) {
      this._drawn.host = host;
      show(this._host, nameOf(host));
      document.title = `${host} · ${say("title")}`;
    }
    this._watching.textContent = say("watching", { count: counted(state.audience) });
    this._hearts.textContent = counted(state.likes);
    this._platform.textContent = say(platformWord(state));
    this._platform.parentElement?.closest("#screen")?.setAttribute("data-platform", platformOf(state));
    count(this._badge, state.assetCount);
    this._talk(state);
    if (this._drawn.likes >= 0 && state.likes > this._drawn.likes) this.rise(Math.min(3, state.likes - this._drawn.likes));
    this._drawn.likes = state.likes;
    this._luck(latestResult(state));
    this._drawn.state = state;
  }

  /** @param {import("./state.js").RoomState} state */
  _talk(state) {
    const latest = state.comments.filter(({ number }) => number > this._drawn.comments);
    if (!latest.length) return;
    this._drawn.comments = latest[latest.length - 1].number;
    for (const { viewer_id, text } of latest) {
      const won = /¥\s?\d|抢到\s*\d/.test(text);
      const name = el("b", { class: `hue-text-${hueOf(viewer_id) % 3}` }, nameOf(viewer_id));
      this._comments.append(el("li", { class: won ? "in win" : "in" }, name, el("span", { dir: "auto" }, text)));
    }
    while (this._comments.children.length > COMMENTS_SHOWN) this._comments.firstElementChild?.remove();
    const faces = [...new Set(state.comments.map(({ viewer_id }) => viewer_id))].slice(-3);
    show(this._faces, ...faces.map(avatar));
  }

  /** @param {import("./state.js").RoomPacket | null} packet */
  _luck(packet) {
    const best = packet?.result?.best_luck[0];
    this._result.hidden = !packet || !best;
    if (!packet || !best || this._drawn.luck === packet.packet_id) return;
    this._drawn.luck = packet.packet_id;
    const renewed = el("button", { class: "luck glass", onclick: () => this._page.go("winners", packet.packet_id) },
      icon("crown", { width: 22, height: 15 }), this._page.say("see_winners", { amount: yuan(best.amount_fen) }));
    this._result.replaceWith(renewed);
    this._result = renewed;
  }

  /**
   * @param {import("./goods.js").Goods} goods
   */
  product(goods) {
    const { say, go } = this._page;
    show(
      this._product,
      el("span", { class: "tag" }, say("now_on")),
      el("div", { class: "im" }, icon(pictureOf(titleOf(goods)), { width: 72, height: 82 })),
      el("p", {}, titleOf(goods)),
      el("div", { class: "pr" },
        el("span", { class: "num" }, el("small", {}, "¥"), priceOf(goods)),
        el("button", { onclick: () => go("checkout", goods) }, say("buy"))),
    );
  }

  /** @param {number} unread */
  unread(unread) {
    count(this._mail, unread);
  }

  /** Send a heart, and let it rise. */
  like() {
    this.rise(1);
    if (this._likes++ === 0) {
      setTimeout(() => {
        this._page.send({ type: "like", count: Math.min(1_000, this._likes) });
        this._likes = 0;
      }, LIKES_EVERY_MS);
    }
  }

  /** @param {number} hearts */
  rise(hearts) {
    if (this._page.calm) return;
    for (let i = 0; i < hearts && this._rising.children.length < HEARTS_MAX; i++) {
      const heart = icon("ht", { class: `hue-fill-${Math.floor(Math.random() * 6)}` });
      heart.style.setProperty("--x", `${Math.round(Math.random() * 40 - 20)}px`);
      heart.style.setProperty("--later", `${i * 180}ms`);
      heart.addEventListener("animationend", () => heart.remove());
      this._rising.append(heart);
    }
  }

  /** @param {PointerEvent} event */
  _touched(event) {
    if (!(event.target instanceof Element) || event.target.closest("button,a,input,.goods,#layer > *,#sheet > *,#notices > *")) return;
    if (event.timeStamp - this._tapMs < DOUBLE_TAP_MS) this.like();
    this._tapMs = event.timeStamp;
  }

  /** @param {Event} event */
  _comment(event) {
    event.preventDefault();
    const text = this._field.value.trim();
    if (!text) return;
    if (this._page.send({ type: "comment", text })) this._field.value = "";
    else this._page.toast(this._page.say("not_sent"));
  }

  /** @param {boolean | Event} [loud] */
  _switchSound(loud) {
    const on = typeof loud === "boolean" ? loud : this._page.feel.switch();
    this._sound.setAttribute("aria-pressed", String(on));
    this._sound.setAttribute("aria-label", this._page.say("sound"));
    show(this._sound, icon(on ? "speaker" : "mute", { width: 18, height: 18 }));
  }
}

const COMMENTS_SHOWN = 12;

/** @param {import("./state.js").RoomState} state */
function platformWord(state) {
  const packets = Object.values(state.packets);
  if (packets.some((packet) => packet.creator_id === "platform")) return "platform_packets";
  return platformOf(state) === "kuaishou" ? "kuaishou_packets" : "douyin_packets";
}

/**
 * @param {HTMLElement} badge
 * @param {number} number
 */
function count(badge, number) {
  badge.hidden = number === 0;
  badge.textContent = number > 99 ? "99+" : String(number);
}
