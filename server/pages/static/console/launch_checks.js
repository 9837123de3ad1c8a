// @ts-check
import { el, icon } from "../shared/dom.js";
import { dayAndTime, hourAndMinute, span } from "./times.js";
import { say } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * @param {Desk} desk
 * @param {any} found
 * @param {(symbol: string, text: string, more: string, rule: string) => HTMLElement} line
 */
function voidable(desk, found, line) {
  if (found.voidable_until_ms === null) return null;
  const possible = found.voidable_until_ms > desk.clock.now();
  const text = possible
    ? say("check_voidable", { time: dayAndTime(found.voidable_until_ms, desk.lang) })
    : say("check_final");
  return line(possible ? "ok" : "warn", text, "", desk.rule("void_lead_ms"));
}

/**
 * What holds of this launch, and what does not, limit by limit.
 *
 * @param {Desk} desk
 * @param {any} found the server's preview
 */
export function checks(desk, found) {
  const { lang } = desk;
  if (found.warmup_at_ms === null) return [];
  const { warmup_at_ms, grab_at_ms, claim_end_at_ms } = found;
  const now = desk.clock.now();
  const line = (
    /** @type {string} */ symbol,
    /** @type {string} */ text,
    /** @type {string} */ more,
    /** @type {string} */ rule,
  ) =>
    el(
      "li",
      {},
      icon(symbol),
      el(
        "span",
        {},
        text,
        " ",
        more ? el("small", {}, more, " ") : null,
        rule ? el("code", { class: "rule" }, rule) : null,
      ),
    );
  const slot = found.blackout;
  const rule = desk.rule("overlap_max");
  const together = found.overlap_max === null ? "" : say("check_overlap_max", { max: found.overlap_max });
  const refusedBy = found.refusal?.rule;
  return [
    line(
      "ok",
      say("check_opens", { span: span(Math.max(0, grab_at_ms - now), lang) }),
      dayAndTime(grab_at_ms, lang),
      "",
    ),
    slot
      ? line(
          refusedBy === desk.rule("blackouts") ? "no" : "warn",
          say("check_slot_in", { from: hourAndMinute(slot.from_ms), to: hourAndMinute(slot.to_ms) }),
          "",
          desk.rule("blackouts"),
        )
      : line("ok", say("check_slots"), "", desk.rule("blackouts")),
    ...(found.overlaps.length
      ? found.overlaps.map((/** @type {any} */ other) =>
          line(
            refusedBy && refusedBy === rule ? "no" : "warn",
            say("check_overlap", {
              name: other.name,
              span: span(
                Math.min(claim_end_at_ms, other.claim_end_at_ms) - Math.max(warmup_at_ms, other.warmup_at_ms),
                lang,
              ),
            }),
            together,
            rule,
          ),
        )
      : [line("ok", say("check_alone"), together, rule)]),
    voidable(desk, found, line),
    found.surface === "asset_widget" ? line("warn", say("check_widget"), "", desk.rule("popup_min_gap_ms")) : null,
    line("ok", say("check_ends", { time: dayAndTime(claim_end_at_ms, lang) }), "", ""),
  ];
}
