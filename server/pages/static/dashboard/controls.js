// @ts-check
import { Api, Refusal } from "../shared/api.js";
import { el } from "../shared/dom.js";

const KEPT_AS = "redrain.watch";

/** The buttons that break something on purpose. They are there only if the server has them. */
export class Controls {
  /** @param {import("./words.js").Say} say */
  constructor(say) {
    this._say = say;
    this._api = new Api(token());
    /** @type {Map<string, HTMLButtonElement>} */
    this._buttons = new Map();
  }

  /**
   * @param {string} name
   * @param {string} kind
   */
  button(name, kind) {
    const button = el("button", { type: "button", class: kind, hidden: true, onclick: () => void this._press(name) }, this._say(name));
    this._buttons.set(name, button);
    return button;
  }

  /** @param {any} picture */
  update(picture) {
    for (const [name, button] of this._buttons) {
      const busy = picture.busy.includes(name);
      button.hidden = !picture.controls.includes(name);
      if (button.dataset.failed) continue;
      button.disabled = busy;
      button.textContent = this._say(busy ? `${name}_busy` : name);
    }
  }

  /** @param {string} name */
  async _press(name) {
    const button = this._buttons.get(name);
    if (!button) return;
    button.disabled = true;
    delete button.dataset.failed;
    try {
      await this._api.post(`controls/${name}`);
    } catch (error) {
      button.dataset.failed = "yes";
      button.disabled = false;
      button.textContent = error instanceof Refusal && error.status === 401 ? this._say("needs_token") : this._say("not_done");
    }
  }
}

/** The token that the server printed: in the fragment of the URL, once, and kept for this tab. */
function token() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  try {
    if (given) sessionStorage.setItem(KEPT_AS, given);
    if (given) history.replaceState(null, "", location.pathname + location.search);
    return given ?? sessionStorage.getItem(KEPT_AS);
  } catch {
    return given;
  }
}
