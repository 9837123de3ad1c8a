// @ts-check
import { el, show } from "../shared/dom.js";
import { grouped } from "../shared/money.js";
import { card, facts } from "./panels.js";
import { milliseconds, seconds } from "./scale.js";

/** @typedef {import("./words.js").Say} Say */

/** How the store and the load generator are; the steps of a recovery; the button that kills the store. */
export class HealthPanel {
  /**
   * @param {Say} say
   * @param {import("./controls.js").Controls} controls
   */
  constructor(say, controls) {
    this._say = say;
    this._store = el("dl", { class: "facts" });
    this._steps = el("ol", { class: "steps", hidden: true });
    this._generator = el("dl", { class: "facts" });
    this._notes = el("p", { class: "notes", hidden: true });
    this._kill = controls.button("kill_store", "kill");
    const { element, remark } = card("health", say("health"), this._store, this._steps, this._generator, this._notes, this._kill);
    this._remark = remark;
    this.element = element;
  }

  /** @param {any} picture */
  update(picture) {
    const say = this._say;
    const { store, generator, at_ms: nowMs } = picture;
    const away = store.state === "away";
    this._remark.className = `pill ${away ? "amber" : store.state === "up" ? "green" : ""}`;
    const span = store.away_since_ms === null ? "" : seconds(nowMs - store.away_since_ms);
    this._remark.textContent = say(`store_${store.state}`, { span });
    show(this._store, ...facts([
      [say("durability"), store.durability && store.durability !== "unknown" ? store.durability : null],
      [say("commands"), store.commands_per_second === null ? null : grouped(store.commands_per_second)],
      [say("delayed_syncs"), store.delayed_syncs === null ? null : grouped(store.delayed_syncs)],
      [say("cut_took"), store.cut_took_ms === null ? null : `${grouped(store.cut_took_ms)} ms`],
      [say("last_recovery"), store.recovered_in_ms === null ? null : seconds(store.recovered_in_ms)],
    ]));
    this._steps.hidden = !store.steps.length;
    show(this._steps, ...store.steps.map((/** @type {[string, number | null]} */ [code, afterMs], /** @type {number} */ at) =>
      el("li", { class: afterMs !== null ? "done" : store.steps[at - 1]?.[1] === null ? "later" : "doing" },
        el("span", {}, say(`step_${code}`)),
        el("b", { class: "num" }, afterMs === null ? "–" : `+${(afterMs / 1000).toFixed(2)} s`))));
    show(this._generator, ...(generator && !away ? facts([
      [say("generator"), say(generator.ok ? "on_time" : "not_on_time"), generator.ok ? "good" : "bad"],
      [say("send_debt"), `${milliseconds(generator.send_debt_p99_ms)} ms`],
      [say("loop_lag"), `${milliseconds(generator.lag_p99_ms)} ms`],
      [say("generator_cpu"), `${Math.round(generator.cpu * 100)} %`],
      [say("failures"), picture.failed ? grouped(picture.failed) : null, "bad"],
    ]) : []));
    this._notes.hidden = away || !generator?.notes.length;
    this._notes.textContent = generator?.notes.join("; ") ?? "";
  }
}
