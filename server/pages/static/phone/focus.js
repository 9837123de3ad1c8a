// @ts-check
const REACHABLE = "button:not([disabled]),a[href],input:not([disabled]),[tabindex='0']";

/**
 * Keep the keyboard inside a dialog until it closes, then give the focus back to where it was. Esc closes.
 *
 * @param {HTMLElement} dialog
 * @param {() => void} close
 * @returns {() => void} what to call when the dialog is gone
 */
export function held(dialog, close) {
  const before = document.activeElement;
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    } else if (event.key === "Tab") {
      const stops = /** @type {HTMLElement[]} */ ([...dialog.querySelectorAll(REACHABLE)]);
      const [first, last] = [stops[0], stops[stops.length - 1]];
      if (!first) event.preventDefault();
      else if (event.shiftKey && (document.activeElement === first || document.activeElement === dialog)) {
        event.preventDefault();
        last.focus();
      } else if (!event.shiftKey && document.activeElement === last) {
        event.preventDefault();
        first.focus();
      }
    }
  };
  dialog.addEventListener("keydown", keys);
  if (!dialog.hasAttribute("tabindex")) dialog.tabIndex = -1;
  dialog.focus({ preventScroll: true });
  return () => {
    dialog.removeEventListener("keydown", keys);
    if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
  };
}
