// @ts-check
import { el } from "../shared/dom.js";
import { Form, textInput } from "./form.js";
import { notice, overlay } from "./overlay.js";
import { say } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * Open a room of the creator: without one nothing can be launched.
 *
 * @param {Desk} desk
 * @param {() => void} [then]
 */
export function openRoom(desk, then = () => {}) {
  const form = new Form();
  form.node.append(
    form.error,
    el("p", {}, say("room_why")),
    form.field("room_id", {
      label: say("room_id"),
      input: textInput(`${desk.creator}-live`),
      hint: say("room_id_hint"),
    }),
    form.field("title", { label: say("room_title"), aside: say("optional"), input: textInput() }),
  );

  async function submit() {
    try {
      await desk.api.post("api/rooms", {
        room_id: form.text("room_id"),
        creator_id: desk.creator,
        title: form.text("title"),
      });
      await desk.refresh();
      box.close();
      notice(say("room_done"));
      desk.changed();
      then();
    } catch (error) {
      form.refuse(error);
    }
  }

  form.node.addEventListener("submit", () => void submit());
  const box = overlay({
    kind: "dialog small",
    title: say("new_room"),
    body: [form.node],
    foot: [
      el("button", { type: "button", class: "btn l", onclick: () => box.close() }, say("cancel")),
      el("button", { type: "button", class: "btn p l", onclick: () => void submit() }, say("new_room")),
    ],
  });
}
