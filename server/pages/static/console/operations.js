// @ts-check
import { el } from "../shared/dom.js";
import { Refusal } from "../shared/api.js";
import { textOf, whyOf } from "../shared/texts.js";
import { plainly, refusalOf } from "./form.js";
import { openCreate } from "./create.js";
import { openIssuance } from "./issuance.js";
import { openLaunch } from "./launch.js";
import { confirmed, notice, refused, overlay } from "./overlay.js";
import { timeOfDay } from "./times.js";
import { say } from "./words.js";

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {import("./packet_words.js").Packet} Packet
 * @typedef {{operation: string, allowed: boolean, code: string, detail: string, rule: string, until_ms: number | null}} Operation as the API shows it
 */

/**
 * The operations on a packet, as the last column has them (DY-UI-3, KS-UI-2): one that cannot be done now says why and
 * by which rule, and one that soon cannot counts down.
 *
 * @param {Desk} desk
 * @param {Packet} packet
 * @returns {HTMLElement[]}
 */
export function operationsCell(desk, packet) {
  const operations = operationsOf(desk, packet);
  const closed = operations.filter((each) => !each.allowed);
  const reasons = [...new Set(closed.map(reasonOf))];
  const buttons = operations.map((each) => button(desk, packet, each, reasons));
  const deadline = operations.find((each) => each.allowed && each.until_ms !== null);
  return [
    el("div", { class: "ops" }, ...buttons),
    deadline ? untilLine(deadline) : el("div", { class: "rs" }),
    ...reasons.map((why) => {
      const rules = new Set(closed.filter((each) => reasonOf(each) === why && each.rule).map((each) => each.rule));
      const id = reasonId(packet, why, reasons);
      return el(
        "div",
        { class: "rs", id },
        why,
        ...[...rules].flatMap((rule) => [" ", el("code", { class: "rule" }, rule)]),
      );
    }),
  ].filter((node) => node.textContent !== "");
}

/** @param {Operation} deadline */
function untilLine(deadline) {
  const word = textOf("operation", deadline.operation);
  return el(
    "div",
    { class: "rs" },
    say("possible_until", { operation: word, time: timeOfDay(deadline.until_ms ?? 0) }),
    " · ",
    el("b", { class: "num", role: "timer", "data-until": deadline.until_ms }),
    " ",
    deadline.rule ? el("code", { class: "rule" }, deadline.rule) : null,
  );
}

/** @param {Operation} operation */
function reasonOf(operation) {
  return plainly(whyOf(operation));
}

/**
 * @param {Packet} packet
 * @param {string} why
 * @param {string[]} reasons
 */
function reasonId(packet, why, reasons) {
  return `why-${packet.packet_id}-${reasons.indexOf(why)}`;
}

/**
 * The operations that the platform's list names, whether possible or not; launch and copy where they are possible. What
 * it does not name beside them is not offered: an activity is ended, not voided.
 *
 * @param {Desk} desk
 * @param {Packet} packet
 * @returns {Operation[]}
 */
function operationsOf(desk, packet) {
  const named = desk.rulebook.packet_list.operations;
  return packet.operation_states.filter(
    (/** @type {Operation} */ each) =>
      named.includes(each.operation) || (each.allowed && ["launch", "copy"].includes(each.operation)),
  );
}

/**
 * @param {Desk} desk
 * @param {Packet} packet
 * @param {Operation} operation
 * @param {string[]} reasons why some operations are not possible
 */
function button(desk, packet, operation, reasons) {
  const name = textOf("operation", operation.operation);
  return el(
    "button",
    {
      type: "button",
      "data-focus": `${packet.packet_id}-${operation.operation}`,
      "data-op": operation.operation,
      "aria-disabled": operation.allowed ? null : "true",
      "aria-describedby": operation.allowed ? null : reasonId(packet, reasonOf(operation), reasons),
      title: operation.allowed ? null : `${reasonOf(operation)} ${operation.rule}`.trim(),
      onclick: () => operation.allowed && void act(desk, packet, operation),
    },
    name,
  );
}

/**
 * @param {Desk} desk
 * @param {Packet} packet
 * @param {Operation} operation
 */
async function act(desk, packet, operation) {
  try {
    if (operation.operation === "launch") openLaunch(desk, packet);
    else if (operation.operation === "edit") openIssuance(desk, packet);
    else if (operation.operation === "copy")
      openCreate(desk, await desk.api.post(desk.packet(packet.packet_id, "copy")));
    else await callOff(desk, packet, operation.operation);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const body = el("div", {});
    refused(body, refusalOf(error));
    overlay({ title: packet.name, body: [body] });
  }
}

/**
 * @param {Desk} desk
 * @param {Packet} packet
 * @param {string} operation
 */
async function callOff(desk, packet, operation) {
  const ends = operation === "end";
  const yes = await confirmed({
    title: say(ends ? "end_title" : "void_title", { name: packet.name }),
    text: say(ends ? "end_text" : "void_text"),
    go: say(ends ? "end_go" : "void_go"),
    rule: desk.rule(ends ? "endable" : "void_lead_ms"),
  });
  if (!yes) return;
  await desk.api.post(desk.packet(packet.packet_id, operation), ends ? {} : { by: "creator" });
  notice(say(ends ? "end_done" : "void_done", { name: packet.name }));
  desk.changed();
}
