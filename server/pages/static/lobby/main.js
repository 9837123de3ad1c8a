// @ts-check
import { Api, Refusal, at } from "../shared/api.js";
import { el, icon, show, the } from "../shared/dom.js";
import { grouped } from "../shared/money.js";
import { choose, language, speaker } from "../shared/words.js";
import { WORDS } from "./words.js";

/** @typedef {{room_id: string, creator_id: string, title: string, platform: string, audience: number}} OpenRoom */

const ASK_EVERY_MS = 5_000;
const say = speaker(WORDS);
const api = new Api();
const rooms = el("div", { class: "rooms", "aria-live": "off" });

/** @param {OpenRoom} room */
function card(room) {
  const known = /** @type {const} */ (["douyin", "kuaishou", "lab"]).find((platform) => platform === room.platform);
  const name = room.title || room.room_id;
  return el(
    "a",
    { class: `room of-${known ?? "other"}`, href: at(`live/${encodeURIComponent(room.room_id)}`).href },
    el("span", { class: "cover", "aria-hidden": "true" }, [...name][0]),
    el("span", { class: "name" }, el("b", {}, el("bdi", {}, name)), el("small", {}, room.creator_id === "platform" ? say("own") : known ? say(known) : say("other", { platform: room.platform }))),
    el("span", { class: "audience" }, el("i", { "aria-hidden": "true" }), say("watching", { count: grouped(room.audience) })),
    el("span", { class: "enter" }, say("enter")),
  );
}

/** @param {string} path @param {keyof typeof WORDS.en} name @param {keyof typeof WORDS.en} what */
function door(path, name, what) {
  return el("a", { class: "door", href: at(path).href }, el("b", {}, say(name)), el("small", {}, say(what)));
}

async function ask() {
  try {
    /** @type {OpenRoom[]} */
    const open = await api.get("api/lobby");
    const closed = document.documentElement.dataset.insecure !== "yes" && document.documentElement.dataset.guests !== "yes";
    if (open.length) show(rooms, ...open.map(card));
    else show(rooms, el("p", { class: "none" }, say(closed ? "closed" : "none"), " ", el("span", {}, closed ? "" : say("how"))));
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof TypeError)) throw error;
    show(rooms, el("p", { class: "none" }, say("away")));
  }
}

document.title = say("title");
show(
  the("#lobby"),
  el("header", {}, el("button", { class: "language", onclick: () => choose(language() === "zh" ? "en" : "zh") }, say("language"))),
  el(
    "section",
    { class: "hero" },
    el("h1", {}, icon("packet"), el("span", {}, say("name")), el("em", { lang: "zh-CN" }, say("chinese"))),
    el("p", { class: "lead" }, say("lead")),
    el("p", {}, say("proof")),
  ),
  el("section", {}, el("h2", {}, say("rooms")), rooms),
  el(
    "nav",
    { class: "doors" },
    door("console", "console", "consoleWhat"),
    door("dashboard", "dashboard", "dashboardWhat"),
    door("docs", "docs", "docsWhat"),
  ),
);
await ask();
setInterval(() => document.visibilityState === "visible" && void ask(), ASK_EVERY_MS);
