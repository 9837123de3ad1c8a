// @ts-check
import { el, icon, show } from "../shared/dom.js";
import { say } from "./words.js";

/**
 * A dialog in the middle, or a drawer over half of the screen (DY-UI-2). The browser's own `dialog` keeps the focus
 * inside, closes by Esc and gives the focus back; a drawer and a dialog may stand on each other.
 *
 * @param {{title: string, kind?: "drawer" | "dialog" | "dialog small", body: HTMLElement[], foot?: (Node | null)[]}} given
 * @returns {HTMLDialogElement}
 */
export function overlay({ title, kind = "dialog", body, foot = [] }) {
  const id = `o${++made}`;
  const before = document.activeElement;
  const box = el(
    "dialog",
    { class: kind, "aria-labelledby": id },
    el(
      "header",
      {},
      el("h2", { id }, title),
      el(
        "button",
        { type: "button", class: "x", "aria-label": say("close"), onclick: () => box.close() },
        icon("close"),
      ),
    ),
    el("div", { class: "bd" }, ...body),
    foot.length ? el("footer", {}, ...foot) : null,
  );
  box.addEventListener("click", (event) => {
    // The backdrop counts as the dialog itself; nothing that was typed is lost by a click beside it.
    if (event.target === box && !box.querySelector("input, select, textarea")) box.close();
  });
  box.addEventListener("close", () => {
    box.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
  document.body.append(box);
  box.showModal();
  return box;
}

let made = 0;

/** Whether a dialog or a drawer stands open. */
export function covered() {
  return document.querySelector("dialog[open]") !== null;
}

/**
 * Say in passing what was done; screen readers hear it too.
 *
 * @param {string} text
 */
export function notice(text) {
  const line = el("div", { class: "notice" }, text);
  // A modal dialog hides what stands outside of it, so the notice goes where the person looks.
  const at = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  let list = at.querySelector(":scope > .notices");
  if (!list) {
    list = el("div", { class: "notices", role: "status" });
    at.append(list);
  }
  list.append(line);
  window.setTimeout(() => line.remove(), 5000);
}

/**
 * Ask before what cannot be undone; true if the person goes on.
 *
 * @param {{title: string, text: string, go: string, rule?: string}} given
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, text, go, rule }) {
  return new Promise((resolve) => {
    let yes = false;
    const box = overlay({
      title,
      kind: "dialog small",
      body: [el("p", {}, text, " ", rule ? el("code", { class: "rule" }, rule) : null)],
      foot: [
        el("button", { type: "button", class: "btn l", onclick: () => box.close() }, say("cancel")),
        el(
          "button",
          {
            type: "button",
            class: "btn p l",
            onclick: () => {
              yes = true;
              box.close();
            },
          },
          go,
        ),
      ],
    });
    box.addEventListener("close", () => resolve(yes));
  });
}

/**
 * A box that says why something was refused, with the id of the rule.
 *
 * @param {HTMLElement} into
 * @param {{message: string, rule?: string | null} | null} refusal
 * @param {Node | null} [offer] what to do instead
 */
export function refused(into, refusal, offer = null) {
  if (!refusal) {
    show(into);
    return;
  }
  show(
    into,
    el(
      "div",
      { class: "err", role: "alert" },
      icon("no"),
      el("div", {}, refusal.message, " ", refusal.rule ? el("code", { class: "rule" }, refusal.rule) : null),
      offer,
    ),
  );
}
