// @ts-check
const KEPT_AS = "redrain.theme";

/** Put on the theme: that of the URL, the one chosen before, or the device's. */
export function dress() {
  const asked = new URLSearchParams(location.search).get("theme") ?? kept();
  const dark = asked === "dark" || (asked !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

/** Change to the other theme and keep the choice. */
export function turn() {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem(KEPT_AS, next);
  } catch {
    // Without storage the choice lasts until the next load.
  }
}

function kept() {
  try {
    return localStorage.getItem(KEPT_AS);
  } catch {
    return null;
  }
}
