// @ts-check
import { el, show } from "../shared/dom.js";
import { grouped, yuan } from "../shared/money.js";
import { openCreate } from "./create.js";
import { openEffects } from "./effects.js";
import { operationsCell } from "./operations.js";
import { claimed, claimedPercent, denomination, launch, status, validity } from "./packet_words.js";
import { Table } from "./table.js";
import { say } from "./words.js";

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {import("./packet_words.js").Packet} Packet
 */

const PHASES = {
  draft: ["draft"],
  scheduled: ["scheduled", "warming"],
  grabbing: ["grabbing"],
  ended: ["claim_closed", "settled"],
  voided: ["voided"],
};
const ACTIVITY_PHASES = {
  pending: ["draft", "scheduled"],
  active: ["warming", "grabbing"],
  ended: ["claim_closed", "settled", "voided"],
};

/**
 * The list of a creator's packets with every column of DY-CRE-4, or of its activities (KS-UI-2), newest first.
 *
 * @param {Desk} desk
 * @param {{tools?: (Node | null)[], first?: string}} [given]
 * @returns {{node: HTMLElement, refresh: () => Promise<void>}}
 */
export function packetList(desk, { tools = [], first = "all" } = {}) {
  const activities = desk.activities;
  /** @type {Record<string, string[]>} */
  const phases = activities ? ACTIVITY_PHASES : PHASES;
  let chosen = first;
  const table = new Table({
    name: say(activities ? "favor" : "packets"),
    columns: columns(desk),
    key: (/** @type {Packet} */ packet) => packet.packet_id,
    empty: say(activities ? "no_activities" : "no_packets"),
    turn: () => void refresh(),
  });
  const filters = el("div", { class: "seg", role: "group", "aria-label": say("filter") });
  const create = el("button", { type: "button", class: "btn p", onclick: () => openCreate(desk) }, `+ ${say(activities ? "new_activity" : "new_packet")}`);
  const node = el("section", { class: "card" }, el("div", { class: "tool" }, filters, el("span", { class: "sp" }), ...tools, create), table.node);

  async function refresh() {
    /** @type {Packet[]} */
    const packets = (await desk.api.get("api/packets", { creator_id: desk.creator })).reverse();
    const within = (/** @type {string} */ filter) => packets.filter((packet) => filter === "all" || phases[filter].includes(packet.phase));
    const focus = document.activeElement?.getAttribute("data-filter");
    show(filters, ...["all", ...Object.keys(phases)].map((filter) => el("button", {
      type: "button",
      "data-filter": filter,
      "aria-pressed": String(filter === chosen),
      onclick: () => {
        chosen = filter;
        table.page = 0;
        void refresh();
      },
    }, `${filterWord(filter)} ${within(filter).length}`)));
    if (focus) /** @type {HTMLElement | null} */ (filters.querySelector(`[data-filter="${focus}"]`))?.focus();
    const found = within(chosen);
    if (table.skip >= found.length) table.page = Math.max(0, Math.ceil(found.length / table.size) - 1);
    table.update(found.slice(table.skip, table.skip + table.size), found.length);
  }

  return { node, refresh };
}

/** @param {string} filter */
function filterWord(filter) {
  return say(/** @type {any} */ ({ all: "all", draft: "phase_draft", scheduled: "phase_scheduled", grabbing: "phase_grabbing",
    ended: "ended", voided: "phase_voided", pending: "pending", active: "active" }[filter]));
}

/**
 * @param {Desk} desk
 * @returns {import("./table.js").Column<Packet>[]}
 */
function columns(desk) {
  const { lang } = desk;
  const two = (/** @type {string[]} */ lines) => [lines[0], el("small", {}, lines[1])];
  return [
    { label: say("col_name"), kind: "nm", cell: (packet) => [
      el("button", { type: "button", class: "name", "data-focus": `${packet.packet_id}-name`, title: say("see_effects"), onclick: () => openEffects(desk, packet) }, el("bdi", {}, packet.name)),
      el("small", { class: "num" }, packet.packet_id)] },
    { label: say("col_denomination"), cell: (packet) => two(denomination(packet)) },
    { label: say("col_total"), cell: (packet) => [el("span", { class: "num" }, `¥${yuan(packet.total_fen)}`), el("small", {}, say("shares", { count: grouped(packet.share_count) }))] },
    { label: say("col_launch"), cell: (packet) => two(launch(packet, lang)) },
    { label: say("col_validity"), cell: (packet) => two(validity(packet, lang)) },
    { label: say("col_commission"), cell: (packet) => [el("span", { class: "num" }, packet.estimated_commission_fen ? `¥${yuan(packet.estimated_commission_fen)}` : "—")] },
    { label: say("col_status"), cell: (packet) => statusCell(packet, desk.activities) },
    { label: say("col_operations"), kind: "op", cell: (packet) => operationsCell(desk, packet) },
  ];
}

/**
 * @param {Packet} packet
 * @param {boolean} activity
 */
function statusCell(packet, activity) {
  const { word, kind } = status(packet, activity);
  const chip = el("span", { class: `chip k-${kind}` }, word);
  if (packet.grab_at_ms === null || kind === "scheduled" || kind === "voided") {
    const back = packet.returned_fen ? el("small", {}, say("returned_sum", { sum: yuan(packet.returned_fen) })) : null;
    return [chip, back];
  }
  const percent = claimedPercent(packet);
  const bar = el("div", { class: "pb", role: "progressbar", "aria-valuenow": percent, "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": claimed(packet) }, el("i", {}));
  bar.style.setProperty("--part", `${percent}%`);
  const back = packet.returned_fen ? el("small", {}, say("returned_sum", { sum: yuan(packet.returned_fen) })) : null;
  return [chip, bar, el("small", {}, claimed(packet)), back];
}
