// @ts-check
import { Refusal } from "../shared/api.js";
import { el, icon, show } from "../shared/dom.js";
import { held } from "./focus.js";

/**
 * Sheets over the room, one on another: a page that opens from below, or a full one. The back button closes the top
 * one and gives the focus back.
 */
export class Sheets {
  /**
   * @param {HTMLElement} place
   * @param {import("./page.js").Say} say
   * @param {() => void} cleared called when the last one is closed
   */
  constructor(place, say, cleared) {
    this._cleared = cleared;
    this._place = place;
    this._say = say;
    /** @type {{element: HTMLElement, release: () => void, gone?: () => void}[]} */
    this._open = [];
  }

  /** Whether a sheet is open. */
  get any() {
    return this._open.length > 0;
  }

  /**
   * Open a sheet and return where its content goes.
   *
   * @param {string} title
   * @param {{full?: boolean, gone?: () => void}} [options]
   */
  open(title, { full = false, gone } = {}) {
    const content = el("div", { class: "content" });
    const close = () => this.close();
    const head = el("div", { class: "h" }, el("button", { "aria-label": this._say("back"), onclick: close }, icon("back", { width: 20, height: 20 })), el("h2", {}, title), el("span"));
    const sheet = el("section", { class: full ? "sheet in full" : "sheet in", role: "dialog", "aria-modal": "true", "aria-label": title }, head, content);
    const element = el("div", { class: "lit" }, full ? null : el("div", { class: "dim soft", onclick: close }), sheet);
    this._place.append(element);
    this._open.push({ element, release: held(sheet, close), gone });
    this._mark();
    return content;
  }

  /** Close the sheet on top. */
  close() {
    const top = this._open.pop();
    if (!top) return;
    top.element.remove();
    top.gone?.();
    top.release();
    this._mark();
    if (!this.any) this._cleared();
  }

  /** Close all. */
  clear() {
    while (this._open.length) this.close();
  }

  _mark() {
    this._place.parentElement?.classList.toggle("covered", this.any);
    const full = this._open.some(({ element }) => element.querySelector(".full"));
    this._place.parentElement?.classList.toggle("fs", full);
    for (const below of this._open.slice(0, -1)) below.element.inert = true;
    const top = this._open[this._open.length - 1];
    if (top) top.element.inert = false;
  }
}

/**
 * Say in a sheet that something is on its way, or why it did not come.
 *
 * @param {HTMLElement} content
 * @param {string} text
 * @param {{label: string, again: () => void}} [retry]
 */
export function tellIn(content, text, retry) {
  show(content, el("div", { class: "empty", role: "status" }, el("p", {}, text), retry ? el("button", { class: "plain", onclick: retry.again }, retry.label) : null));
}

/**
 * What an error comes to, for a reader.
 *
 * @param {{say: import("./page.js").Say}} page
 * @param {unknown} error
 */
export function said({ say }, error) {
  if (error instanceof Refusal) return error.status === 403 ? say("not_here") : error.message;
  return say("no_answer");
}
