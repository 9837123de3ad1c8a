// @ts-check
const REACHABLE = "button:not([disabled]),a[href],input:not([disabled]),[tabindex='0']";

/** @type {{dialog: HTMLElement, close: () => void}[]} the dialog on top is the last */
const open = [];
document.addEventListener("keydown", keyed);

/**
 * Keep the keyboard inside a dialog until it closes, then give the focus back to where it was. Esc closes the one on top.
 *
 * @param {HTMLElement} dialog
 * @param {() => void} close
 * @returns {() => void} what to call when the dialog is gone
 */
export function held(dialog, close) {
  const before = document.activeElement;
  const entry = { dialog, close };
  open.push(entry);
  dialog.tabIndex = -1;
  dialog.focus({ preventScroll: true });
  return () => {
    const inside = open[open.length - 1] === entry;
    open.splice(open.indexOf(entry), 1);
    if (inside && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
  };
}

/** @param {KeyboardEvent} event */
function keyed(event) {
  const top = open[open.length - 1];
  if (!top) return;
  if (event.key === "Escape") top.close();
  else if (event.key === "Tab") turn(event, top.dialog);
}

/**
 * What had the focus may be gone, with a content that was drawn anew; the focus then begins at the first stop.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLElement} dialog
 */
function turn(event, dialog) {
  const stops = /** @type {HTMLElement[]} */ ([...dialog.querySelectorAll(REACHABLE)]).filter((stop) => stop.offsetParent);
  const at = document.activeElement;
  const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
  const inside = at !== dialog && dialog.contains(at);
  if (inside && at !== edge) return;
  event.preventDefault();
  (event.shiftKey && inside ? stops[stops.length - 1] : stops[0])?.focus();
}
