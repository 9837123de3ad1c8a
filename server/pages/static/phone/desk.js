// @ts-check
import { el, show } from "../shared/dom.js";
import { choose, language } from "../shared/words.js";

/**
 * The same on a phone, in a sheet.
 *
 * @param {import("./page.js").Page} page
 */
export function openAbout(page) {
  const content = page.sheets.open(page.say("rain"));
  content.classList.add("aside", "within");
  explain(content, page.say);
  content.querySelector("h1")?.remove();
}

/**
 * What stands beside the phone on a desktop: what this is, what to do, and the other language.
 *
 * @param {HTMLElement} place
 * @param {import("./page.js").Say} say
 */
export function explain(place, say) {
  const steps = /** @type {import("./page.js").Word[]} */ (["step_wait", "step_tap", "step_verify", "step_buy"]);
  const other = language() === "zh" ? "en" : "zh";
  show(
    place,
    el("h1", {}, say("rain")),
    el("p", {}, say("what_this_is")),
    el("ol", {}, ...steps.map((step) => el("li", {}, say(step)))),
    el("nav", {}, el("button", { lang: other, onclick: () => choose(other) }, other === "zh" ? "中文" : "English"), el("a", { href: "../" }, say("all_rooms"))),
    el("p", { class: "fine" }, say("made_up")),
  );
}
