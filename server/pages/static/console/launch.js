// @ts-check
import { Refusal } from "../shared/api.js";
import { el, show } from "../shared/dom.js";
import { Form, choice, figureInput } from "./form.js";
import { checks } from "./launch_checks.js";
import { modeWord, modesOf, timesOf } from "./launch_fields.js";
import { notice, overlay } from "./overlay.js";
import { openRoom } from "./room_form.js";
import { timeline } from "./timeline.js";
import { evening } from "./timeline_layout.js";
import { MINUTE_MS, dayAndTime, span, timeOfDay } from "./times.js";
import { say } from "./words.js";

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {import("./packet_words.js").Packet} Packet
 * @typedef {import("./launch_fields.js").Mode} Mode
 */

const PAUSE_MS = 200; // between two keys, before the server is asked

/**
 * The dialog of a launch: a tab for each mode of the platform, every limit beside its field, and the evening with what
 * this launch would be in it. The server decides each time something is typed, and nothing is launched by that.
 *
 * @param {Desk} desk
 * @param {Packet} packet
 */
export function openLaunch(desk, packet) {
  if (desk.rooms.length === 0) {
    openRoom(desk, () => openLaunch(desk, packet));
    return;
  }
  new LaunchDialog(desk, packet).open();
}

class LaunchDialog {
  /** @param {Desk} desk @param {Packet} packet */
  constructor(desk, packet) {
    this._desk = desk;
    this._packet = packet;
    this._modes = modesOf(desk);
    /** @type {Mode} */
    this._mode = this._modes.includes("exact") ? "exact" : this._modes[0];
    this._form = new Form();
    this._tabs = el("div", { class: "tabs", role: "tablist", "aria-label": say("launch_modes") });
    this._panel = el("div", { role: "tabpanel", id: "launch-panel" });
    this._line = timeline();
    this._checks = el("ul", { class: "ru" });
    this._go = el(
      "button",
      { type: "button", class: "btn p l", onclick: () => void this._launch() },
      say("confirm_launch"),
    );
    const most = desk.limit("claim_window_max_ms");
    this._room = choice(desk.rooms.map((room) => [room.room_id, room.title || room.room_id]));
    this._window = figureInput(String(desk.limit("claim_window_ms").value / MINUTE_MS), { inputmode: "numeric" });
    this._common = el(
      "div",
      { class: "g2" },
      this._form.field("room_id", { label: say("room"), input: this._room }),
      this._form.field("claim_window_ms", {
        label: say("claim_window"),
        aside: say("minutes"),
        input: this._window,
        hint: el(
          "span",
          {},
          say("at_most", { most: span(most.value, desk.lang) }),
          " ",
          el("code", { class: "rule" }, most.rules[0]),
        ),
      }),
    );
    this._untouched = true;
    this._turn = 0;
    this._timer = 0;
  }

  open() {
    this._form.node.append(this._form.error, this._panel, this._common);
    this._form.node.addEventListener("input", () => this._typed());
    this._form.node.addEventListener("submit", () => void this._launch());
    this._show(this._mode);
    this._box = overlay({
      title: say("launch_title", { name: this._packet.name }),
      body: [
        this._tabs,
        this._form.node,
        el("div", { class: "lb" }, say("this_evening")),
        this._line.node,
        this._checks,
      ],
      foot: [
        el("p", {}, say("launch_final")),
        el("button", { type: "button", class: "btn l", onclick: () => this._box?.close() }, say("cancel")),
        this._go,
      ],
    });
  }

  /** @param {Mode} mode @param {boolean} [focus] */
  _show(mode, focus = false) {
    this._mode = mode;
    for (const name of ["delay_ms", "warmup_at_ms", "grab_at_ms"]) this._form.inputs.delete(name);
    this._times = timesOf(this._desk, this._form, mode);
    show(
      this._tabs,
      ...this._modes.map((each) =>
        el(
          "button",
          {
            type: "button",
            role: "tab",
            id: `launch-${each}`,
            "aria-controls": "launch-panel",
            "aria-selected": String(each === mode),
            tabindex: each === mode ? 0 : -1,
            onclick: () => this._show(each),
            onkeydown: /** @type {EventListener} */ (
              (/** @type {KeyboardEvent} */ event) => {
                const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
                if (step)
                  this._show(
                    this._modes[(this._modes.indexOf(each) + step + this._modes.length) % this._modes.length],
                    true,
                  );
              }
            ),
          },
          modeWord(each),
        ),
      ),
    );
    this._panel.setAttribute("aria-labelledby", `launch-${mode}`);
    show(this._panel, ...this._times.nodes);
    if (focus) /** @type {HTMLElement | null} */ (this._tabs.querySelector(`#launch-${mode}`))?.focus();
    void this._preview();
  }

  _typed() {
    this._untouched = false;
    clearTimeout(this._timer);
    this._timer = window.setTimeout(() => void this._preview(), PAUSE_MS);
  }

  /** The request as typed, or null while something is missing. */
  _asked() {
    const times = this._times?.asked();
    const minutes = Number(this._window.value);
    if (!times || !this._window.value.trim() || !Number.isFinite(minutes)) return null;
    return { room_id: this._room.value, ...times, claim_window_ms: Math.round(minutes * MINUTE_MS) };
  }

  /** Ask the server what this launch would be, and draw it. */
  async _preview() {
    const asked = this._asked();
    this._go.disabled = true;
    if (!asked) return;
    const turn = ++this._turn;
    try {
      const found = await this._desk.api.post(this._desk.packet(this._packet.packet_id, "preview-launch"), asked);
      if (turn !== this._turn) return;
      // What stands in the fields at first is only a proposal, so it is one that would be let in.
      if (!found.allowed && found.nearest?.mode === this._mode && this._untouched) {
        this._untouched = false;
        this._times?.set(found.nearest);
        void this._preview();
        return;
      }
      this._go.disabled = !found.allowed;
      this._form.refuse(found.allowed ? null : new Refusal(409, found.refusal), this._offer(found.nearest));
      await this._draw(found);
      show(this._checks, ...checks(this._desk, found));
    } catch (error) {
      if (turn === this._turn) this._form.refuse(error);
    }
  }

  async _launch() {
    const asked = this._asked();
    if (!asked || this._go.disabled) return;
    this._go.disabled = true;
    try {
      const launched = await this._desk.api.post(this._desk.packet(this._packet.packet_id, "launch"), asked);
      this._box?.close();
      notice(say("launch_done", { name: launched.name, time: timeOfDay(launched.grab_at_ms) }));
      this._desk.changed();
    } catch (error) {
      this._form.refuse(error);
      this._go.disabled = false;
    }
  }

  /**
   * The button that takes over the nearest time at which this launch would be let in.
   *
   * @param {any} nearest the request of it
   */
  _offer(nearest) {
    if (!nearest) return null;
    const at = nearest.warmup_at_ms ?? nearest.grab_at_ms;
    return el(
      "button",
      {
        type: "button",
        class: "btn",
        onclick: () => {
          if (this._mode !== nearest.mode) this._show(nearest.mode);
          this._times?.set(nearest);
          void this._preview();
        },
      },
      say("use_instead", { time: dayAndTime(at, this._desk.lang) }),
    );
  }

  /** @param {any} found */
  async _draw(found) {
    const now = this._desk.clock.now();
    const own = found.warmup_at_ms === null ? null : { ...found, name: this._packet.name };
    const stretch = evening(now, own);
    const planned = await this._desk.api.get(this._desk.of("timeline"), stretch);
    this._line.draw({ now_ms: now, slots: planned.slots, packets: planned.packets, own, refused: !found.allowed });
  }
}
