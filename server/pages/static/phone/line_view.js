// @ts-check
import { el, show } from "../shared/dom.js";

const QUIET_MS = 400;

/** The bar that says that the line is lost, when the next try comes, and what still holds. */
export class LineView {
  /**
   * @param {HTMLElement} place
   * @param {import("./page.js").Say} say
   * @param {() => void} now
   */
  constructor(place, say, now) {
    this._say = say;
    this._headline = el("b", {});
    this._more = el("span", {}, say("offline_more"));
    this._bar = el("div", { class: "off", role: "status", hidden: true }, el("span", { class: "sp", "aria-hidden": "true" }),
      el("div", {}, this._headline, this._more), el("button", { class: "x", onclick: now }, say("now")));
    place.append(this._bar);
    this._sinceMs = Infinity;
  }

  /**
   * @param {import("./state.js").RoomState["line"]} line
   * @param {boolean} entered whether the room was seen before
   * @param {boolean} absent whether there is no such room
   */
  update(line, entered, absent) {
    const now = performance.now();
    if (line.state === "open") this._sinceMs = Infinity;
    else if (this._sinceMs === Infinity) this._sinceMs = now;
    this._bar.hidden = now - this._sinceMs < (entered ? QUIET_MS : 4 * QUIET_MS);
    this._bar.closest("#screen")?.classList.toggle("offline", !this._bar.hidden);
    if (this._bar.hidden) return;
    const seconds = line.state === "waiting" ? Math.max(0, Math.ceil(((line.retryAtMs ?? now) - now) / 1000)) : 0;
    const text = seconds ? this._say(absent ? "absent_retry" : entered ? "lost_retry" : "closed_retry", { seconds }) : this._say("connecting");
    if (this._headline.textContent === text) return;
    show(this._headline, text);
    this._more.textContent = this._say(absent ? "absent_more" : "offline_more");
  }
}
