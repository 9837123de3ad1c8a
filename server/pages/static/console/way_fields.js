// @ts-check
import { el, show } from "../shared/dom.js";
import { Refusal } from "../shared/api.js";
import { Form, cards, choice, chosen, refusalOf } from "./form.js";
import { timesOf } from "./launch_fields.js";
import { overlay, refused } from "./overlay.js";
import { say } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * The way and the time of launch of a new activity (KS-CRE-1, KS-LAU-1): now or at a set time, or later by hand.
 *
 * @param {Desk} desk
 * @param {Form} form
 */
export function wayFields(desk, form) {
  const room = choice(desk.rooms.map((each) => [each.room_id, each.title || each.room_id]));
  const none = desk.rooms.length === 0;
  const ways = cards(
    "way",
    [
      { value: "scheduled", label: say("at_set_time"), hint: say("at_set_time_why") },
      { value: "later", label: say("by_hand"), hint: say("later_why") },
    ],
    none ? "later" : "scheduled",
    say("col_launch"),
  );
  const times = timesOf(desk, form, "scheduled");
  const fields = el("div", { class: "g2" }, form.field("room_id", { label: say("room"), input: room }), ...times.nodes);
  const turn = () => {
    fields.hidden = chosen(ways) === "later";
  };
  ways.addEventListener("change", turn);
  turn();

  /**
   * Launch what was created; if that is refused, the activity is there and waits in the list.
   *
   * @param {any} packet
   */
  async function launch(packet) {
    const asked = times.asked();
    if (chosen(ways) === "later" || !asked) return;
    try {
      await desk.api.post(desk.packet(packet.packet_id, "launch"), { room_id: room.value, ...asked });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const why = el("div", {});
      refused(why, refusalOf(error));
      overlay({ title: packet.name, body: [why, el("p", {}, say("created_not_launched"))] });
    }
  }

  const node = el("div", {}, el("div", { class: "lb" }, say("col_launch")), ways, fields);
  if (none) show(fields, el("p", { class: "hint" }, say("no_room")));
  return { node, launch };
}
