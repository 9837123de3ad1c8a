// @ts-check
import { el } from "../shared/dom.js";
import { grouped, yuan } from "../shared/money.js";
import { Form, figureInput } from "./form.js";
import { notice, overlay } from "./overlay.js";
import { say } from "./words.js";

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {import("./packet_words.js").Packet} Packet
 */

/**
 * The dialog that changes the issuance, the only thing of a packet that can be changed (KS-EDT-1).
 *
 * @param {Desk} desk
 * @param {Packet} packet
 */
export function openIssuance(desk, packet) {
  const form = new Form();
  const count = figureInput(String(packet.share_count), { inputmode: "numeric" });
  form.node.append(
    form.error,
    el("p", {}, say("issuance_why"), " ", el("code", { class: "rule" }, desk.rule("issuance_editable"))),
    el(
      "dl",
      { class: "facts" },
      el("dt", {}, say("now")),
      el(
        "dd",
        { class: "num" },
        `${say("shares", { count: grouped(packet.share_count) })} · ¥${yuan(packet.total_fen)}`,
      ),
      el("dt", {}, say("claimed")),
      el("dd", { class: "num" }, grouped(packet.given)),
      el("dt", {}, say("available")),
      el("dd", { class: "num" }, `¥${yuan(desk.funds.available_fen)}`),
    ),
    form.field("share_count", {
      label: say("issuance_new"),
      input: count,
      hint: say("issuance_hint", { count: grouped(packet.given) }),
    }),
  );

  async function submit() {
    const wanted = form.count("share_count");
    if (!wanted) return;
    try {
      const edited = await desk.api.post(desk.packet(packet.packet_id, "issuance"), { share_count: wanted });
      box.close();
      notice(say("issuance_done", { count: grouped(edited.share_count), sum: yuan(edited.total_fen) }));
      desk.changed();
    } catch (error) {
      form.refuse(error);
    }
  }

  form.node.addEventListener("submit", () => void submit());
  const box = overlay({
    kind: "dialog small",
    title: say("issuance_title", { name: packet.name }),
    body: [form.node],
    foot: [
      el("button", { type: "button", class: "btn l", onclick: () => box.close() }, say("cancel")),
      el("button", { type: "button", class: "btn p l", onclick: () => void submit() }, say("edit_issuance")),
    ],
  });
  count.focus();
  count.select();
}
