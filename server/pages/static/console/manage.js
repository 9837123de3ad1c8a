// @ts-check
import { el, show } from "../shared/dom.js";
import { fundsCard } from "./funds.js";
import { invoiceList } from "./invoices.js";
import { journal } from "./journal.js";
import { packetList } from "./packet_list.js";
import { withdrawalList } from "./withdrawals.js";
import { say } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * The page that manages red packets (DY-UI-1, DY-UI-3): the available funds with what they are made of, recharge and
 * withdrawal, all packets, and what moved the funds.
 *
 * @param {Desk} desk
 */
export function manage(desk) {
  const funds = fundsCard(desk, open);
  const tabs = el("div", { class: "tabs", role: "tablist", "aria-label": say("manage") });
  const panel = el("div", { role: "tabpanel", id: "manage-panel", tabindex: -1 });
  const made = {
    packets: (/** @type {Desk} */ each) => packetList(each),
    journal,
    withdrawals: withdrawalList,
    invoices: invoiceList,
  };
  let view = packetList(desk);

  /** @param {string} tab */
  function open(tab) {
    view = made[/** @type {keyof typeof made} */ (tab)](desk);
    show(
      tabs,
      ...Object.keys(made).map((name) =>
        el(
          "button",
          {
            type: "button",
            role: "tab",
            id: `tab-${name}`,
            "aria-controls": "manage-panel",
            "aria-selected": String(name === tab),
            tabindex: name === tab ? 0 : -1,
            onclick: () => open(name),
            onkeydown: /** @type {EventListener} */ ((/** @type {KeyboardEvent} */ event) => beside(event, name)),
          },
          say(/** @type {any} */ (`tab_${name}`)),
        ),
      ),
    );
    panel.setAttribute("aria-labelledby", `tab-${tab}`);
    show(panel, view.node);
    void view.refresh();
  }

  /** @param {KeyboardEvent} event @param {string} name */
  function beside(event, name) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const names = Object.keys(made);
    const next = names[(names.indexOf(name) + step + names.length) % names.length];
    open(next);
    /** @type {HTMLElement | null} */ (tabs.querySelector(`#tab-${next}`))?.focus();
  }

  open("packets");
  return {
    node: el("div", {}, funds.node, tabs, panel),
    refresh: async () => {
      funds.refresh();
      await view.refresh();
    },
  };
}
