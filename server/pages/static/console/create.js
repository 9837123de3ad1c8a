// @ts-check
import { el } from "../shared/dom.js";
import { fenOf, grouped, yuan } from "../shared/money.js";
import { textOf } from "../shared/texts.js";
import { Form, cards, chosen, figureInput, plainly, refusalOf, textInput } from "./form.js";
import { histogram } from "./histogram.js";
import { notice, overlay } from "./overlay.js";
import { validityFields } from "./validity_fields.js";
import { wayFields } from "./way_fields.js";
import { say } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

const PAUSE_MS = 180; // between two keys, before the split is asked for

/**
 * The drawer over half of the screen in which a packet is filled in (DY-UI-2); what is copied stands in it already. An
 * activity of Kuaishou is created whole: its launch is part of it (KS-CRE-1).
 *
 * @param {Desk} desk
 * @param {any} [from] fields of the packet that is copied
 */
export function openCreate(desk, from = null) {
  const form = new Form();
  const longest = desk.limit("name_length_max").value;
  const name = textInput("", { required: true });
  const letters = el("span", { class: "num" });
  const kind = cards(
    "denomination",
    [
      { value: "random", label: say("random_amounts"), hint: say("random_why") },
      { value: "fixed", label: say("fixed_amount"), hint: say("fixed_why") },
    ],
    from?.denomination ?? "random",
    say("col_denomination"),
  );
  const written = (/** @type {number | null | undefined} */ fen, /** @type {string} */ otherwise) =>
    fen == null ? otherwise : yuan(fen).replaceAll(",", "");
  const bounds = el(
    "div",
    { class: "pair" },
    form.field("min_share_fen", {
      label: say("smallest"),
      input: figureInput(written(from?.min_share_fen, written(desk.limit("min_share_fen").value, "0.01"))),
      hint: limitHint(desk, "min_share_fen", "at_least_sum"),
    }),
    form.field("max_share_fen", {
      label: say("largest"),
      input: figureInput(written(from?.max_share_fen, "20.00")),
      hint: limitHint(desk, "max_share_fen", "at_most_sum"),
    }),
  );
  const preview = histogram();
  const validity = validityFields(desk, form, from);
  const way = desk.activities ? wayFields(desk, form) : null;
  const after = el("b", { class: "num" });
  const go = el(
    "button",
    { type: "button", class: "btn p l", onclick: () => void submit() },
    say(way ? "create_activity" : "create_and_fund"),
  );
  const goods = textInput((from?.product_ids ?? []).join(", "), { placeholder: say("all_goods") });
  let timer = 0;
  let asked = 0;

  /** @returns {any | null} the terms as typed, or null while something is missing */
  function terms() {
    const fixed = chosen(kind) === "fixed";
    const total = fenOf(form.text("total_fen"));
    const count = form.count("share_count");
    const [least, most] = [fenOf(form.text("min_share_fen")), fenOf(form.text("max_share_fen"))];
    if (total === null || !count || (!fixed && (least === null || most === null))) return null;
    return {
      denomination: fixed ? "fixed" : "random",
      share_count: count,
      total_fen: total,
      ...(fixed ? {} : { min_share_fen: least, max_share_fen: most }),
    };
  }

  function typed() {
    letters.textContent = `${[...name.value].length} / ${longest}`;
    bounds.hidden = chosen(kind) === "fixed";
    const total = fenOf(form.text("total_fen")) ?? 0;
    after.textContent = `¥${yuan(desk.funds.available_fen - total)}`;
    after.classList.toggle("bad", total > desk.funds.available_fen);
    clearTimeout(timer);
    timer = window.setTimeout(() => void split(), PAUSE_MS);
  }

  async function split() {
    const wanted = terms();
    const turn = ++asked;
    if (!wanted) return preview.wait();
    try {
      const found = await desk.api.post("api/packets/preview-split", {
        creator_id: desk.creator,
        ...platformOf(desk, from),
        ...wanted,
      });
      if (turn !== asked) return;
      if (found.allowed) preview.draw(found, wanted.total_fen);
      else preview.refuse(notSplit(found));
    } catch (error) {
      if (turn === asked) preview.refuse(refusalOf(error));
    }
  }

  async function submit() {
    const wanted = terms();
    if (!wanted) return form.mark("total_fen", fenOf(form.text("total_fen")) === null);
    const products = goods.value.split(/[\s,,]+/).filter(Boolean);
    go.disabled = true;
    try {
      const packet = await desk.api.post("api/packets", {
        creator_id: desk.creator,
        ...platformOf(desk, from),
        name: name.value.trim(),
        ...wanted,
        ...validity.asked(),
        ...(products.length ? { product_ids: products } : {}),
        ...(from?.allocator ? { allocator: from.allocator } : {}),
      });
      box.close();
      desk.changed();
      if (way) await way.launch(packet);
      notice(
        say(way ? "activity_created" : "created", {
          name: packet.name,
          sum: yuan(packet.total_fen),
          count: grouped(packet.share_count),
        }),
      );
      desk.changed();
    } catch (error) {
      form.refuse(error);
      form.error.scrollIntoView({ block: "nearest" });
    }
    go.disabled = false;
  }

  form.node.append(
    form.error,
    form.field("name", { label: say("col_name"), aside: letters, input: name }),
    kind,
    el(
      "div",
      { class: "g4" },
      form.field("total_fen", {
        label: say("total"),
        input: figureInput(written(from?.total_fen, "200.00")),
        hint: say("total_hint"),
      }),
      form.field("share_count", {
        label: say("share_count"),
        input: figureInput(String(from?.share_count ?? 100), { inputmode: "numeric" }),
        hint: limitHint(desk, "share_count_max", "at_most_count"),
      }),
      bounds,
    ),
    preview.node,
    validity.node,
    form.field("product_ids", { label: say("goods"), aside: say("optional"), input: goods, hint: say("goods_hint") }),
    way?.node ?? "",
    el("div", { class: "lb" }, say("viewers_read")),
    el("div", { class: "hist read" }, viewersRead(desk)),
  );
  form.node.addEventListener("input", typed);
  form.node.addEventListener("submit", () => void submit());
  typed();
  const box = overlay({
    title: say(from ? "copy_title" : way ? "new_activity" : "new_packet"),
    kind: "drawer",
    body: [form.node],
    foot: [
      el("p", {}, say("available"), ` ¥${yuan(desk.funds.available_fen)} → `, after),
      el("button", { type: "button", class: "btn l", onclick: () => box.close() }, say("cancel")),
      go,
    ],
  });
  name.focus();
}

