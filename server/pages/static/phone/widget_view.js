// @ts-check
import { el, icon, show, svg } from "../shared/dom.js";
import { minutesAndSeconds, secondsShown } from "../shared/clock.js";
import { yuan } from "../shared/money.js";
import { phaseOf } from "./scene.js";

const TOLD_AT = new Set([60, 30, 10, 3]);
const COACH_MS = 8_000;

/** The widget at the top right: the countdown (DY-UI), or a packet that waits to be claimed (Kuaishou's asset widget). */
export class WidgetView {
  /**
   * @param {HTMLElement} place
   * @param {import("./page.js").Page} page
   */
  constructor(place, page) {
    this._page = page;
    this._number = el("span", { class: "n num", hidden: true });
    this._arc = svg("circle", { class: "arc", cx: 30, cy: 30, r: 27, pathLength: 100 });
    const ring = svg("svg", { viewBox: "0 0 60 60", "aria-hidden": "true" }, svg("circle", { class: "track", cx: 30, cy: 30, r: 27 }), this._arc);
    this._time = el("time", { role: "timer", "aria-live": "off" });
    this._word = el("em");
    this._widget = el("button", { class: "widget", hidden: true, onclick: () => this._tapped() },
      this._number, el("div", { class: "r" }, ring, icon("pk", { class: "pk" })), this._time, this._word);
    this._coach = el("div", { class: "coach", role: "status", hidden: true });
    place.append(this._widget, this._coach);
    /** @type {import("./scene.js").Widget | null} */
    this._shown = null;
    this._key = "";
    this._seconds = -1;
    this._coached = "";
  }

  /**
   * @param {import("./scene.js").Widget | null} widget
   * @param {(text: string) => void} announce
   */
  update(widget, announce) {
    this._shown = widget;
    const key = widget ? `${widget.packet.packet_id} ${widget.kind} ${widget.waiting} ${widget.packet.total_fen}` : "";
    if (key !== this._key) {
      this._key = key;
      this._seconds = -1;
      this._changed(widget);
    }
    if (!widget) return;
    const { packet, kind } = widget;
    const leftMs = this._page.clock.realMsUntil(kind === "countdown" ? packet.grab_at_ms : packet.claim_end_at_ms);
    const seconds = secondsShown(leftMs);
    if (seconds === this._seconds) return;
    this._seconds = seconds;
    this._time.textContent = minutesAndSeconds(seconds);
    if (kind !== "countdown") return;
    const wholeMs = (packet.grab_at_ms - packet.warmup_at_ms) / (this._page.clock.speed || 1);
    this._arc.style.setProperty("--left", String(Math.max(0, Math.min(100, (100 * leftMs) / Math.max(1, wholeMs)))));
    this._widget.classList.toggle("soon", seconds <= 10);
    if (TOLD_AT.has(seconds)) announce(this._page.say("opens_in", { seconds }));
  }

  /** @param {import("./scene.js").Widget | null} widget */
  _changed(widget) {
    const { say, state } = this._page;
    this._widget.hidden = !widget;
    if (!widget) {
      this._coach.hidden = true;
      return;
    }
    const { packet, kind, waiting } = widget;
    this._widget.dataset.kind = kind;
    this._number.hidden = kind !== "claim" || waiting < 2;
    this._number.textContent = String(waiting);
    const words = {
      countdown: say("total", { amount: yuan(packet.total_fen).replace(/\.00$/, "") }),
      claim: say("claim"),
      mine: packet.mine ? `¥${yuan(packet.mine.amount_fen)}` : "",
      gone: say("all_gone"),
    };
    this._word.textContent = words[kind];
    this._widget.setAttribute("aria-label", `${say(`widget_${kind}`)} ${words[kind]}`);
    if (kind === "claim" && packet.surface === "asset_widget" && packet.packet_id !== this._coached && !state().packets[packet.packet_id]?.tap) {
      this._coached = packet.packet_id;
      show(this._coach, el("b", {}, say(waiting > 1 ? "waiting_many" : "waiting_one", { count: waiting })), el("small", {}, say("no_popup")));
      this._coach.hidden = false;
      setTimeout(() => (this._coach.hidden = true), COACH_MS);
    } else if (kind !== "claim") this._coach.hidden = true;
  }

  _tapped() {
    const { grabs, tell, clock } = this._page;
    if (!this._shown) return;
    const { packet, kind } = this._shown;
    this._coach.hidden = true;
    if (kind === "claim" && phaseOf(packet, clock.now()) === "grabbing") tell({ type: "recalled", packetId: packet.packet_id });
    else grabs.take(packet.packet_id); // too early, or once more: the server says which
  }
}
