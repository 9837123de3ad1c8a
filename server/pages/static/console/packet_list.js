// @ts-check
import { el } from "../shared/dom.js";
import { grouped, yuan } from "../shared/money.js";
import { textOf } from "../shared/texts.js";
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

const PHASES = ["draft", "scheduled", "warming", "grabbing", "settled", "voided"];
const ACTIVITIES = ["pending", "active", "ended"];
const EMPTY_PAGES_MAX = 20; // a page of one state may be empty before the last

/**
 * The list of a creator's packets with every column of DY-CRE-4, or of its activities (KS-UI-2), newest first.
 *
 * @param {Desk} desk
 * @param {(Node | null)[]} [tools] what stands beside the button of a new one
 * @returns {{node: HTMLElement, refresh: () => Promise<void>}}
 */
export function packetList(desk, tools = []) {
  const { activities } = desk;
  const by = activities ? "activity" : "phase";
  let chosen = "all";
  /** @type {(string | null)[]} */
  let starts = [null]; // where each page begins: the list is read on from a packet
  const table = new Table({
    name: say(activities ? "favor" : "packets"),
    columns: columns(desk),
    key: (/** @type {Packet} */ packet) => packet.packet_id,
    empty: say(activities ? "no_activities" : "no_packets"),
    turn: () => void refresh(),
  });
  const filters = ["all", ...(activities ? ACTIVITIES : PHASES)].map((filter) =>
    el(
      "button",
      { type: "button", "data-filter": filter, onclick: () => choose(filter) },
      filter === "all" ? say("all") : textOf(by, filter),
    ),
  );
  const create = el(
    "button",
    { type: "button", class: "btn p", onclick: () => openCreate(desk) },
    `+ ${say(activities ? "new_activity" : "new_packet")}`,
  );
  const bar = el(
    "div",
    { class: "tool" },
    el("div", { class: "seg", role: "group", "aria-label": say("filter") }, ...filters),
    el("span", { class: "sp" }),
    ...tools,
    create,
  );

  /** @param {string} filter */
  function choose(filter) {
    chosen = filter;
    starts = [null];
    table.page = 0;
    mark();
    void refresh();
  }

  function mark() {
    for (const button of filters) button.setAttribute("aria-pressed", String(button.dataset.filter === chosen));
  }

  async function refresh() {
    const [filter, page] = [chosen, table.page];
    /** @type {Packet[]} */
    const found = [];
    let [after, total] = [starts[page] ?? null, 0];
    for (let tries = 0; tries < EMPTY_PAGES_MAX && found.length < table.size; tries++) {
      const answer = await desk.api.get(desk.of("packets"), {
        ...(filter === "all" ? {} : { [by]: filter }),
        after,
        limit: table.size - found.length,
      });
      found.push(...answer.packets);
      [after, total] = [answer.next, answer.total];
      if (after === null) break;
    }
    if (filter !== chosen || page !== table.page) return;
    starts[page + 1] = after;
    table.update(found, filter === "all" ? total : null, after !== null);
  }

  mark();
  return { node: el("section", { class: "card" }, bar, table.node), refresh };
}

/**
 * @param {Desk} desk
 * @returns {import("./table.js").Column<Packet>[]}
 */
function columns(desk) {
  const { lang } = desk;
  const two = (/** @type {string[]} */ lines) => [lines[0], el("small", {}, lines[1])];
  return [
    {
      label: say("col_name"),
      kind: "nm",
      cell: (packet) => [
        el(
          "button",
          {
            type: "button",
            class: "name",
            "data-focus": `${packet.packet_id}-name`,
            title: say("see_effects"),
            onclick: () => openEffects(desk, packet),
          },
          el("bdi", {}, packet.name),
        ),
        el("small", { class: "num" }, packet.packet_id),
      ],
    },
    { label: say("col_denomination"), cell: (packet) => two(denomination(packet)) },
    {
      label: say("col_total"),
      cell: (packet) => [
        el("span", { class: "num" }, `¥${yuan(packet.total_fen)}`),
        el("small", {}, say("shares", { count: grouped(packet.share_count) })),
      ],
    },
    { label: say("col_launch"), cell: (packet) => two(launch(packet, lang)) },
    { label: say("col_validity"), kind: "va", cell: (packet) => two(validity(packet, lang)) },
    {
      label: say("col_commission"),
      cell: (packet) => [
        el(
          "span",
          { class: "num" },
          packet.estimated_commission_fen ? `¥${yuan(packet.estimated_commission_fen)}` : "—",
        ),
      ],
    },
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
  const bar = el(
    "div",
    {
      class: "pb",
      role: "progressbar",
      "aria-valuenow": percent,
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      "aria-label": claimed(packet),
    },
    el("i", {}),
  );
  bar.style.setProperty("--part", `${percent}%`);
  const back = packet.returned_fen ? el("small", {}, say("returned_sum", { sum: yuan(packet.returned_fen) })) : null;
  return [chip, bar, el("small", {}, claimed(packet)), back];
}
