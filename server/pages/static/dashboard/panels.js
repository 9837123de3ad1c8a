// @ts-check
import { el, show } from "../shared/dom.js";
import { grouped } from "../shared/money.js";
import { GrabsChart, LatencyChart, MoneyChart, shortYuan } from "./charts.js";
import { clockTime, milliseconds, seconds } from "./scale.js";

/** @typedef {import("./words.js").Say} Say */

const ROW_OF_PACKET = 70;
const ROW_OF_ROOM = 62;
const RANK = { grabbing: 0, warming: 1, scheduled: 2, sold_out: 3, claim_closed: 4 };

/**
 * A card with a title and, at its right end, a remark.
 *
 * @param {string} name
 * @param {string} title
 * @param {...import("../shared/dom.js").Child} inside
 */
export function card(name, title, ...inside) {
  const remark = el("em");
  return { remark, element: el("section", { class: `card ${name}` }, el("h2", {}, title, remark), ...inside) };
}

/** Grabs offered and answered a second. */
export class GrabsPanel {
  /** @param {Say} say */
  constructor(say) {
    this._chart = new GrabsChart(say);
    this._now = el("b", { class: "num" }, "0");
    this._offered = el("b", { class: "num" });
    this._sums = el("span", { class: "sums" });
    this._say = say;
    this._legend = el("span", {}, el("i", { class: "offered" }), say("offered"), " ", this._offered);
    const head = el("div", { class: "now" }, this._now, el("span", {}, say("answered_now")), this._sums,
      el("div", { class: "legend" }, el("span", {}, el("i", { class: "answered" }), say("answered")), this._legend));
    const { element, remark } = card("grabs", say("grabs"), head, this._chart.place);
    remark.textContent = say("two_minutes");
    this.element = element;
  }

  /** @param {any} picture */
  update(picture) {
    const [offered, answered] = picture.rates.at(-1) ?? [null, 0];
    this._now.textContent = grouped(Math.round(answered));
    this._offered.textContent = offered === null ? "" : grouped(Math.round(offered));
    this._legend.hidden = offered === null;
    const waiting = picture.offered === null ? 0 : picture.offered - picture.answered - picture.lost;
    this._sums.textContent = [
      this._say("in_all", { count: grouped(picture.answered) }),
      waiting > 0 && this._say("waiting", { count: grouped(waiting) }),
    ].filter(Boolean).join(" · ");
    this._chart.update(picture);
  }
}

/** Latencies and fan-out skew. */
export class LatencyPanel {
  /** @param {Say} say */
  constructor(say) {
    this._chart = new LatencyChart(say);
    this._figures = /** @type {const} */ ([["p50", "p50"], ["p99", "p99"], ["skew_p99", say("skew")]]).map(([name, title]) => {
      const value = el("b", { class: "num" }, "–");
      return { name, value, element: el("div", { class: name }, value, el("span", {}, title)) };
    });
    const figures = el("div", { class: "figures" }, ...this._figures.map((each) => each.element));
    const { element, remark } = card("latency", say("latency"), figures, this._chart.place);
    remark.textContent = say("from_planned_tap");
    this.element = element;
  }

  /** @param {any} picture */
  update(picture) {
    for (const { name, value } of this._figures) {
      const ms = picture.latency[name];
      show(value, milliseconds(ms), ms !== null && el("small", {}, "ms"));
    }
    this._chart.update(picture);
  }
}

/** The rooms and who is in them; comments and likes. */
export class RoomsPanel {
  /** @param {Say} say */
  constructor(say) {
    this._say = say;
    this._list = el("ul", { class: "rooms" });
    this._talk = el("dl", { class: "facts" });
    const { element, remark } = card("rooms-card", say("rooms"), this._list, this._talk);
    this._remark = remark;
    this.element = element;
  }

  /** @param {any} picture */
  update(picture) {
    const say = this._say;
    this._remark.textContent = String(picture.rooms.length);
    const rooms = [...picture.rooms].sort((one, other) => other.watching - one.watching).slice(0, rowsIn(this._list, ROW_OF_ROOM, 3));
    show(this._list, ...rooms.map((room, at) => el("li", {},
      el("i", { class: `seal seal-${at % 3}`, "aria-hidden": "true" }, [...(room.title || room.room_id)][0]),
      el("span", {}, el("bdi", { class: "name" }, room.title || room.room_id), el("small", {}, room.note || room.room_id)),
      el("span", { class: "right" }, el("b", { class: "num" }, grouped(room.watching)), el("small", {}, say("watching"))))));
    show(this._talk, ...facts([
      [say("comments"), rate(picture.comments_per_second)],
      [say("likes"), rate(picture.likes_per_second)],
    ]));
  }
}

/** The packets, and how many of their shares are claimed. */
export class PacketsPanel {
  /** @param {Say} say */
  constructor(say) {
    this._say = say;
    this._list = el("ul", { class: "packets" });
    const { element, remark } = card("packets-card", say("packets"), this._list);
    this._remark = remark;
    this.element = element;
  }

