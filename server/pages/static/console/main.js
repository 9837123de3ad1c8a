// @ts-check
import { el, show, the } from "../shared/dom.js";
import { learnTexts } from "../shared/texts.js";
import { Desk } from "./desk.js";
import { gate } from "./gate.js";
import { placesOf } from "./places.js";
import { admitted, creatorOf } from "./session.js";
import { Shell } from "./shell.js";
import { dress } from "./theme.js";
import { say } from "./words.js";

dress();
document.title = say("title");
void start();

async function start() {
  const view = the("#view");
  try {
    const api = await admitted(view);
    await learnTexts(api);
    const rooms = await api.get("api/rooms");
    const creators = [...new Set(rooms.map((/** @type {any} */ room) => String(room.creator_id)))].sort();
    const asked = new URLSearchParams(location.search).get("creator");
    const creator = creatorOf(api.credential) ?? asked ?? (await gate(view, rooms));
    if (!creators.includes(creator)) creators.unshift(creator);
    const desk = new Desk(api, creator);
    await Promise.all([desk.refresh(), desk.tellTime()]);
    document.body.classList.add("in");
    const choice = creatorOf(api.credential) ? [creator] : creators;
    new Shell(desk, placesOf(desk), open, choice).start();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    show(
      view,
      el(
        "div",
        { class: "card gate", role: "alert" },
        el("h1", {}, say("broken")),
        el("p", {}, why),
        el("button", { type: "button", class: "btn p", onclick: () => location.reload() }, say("again")),
      ),
    );
  }
}

/** @param {string} creator */
function open(creator) {
  const url = new URL(location.href);
  url.searchParams.set("creator", creator);
  location.assign(url);
}
