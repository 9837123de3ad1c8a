// @ts-check
import { show } from "../shared/dom.js";
import { CardView, CountView, ClosedPacketView } from "./packet_view.js";
import { RainView } from "./rain_view.js";

/** The one thing that is lit: it is built when the scene changes, and brought up to date in between. */
export class LayerView {
  /**
   * @param {HTMLElement} place
   * @param {import("./page.js").Page} page
   */
  constructor(place, page) {
    this._place = place;
    this._page = page;
    this._key = "room";
    /** @type {any} */
    this._view = null;
    this._aside = false;
    this._entered = false;
  }

  /** Whether something covers the room. */
  get lit() {
    return this._view !== null;
  }

  /**
   * @param {import("./scene.js").Scene} scene
   * @param {boolean} aside whether a sheet covers it: it then leaves the keyboard alone
   */
  update(scene, aside) {
    const { kind, packet, card } = scene;
    this._aside = aside;
    // "Sold out" is built anew once more is known: how fast it went, and the luckiest.
    const known = card === "exhausted" && packet ? `${packet.elapsedMs} ${packet.result !== null}` : "";
    const key = packet ? `${kind} ${packet.packet_id} ${card ?? ""} ${known}` : kind;
    if (key !== this._key) this._change(key, scene);
    else this._enter();
    if (kind === "rain") this._view.update(packet);
    else this._view?.update(scene);
  }

  _enter() {
    if (this._entered || this._aside || !this._view) return;
    this._entered = true;
    this._view.shown();
  }

  /**
   * @param {string} key
   * @param {import("./scene.js").Scene} scene
   */
  _change(key, { kind, packet, card }) {
    const before = this._key;
    this._key = key;
    this._view?.gone?.();
    this._view = null;
    show(this._place);
    this._place.parentElement?.classList.toggle("lit-up", kind !== "room");
    if (!packet) return;
    this._view =
      kind === "rain" ? new RainView(this._page, packet)
      : kind === "count" ? new CountView(this._page, packet)
      : kind === "card" ? new CardView(this._page, packet, card ?? "")
      : new ClosedPacketView(this._page, packet, kind === "opening");
    show(this._place, this._view.element);
    this._entered = false;
    this._enter();
    if ((kind === "rain" || kind === "popup") && before.startsWith("count")) this._page.feel.sound("rush");
  }
}