  /** @param {any} picture */
  update(picture) {
    const say = this._say;
    const shown = mostInteresting(picture.packets, rowsIn(this._list, ROW_OF_PACKET, 4));
    const others = picture.packets.length - shown.length;
    this._remark.textContent = others > 0 ? say("of_packets", { shown: shown.length, all: picture.packets.length }) : say("claimed_of");
    if (!shown.length) return show(this._list, el("li", { class: "none" }, say("no_packets")));
    show(this._list, ...shown.map((packet) => this._row(packet)));
  }

  /** @param {any} packet */
  _row(packet) {
    const say = this._say;
    const part = Math.min(1, packet.granted / Math.max(1, packet.share_count));
    const fill = el("i");
    fill.style.setProperty("--part", String(part));
    const kind = packet.over ? "over" : part === 1 ? "full" : "";
    const gone = packet.sold_out_ms === null ? "" : say("sold_out_after", { span: seconds(packet.sold_out_ms) });
    const state = packet.over ? "" : packet.state === "sold_out" ? gone || say("state_sold_out") : `${say(`state_${packet.state || "draft"}`)}${gone && ` · ${gone}`}`;
    const total = packet.total_fen === null ? "" : shortYuan(packet.total_fen);
    return el("li", {},
      el("div", { class: "line" }, el("bdi", { class: "name" }, packet.name),
        el("b", { class: "num" }, `${grouped(packet.granted)} / ${grouped(packet.share_count)}`)),
      el("div", { class: `bar ${kind}` }, fill),
      el("small", {}, [total, state].filter(Boolean).join(" · "), packet.over > 0 && " · ",
        packet.over > 0 && el("strong", {}, say("over_by", { count: grouped(packet.over) }))));
  }
}

/** Where the money is. */
export class MoneyPanel {
  /** @param {Say} say */
  constructor(say) {
    this._say = say;
    this._chart = new MoneyChart(say);
    const { element, remark } = card("money", say("money"), this._chart.place);
    this._remark = remark;
    this.element = element;
  }

  /** @param {any} picture */
  update(picture) {
    const gap = picture.money?.gap_fen ?? 0;
    this._remark.className = gap ? "bad" : picture.money ? "good" : "";
    this._remark.textContent = !picture.money ? "" : !gap ? `${this._say("sums_match")} ✓`
      : `${this._say(gap > 0 ? "more_than_funded" : "less_than_funded", { yuan: shortYuan(Math.abs(gap)) })} ✕`;
    this._chart.update(picture);
  }
}

/** What has happened, the newest first. */
export class LogPanel {
  /** @param {Say} say */
  constructor(say) {
    this._say = say;
    this._list = el("ol", { class: "log" });
    this.element = card("log-card", say("log"), this._list).element;
    this._shown = "";
  }

  /** @param {any} picture */
  update(picture) {
    const newest = [...picture.log].sort((one, other) => other.at_ms - one.at_ms).slice(0, 14);
    const key = JSON.stringify(newest.map((/** @type {any} */ line) => [line.at_ms, line.text, line.code]));
    if (key === this._shown) return;
    this._shown = key;
    show(this._list, ...newest.map((/** @type {any} */ line) => el("li", { class: line.code && `of-${line.code}` },
      el("time", { class: "num" }, clockTime(line.at_ms)),
      el("bdi", {}, line.code ? this._say(`log_${line.code}`, line.values) : line.text))));
  }
}

/**
 * The packets that one looks at first: given too much, being grabbed, about to open, then the newest.
 *
 * @param {any[]} packets
 * @param {number} most
 */
export function mostInteresting(packets, most) {
  const rank = (/** @type {any} */ packet) => packet.over ? -1 : RANK[/** @type {keyof typeof RANK} */ (packet.state)] ?? 5;
  return packets
    .map((packet, at) => ({ packet, at }))
    .sort((one, other) => rank(one.packet) - rank(other.packet) || other.at - one.at)
    .slice(0, most)
    .map((each) => each.packet);
}

/**
 * The rows of a list of facts; one whose value is null is left out.
 *
 * @param {[string, import("../shared/dom.js").Child, string?][]} rows
 */
export function facts(rows) {
  return rows.filter(([, value]) => value !== null && value !== undefined).map(([name, value, kind]) =>
    el("div", {}, el("dt", {}, name), el("dd", { class: `num ${kind ?? ""}` }, value)));
}

/**
 * How many rows have room in a list, and at least so many.
 *
 * @param {HTMLElement} list
 * @param {number} height
 * @param {number} least
 */
function rowsIn(list, height, least) {
  return Math.max(least, Math.floor(list.clientHeight / height));
}

/** @param {number | null} perSecond */
function rate(perSecond) {
  return perSecond === null ? null : grouped(Math.round(perSecond));
}
