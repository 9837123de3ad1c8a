// @ts-check
import { Api, Refusal } from "../shared/api.js";
import { el, icon, show } from "../shared/dom.js";
import { say } from "./words.js";

const KEPT_AS = "redrain.console.token";

/**
 * The credential that the page was opened with: of the URL's fragment, which is then taken out of the address bar, or
 * of this tab's earlier visit.
 */
export function credential() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    keep(given);
    history.replaceState(null, "", location.pathname + location.search);
    return given;
  }
  try {
    return sessionStorage.getItem(KEPT_AS);
  } catch {
    return null;
  }
}

/**
 * Return an API that is let in: unless the server takes everybody, it asks for a credential until the server takes one.
 *
 * @param {HTMLElement} into where to ask
 * @returns {Promise<Api>}
 */
export async function admitted(into) {
  const api = new Api(credential());
  if (!api.credential && document.documentElement.dataset.insecure !== "yes") api.credential = await asked(into, "");
  for (;;) {
    try {
      keep(api.credential);
      await api.get("api/rooms");
      return api;
    } catch (error) {
      if (!(error instanceof Refusal) || (error.status !== 401 && error.status !== 403)) throw error;
      api.credential = await asked(into, api.credential ? error.message : "");
    }
  }
}

/**
 * The subject that a creator's credential names; null for others. It only chooses what is asked for first: the server
 * decides what is answered.
 *
 * @param {string | null} token
 */
export function creatorOf(token) {
  try {
    const claims = JSON.parse(atob((token ?? "").split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    return claims.role === "creator" ? String(claims.sub) : null;
  } catch {
    return null;
  }
}

/**
 * @param {HTMLElement} into
 * @param {string} why
 * @returns {Promise<string>}
 */
function asked(into, why) {
  const input = el("input", { class: "inp", id: "token", type: "password", autocomplete: "off", required: true });
  return new Promise((resolve) => {
    const form = el(
      "form",
      {
        class: "card gate",
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          resolve(input.value.trim());
        },
      },
      icon("packet"),
      el("h1", {}, say("gate_title")),
      el("p", {}, say("gate_why")),
      why ? el("p", { class: "bad", role: "alert" }, why) : null,
      el("label", { for: "token" }, say("gate_label")),
      input,
      el("p", { class: "hint" }, say("gate_hint")),
      el("button", { class: "btn p l" }, say("gate_enter")),
    );
    show(into, form);
    input.focus();
  });
}

/** @param {string | null} token */
function keep(token) {
  try {
    if (token) sessionStorage.setItem(KEPT_AS, token);
  } catch {
    // Without storage the token lasts until the next load.
  }
}
