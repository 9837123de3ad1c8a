// @ts-check
import { el, icon } from "../shared/dom.js";
import { grouped, yuan } from "../shared/money.js";
import { held } from "./focus.js";

export const PACKETS = 36;
const STREAKS = 24;
const REACH_PX = 26;
const WIDTHS = [44, 64, 92];
const SECONDS = [4.6, 3.4, 2.5];

/**
 * The rain of packets. They move by `transform` alone; one listener for all of them takes the pointer's first touch, so
 * that a packet that moves away under the finger is hit all the same.
 */
export class RainView {
  /**
   * @param {import("./page.js").Page} page
   * @param {import("./state.js").RoomPacket} packet
   */
  constructor(page, packet) {
    this._page = page;
    this._packetId = packet.packet_id;
    this._left = el("b", { class: "num" });
    this._of = el("span", { class: "num" });
    this._bar = el("i", { class: "rest" });
    this._taken = false;
    this._leave = () => page.tell({ type: "dismissed", packetId: packet.packet_id });
    const { say } = page;
    this._rain = el("div", { class: "rain", role: "group", "aria-label": say("rain_label"), onpointerdown: (event) => this._touched(/** @type {PointerEvent} */ (event)) });
    if (!page.calm) for (let i = 0; i < STREAKS; i++) this._rain.append(streak(i));
    for (let i = 0; i < PACKETS; i++) this._rain.append(falling(i));
    this.element = el(
      "div", { class: "lit" }, this._rain,
      el("div", { class: "rhead" }, el("h2", {}, say("rain")), el("p", { class: "glass" }, say("tap_any"))),
      el("div", { class: "left" },
        el("div", {}, el("span", {}, say("still_in_rain"), " ", this._left, this._of), el("span", { class: "num sum" }, `¥${yuan(packet.total_fen)}`)), this._bar),
      el("button", { class: "take", onclick: () => this._take(null) }, say("take_packet")),
      el("button", { class: "xc", "aria-label": say("close"), onclick: this._leave }, icon("close", { width: 16, height: 16 })),
    );
  }

  /** Put the keyboard where Enter takes a packet, and Esc leaves it. */
  shown() {
    this.gone = held(this.element, this._leave);
    /** @type {HTMLElement | null} */ (this.element.querySelector(".take"))?.focus({ preventScroll: true });
  }

  /** @param {import("./state.js").RoomPacket} packet */
  update(packet) {
    const left = packet.remaining ?? packet.share_count;
    this._left.textContent = grouped(left);
    this._of.textContent = ` / ${grouped(packet.share_count)}`;
    this._bar.style.setProperty("--rest", String(Math.max(0, Math.min(1, left / packet.share_count))));
  }

  /** @param {PointerEvent} event */
  _touched(event) {
    const hit = event.target instanceof Element ? event.target.closest(".p") : null;
    const taken = hit ?? this._near(event.clientX, event.clientY);
    if (!taken) return;
    event.preventDefault();
    this._take(taken);
  }

  /**
   * The packet within reach of a touch that has just missed.
   *
   * @param {number} x
   * @param {number} y
   */
  _near(x, y) {
    let [nearest, least] = [/** @type {Element | null} */ (null), REACH_PX];
    for (const packet of this._rain.querySelectorAll(".p")) {
      const box = packet.getBoundingClientRect();
      const distance = Math.hypot(Math.max(box.left - x, 0, x - box.right), Math.max(box.top - y, 0, y - box.bottom));
      if (distance < least) [nearest, least] = [packet, distance];
    }
    return nearest;
  }

  /** @param {Element | null} packet */
  _take(packet) {
    if (this._taken) return;
    this._taken = true;
    this._page.feel.buzz("tap");
    if (packet && !this._page.calm) this._toCentre(packet);
    this._page.grabs.take(this._packetId);
  }

  /** @param {Element} packet */
  _toCentre(packet) {
    const screen = this.element.parentElement;
    if (!screen) return;
    const [from, to] = [packet.getBoundingClientRect(), screen.getBoundingClientRect()];
    const flying = icon("pk", { class: "flying" });
    for (const [name, px] of Object.entries({ x: from.left - to.left, y: from.top - to.top, w: from.width, h: from.height })) {
      flying.style.setProperty(`--${name}`, `${px}px`);
    }
    const [dx, dy] = [to.left + to.width / 2 - from.left - from.width / 2, to.top + to.height * 0.46 - from.top - from.height / 2];
    screen.parentElement?.append(flying);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const flight = flying.animate(
      [{ transform: "none", opacity: 1 }, { transform: `translate(${dx}px,${dy}px) scale(${300 / from.width})`, opacity: 0.2 }],
      { duration: still ? 1 : 320, easing: "cubic-bezier(.2,.8,.2,1)" },
    );
    flight.onfinish = () => flying.remove();
  }
}

/**
 * An even spread from 0 to 1 that is the same every time.
 *
 * @param {number} i
 * @param {number} k
 */
function spread(i, k) {
  const value = Math.sin(i * 127.1 + k * 311.7) * 43758.5453;
  return value - Math.floor(value);
}

/** @param {number} i */
function falling(i) {
  const depth = i % 3;
  const column = (i * 0.7548777 + 0.3) % 1;
  const packet = el("span", { class: `p depth-${depth}` }, el("span", {}, icon("pk", { viewBox: "0 0 100 132" })));
  const look = {
    "--left": `${-4 + column * 100}%`,
    "--w": `${WIDTHS[depth]}px`,
    "--fall": `${SECONDS[depth]}s`,
    "--phase": `${(-SECONDS[depth] * ((i * 0.5698403 + depth * 0.29 + 0.1) % 1)).toFixed(2)}s`,
    "--a": `${-15 + spread(i, 7) * 12}deg`,
    "--b": `${3 + spread(i, 8) * 12}deg`,
    "--sway": `${(-spread(i, 9) * 3).toFixed(2)}s`,
    "--still": `${14 + Math.floor(i / 4) * 8}%`,
  };
  for (const [name, value] of Object.entries(look)) packet.style.setProperty(name, value);
  return packet;
}

/** @param {number} i */
function streak(i) {
  const line = el("i", { class: "k" });
  const look = {
    "--left": `${spread(i, 1) * 112}%`,
    "--h": `${30 + spread(i, 2) * 70}px`,
    "--see": `${0.2 + spread(i, 3) * 0.5}`,
    "--fall": `${0.9 + spread(i, 4) * 0.8}s`,
    "--phase": `${(-spread(i, 5) * 2).toFixed(2)}s`,
  };
  for (const [name, value] of Object.entries(look)) line.style.setProperty(name, value);
  return line;
}
