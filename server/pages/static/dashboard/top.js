// @ts-check
import { el, icon, show } from "../shared/dom.js";
import { grouped } from "../shared/money.js";
import { choose, language } from "../shared/words.js";
import { clockTime } from "./scale.js";

/** The head of the page: what is watched, how many are there, whether all rules hold. */
export class TopBar {
  /**
   * @param {import("./words.js").Say} say
   * @param {import("./controls.js").Controls} controls
   */
  constructor(say, controls) {
    this._say = say;
    this._title = el("bdi");
    this._phase = el("small");
    this._connected = el("b", { class: "num" }, "–");
    this._receipts = el("b", { class: "num" }, "–");
    this._pill = el("span", { class: "pill amber" });
    this._clock = el("time", { class: "num" });
    const other = language() === "zh" ? "en" : "zh";
    const turn = el("button", { type: "button", class: "quiet", lang: other, onclick: () => choose(other) }, say("other_language"));
    this.element = el("header", { class: "top" },
      icon("packet", { class: "packet" }),
      el("h1", {}, "Redrain", this._title), this._phase,
      el("div", { class: "right" },
        el("span", {}, say("connected"), " ", this._connected),
        el("span", {}, say("receipts"), " ", this._receipts),
        this._pill, this._clock, controls.button("naive", "quiet"), controls.button("forget", "quiet"), turn));
  }

  /**
   * @param {any} picture
   * @param {boolean} open
   */
  update(picture, open) {
    const say = this._say;
    const ended = picture.verdict !== null;
    this._title.textContent = [picture.title, picture.subtitle].filter(Boolean).join(" · ");
    this._phase.textContent = ended ? "" : picture.phase;
    this._connected.textContent = picture.connected === null ? "–" : grouped(picture.connected);
    this._receipts.textContent = grouped(picture.answered);
    this._clock.textContent = clockTime(picture.at_ms);
    const { light } = picture.badge;
    this._pill.className = `pill ${open || ended ? light : "amber"}`;
    show(this._pill, "● ", ended && !open ? say("over_run") : open ? say(`light_${light}`) : say("reconnecting"));
  }
}
