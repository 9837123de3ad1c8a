// @ts-check
import { el, icon, show, the } from "../shared/dom.js";
import { choose } from "../shared/words.js";
import { minutesAndSeconds, secondsShown } from "../shared/clock.js";
import { turn } from "./theme.js";
import { dayAndTime } from "./times.js";
import { say } from "./words.js";

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {{node: HTMLElement, refresh: () => Promise<void>}} View
 * @typedef {{id: string, group: string, icon: string, crumbs: string[], rule: string, make: (desk: Desk) => View}} Place
 */

const REFRESH_MS = 2000;
const TICK_MS = 250;
const CLOCK_MS = 15_000;

/**
 * The frame around the views: the menu of the platform, where one is (breadcrumbs), the clock, and the order in which
 * things are asked for again.
 */
export class Shell {
  /**
   * @param {Desk} desk
   * @param {Place[]} places
   * @param {(creator: string) => void} other opens the console of another creator
   * @param {string[]} creators who can be chosen
   */
  constructor(desk, places, other, creators) {
    this._desk = desk;
    this._places = places;
    this._place = places[0];
    /** @type {View | null} */
    this._view = null;
    this._line = el("span", { class: "line", role: "status" });
    this._lineSaid = "";
    this._asking = false;
    this._again = false;
    this._time = el("time", { class: "num" });
    this._other = other;
    this._creators = creators;
    desk.changed = () => void this.refresh();
  }

  /** Draw the frame and the view that the URL names, and keep them true. */
  start() {
    addEventListener("popstate", () => this._open());
    document.addEventListener("click", (event) => {
      const link = event.target instanceof Element && event.target.closest("[data-view]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.go(link.getAttribute("data-view") ?? "");
    });
    document.addEventListener("visibilitychange", () => void this.refresh());
    window.setInterval(() => document.visibilityState === "visible" && void this.refresh(), REFRESH_MS);
    window.setInterval(() => this._tick(), TICK_MS);
    window.setInterval(() => void this._desk.tellTime().catch(() => {}), CLOCK_MS);
    this._open();
  }

  /** Ask for everything on the screen again; one at a time. */
  async refresh() {
    if (this._asking) {
      this._again = true;
      return;
    }
    this._asking = true;
    try {
      await this._desk.refresh();
      await this._view?.refresh();
      this._said(true);
    } catch (error) {
      this._said(false, error instanceof Error ? error.message : "");
    }
    this._asking = false;
    this._tick();
    if (this._again) {
      this._again = false;
      void this.refresh();
    }
  }

  /** @param {string} id */
  go(id) {
    const url = new URL(location.href);
    url.searchParams.set("view", id);
    history.pushState(null, "", url);
    this._open();
    the("#view").focus();
  }

  _open() {
    const asked = new URLSearchParams(location.search).get("view");
    this._place =
      this._places.find((place) => place.id === asked) ??
      this._places.find((p) => p.id === "manage") ??
      this._places[0];
    this._menu();
    this._view = this._place.make(this._desk);
    const last = this._place.crumbs.length - 1;
    document.title = `${this._place.crumbs[last]} · Redrain`;
    const crumbs = this._place.crumbs.slice(0, -1).map((crumb) => el("li", {}, crumb));
    show(
      the("#view"),
      el(
        "div",
        { class: "hd" },
        el(
          "div",
          {},
          el(
            "nav",
            { "aria-label": say("crumbs"), class: "cr", title: this._place.rule || null },
            el("ol", {}, ...crumbs),
          ),
          el("h1", {}, this._place.crumbs[last]),
        ),
        this._status(),
      ),
      this._view.node,
    );
    void this.refresh();
  }

  _status() {
    const language = el(
      "button",
      {
        type: "button",
        class: "btn",
        lang: this._desk.lang === "zh" ? "en" : "zh-CN",
        onclick: () => choose(this._desk.lang === "zh" ? "en" : "zh"),
      },
      this._desk.lang === "zh" ? "English" : "中文",
    );
    const theme = el(
      "button",
      { type: "button", class: "btn i", "aria-label": say("theme"), onclick: turn },
      icon("moon"),
    );
    return el("div", { class: "live" }, this._line, this._time, language, theme);
  }

  _menu() {
    /** @type {HTMLElement[]} */
    const entries = [];
    let group = "";
    for (const place of this._places) {
      if (place.group !== group) entries.push(el("h2", {}, place.group));
      group = place.group;
      const url = new URL(location.href);
      url.searchParams.set("view", place.id);
      const link = el(
        "a",
        { href: url.href, "data-view": place.id, "aria-current": place === this._place ? "page" : null },
        icon(place.icon),
        place.crumbs[place.crumbs.length - 1],
      );
      entries.push(link);
    }
    the("#menu").setAttribute("aria-label", say("menu"));
    show(the("#menu"), ...entries);
    show(the("#who"), this._who());
    the("#menu").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }

  _who() {
    const name = el("bdi", { class: "name" }, this._desk.name);
    if (this._creators.length < 2) {
      return el(
        "div",
        { class: "who" },
        el("i", { "aria-hidden": "true" }),
        el("span", {}, name, el("small", {}, this._desk.creator)),
      );
    }
    const select = el(
      "select",
      { "aria-label": say("creator"), onchange: () => this._other(select.value) },
      ...this._creators.map((creator) => el("option", { value: creator }, creator)),
    );
    select.value = this._desk.creator;
    return el("div", { class: "who" }, el("i", { "aria-hidden": "true" }), el("span", {}, name, select));
  }

  /**
   * @param {boolean} well
   * @param {string} [why]
   */
  _said(well, why = "") {
    const audience = this._desk.rooms.reduce((sum, room) => sum + room.audience, 0);
    const text = !well ? say("offline_line") : audience ? say("on_air", { count: audience }) : say("off_air");
    const kind = !well ? "bad" : audience ? "on" : "off";
    const said = `${kind}${text}`;
    if (this._lineSaid === said) return;
    this._lineSaid = said;
    show(this._line, el("span", { class: `dot ${kind}`, "aria-hidden": "true" }), text);
    this._line.title = why;
  }

  /** Write the room's time, and every countdown on the page from its deadline. */
  _tick() {
    const { clock, lang } = this._desk;
    if (!clock.known) return;
    const speed = clock.speed === 1 ? "" : ` ×${clock.speed}`;
    this._time.textContent = `${dayAndTime(clock.now(), lang)}${speed}`;
    this._time.title = say("room_time");
    for (const element of document.querySelectorAll("[data-until]")) {
      const text = minutesAndSeconds(secondsShown(clock.realMsUntil(Number(element.getAttribute("data-until")))));
      if (element.textContent !== text) element.textContent = text;
    }
  }
}
