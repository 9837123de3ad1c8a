// @ts-check
import { el, icon, show } from "../shared/dom.js";
import { say } from "./words.js";

/**
 * Ask whose console it shall be, and keep the answer in the URL; a new name opens a new creator's desk.
 *
 * @param {HTMLElement} into
 * @param {{creator_id: string, title: string, room_id: string}[]} rooms those that are open
 * @returns {Promise<string>}
 */
export function gate(into, rooms) {
  const creators = new Map(rooms.map((room) => [room.creator_id, room]));
  return new Promise((resolve) => {
    const take = (/** @type {string} */ creator) => {
      const url = new URL(location.href);
      url.searchParams.set("creator", creator);
      history.replaceState(null, "", url);
      resolve(creator);
    };
    const input = el("input", {
      class: "inp",
      id: "creator",
      autocomplete: "off",
      pattern: "[A-Za-z0-9_-]{1,64}",
      required: true,
    });
    show(
      into,
      el(
        "form",
        {
          class: "card gate",
          onsubmit: (/** @type {Event} */ event) => {
            event.preventDefault();
            take(input.value.trim());
          },
        },
        icon("packet"),
        el("h1", {}, say("who_title")),
        el("p", {}, creators.size ? say("who_why") : say("who_none")),
        ...[...creators].map(([creator, room]) =>
          el(
            "button",
            { type: "button", class: "btn l", onclick: () => take(creator) },
            el("bdi", { class: "name" }, creator),
            el("small", {}, el("bdi", {}, room.title || room.room_id)),
          ),
        ),
        el("label", { for: "creator" }, say("who_label")),
        input,
        el("button", { class: "btn p l" }, say("gate_enter")),
      ),
    );
    input.focus();
  });
}
