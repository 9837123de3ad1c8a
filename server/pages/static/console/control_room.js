// @ts-check
import { el, icon, show } from "../shared/dom.js";
import { at } from "../shared/api.js";
import { grouped } from "../shared/money.js";
import { status } from "./packet_words.js";
import { openRoom } from "./room_form.js";
import { say } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * The live control panel: the creator's rooms with who is there and what is on air, and the tools for the broadcast,
 * of which sending red packets is one (DY-UI-1).
 *
 * @param {Desk} desk
 */
export function controlRoom(desk) {
  const rooms = el("div", { class: "rooms" });
  const target = desk.activities ? "manage" : "send";
  const node = el(
    "div",
    {},
    el(
      "section",
      { class: "card" },
      el(
        "div",
        { class: "tool" },
        el("h2", {}, say("rooms")),
        el("span", { class: "sp" }),
        el("button", { type: "button", class: "btn p", onclick: () => openRoom(desk) }, `+ ${say("new_room")}`),
      ),
      rooms,
    ),
    el(
      "section",
      { class: "card" },
      el("h2", {}, say("live_tools")),
      el(
        "div",
        { class: "tiles" },
        tile("packet-line", desk.activities ? say("favor") : say("send"), say("send_why"), target),
      ),
    ),
  );
  let said = "";

  async function refresh() {
    const onAir = desk.rooms.flatMap((room) => room.on_air);
    const packets = await Promise.all(onAir.map((packetId) => desk.api.get(desk.packet(packetId))));
    const now = JSON.stringify([desk.rooms, packets]);
    if (now === said) return;
    said = now;
    show(
      rooms,
      ...(desk.rooms.length
        ? desk.rooms.map((room) => roomCard(room, packets))
        : [el("p", { class: "hint" }, say("no_room"))]),
    );
  }

  return { node, refresh };
}

/**
 * @param {any} room
 * @param {any[]} packets
 */
function roomCard(room, packets) {
  const onAir = packets.filter((packet) => room.on_air.includes(packet.packet_id));
  return el(
    "article",
    { class: "room" },
    el("h3", {}, el("bdi", { class: "name" }, room.title || room.room_id)),
    el("p", { class: "hint num" }, room.room_id),
    el(
      "p",
      {},
      el("span", { class: `dot ${room.audience ? "on" : "off"}`, "aria-hidden": "true" }),
      say("watching", { count: grouped(room.audience) }),
    ),
    el(
      "ul",
      {},
      ...onAir.map((packet) => {
        const { word, kind } = status(packet);
        const until = packet.phase === "grabbing" ? packet.claim_end_at_ms : packet.grab_at_ms;
        return el(
          "li",
          {},
          el("bdi", { class: "name" }, packet.name),
          el("span", { class: `chip k-${kind}` }, word),
          el("b", { class: "num", role: "timer", "data-until": until }),
        );
      }),
    ),
    el(
      "a",
      { class: "btn", href: at(`live/${encodeURIComponent(room.room_id)}`).href, target: "_blank", rel: "noopener" },
      say("see_live"),
    ),
  );
}

/**
 * A tool as a tile; the menu's router takes the click.
 *
 * @param {string} symbol
 * @param {string} name
 * @param {string} why
 * @param {string} view
 */
export function tile(symbol, name, why, view) {
  const url = new URL(location.href);
  url.searchParams.set("view", view);
  return el(
    "a",
    { class: "tile", href: url.href, "data-view": view },
    icon(symbol),
    el("b", {}, name),
    el("small", {}, why),
  );
}