/** Why terms cannot be split; of a sum that does not fit, what would. @param {any} found */
function notSplit({ refusal, total_min_fen, total_max_fen }) {
  const misfit = refusal.code === "infeasible_denomination";
  const message = misfit
    ? say("splits_not", { low: yuan(total_min_fen), high: yuan(total_max_fen) })
    : plainly(refusal.detail);
  return { message, rule: refusal.rule };
}

/** The platform's own packets name the platform they are for. @param {Desk} desk @param {any} from */
function platformOf(desk, from) {
  return desk.creator === "platform" ? { platform: from?.platform ?? desk.rulebook.platform } : {};
}

/**
 * A limit beside its field, with its rule; nothing if the platform has none.
 *
 * @param {Desk} desk
 * @param {string} field
 * @param {"at_least_sum" | "at_most_sum" | "at_most_count"} word
 */
function limitHint(desk, field, word) {
  const { value, rules } = desk.limit(field);
  if (value === null) return null;
  return el(
    "span",
    {},
    say(word, { limit: word === "at_most_count" ? grouped(value) : yuan(value) }),
    " ",
    el("code", { class: "rule" }, rules[0]),
  );
}

/** Where a share can be used, as the rulebook has it. @param {Desk} desk */
function viewersRead(desk) {
  const entrances = /** @type {string[]} */ (desk.limit("use_entrances").value ?? []);
  const words = entrances.map((entrance) => textOf("entrance", entrance).toLowerCase());
  const where = say("read_where", { places: words.join(desk.lang === "zh" ? "、" : ", ") });
  const cart = desk.limit("cart_merge_allowed").value ? "" : say("read_cart");
  return `${where}${cart}${say("read_goods")}`;
}
