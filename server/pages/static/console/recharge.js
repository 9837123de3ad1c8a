// @ts-check
import { el, show } from "../shared/dom.js";
import { yuan } from "../shared/money.js";
import { Form, choice, figureInput } from "./form.js";
import { notice, overlay } from "./overlay.js";
import { say } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * The form of a recharge: amount and channel with its fee (KS-ACC-2, KS-ACC-4). The first recharge chooses the platform.
 *
 * @param {Desk} desk
 * @param {(recharged: any) => void} done
 */
export function rechargeForm(desk, done) {
  const form = new Form();
  const first = desk.funds.platform === null;
  const platform = choice(
    [
      ["douyin", say("platform_douyin")],
      ["kuaishou", say("platform_kuaishou")],
      ["lab", say("platform_lab")],
    ],
    "douyin",
  );
  const channelField = el("div", {});
  let rulebook = desk.rulebook;

  async function channels() {
    if (first) rulebook = await desk.api.get(`api/rulebooks/${platform.value}`);
    const limit = rulebook.limits.find((/** @type {any} */ each) => each.field === "channels");
    const offered = /** @type {string[] | null} */ (limit?.value ?? null);
    form.inputs.delete("channel");
    show(
      channelField,
      offered && offered.length > 1
        ? form.field("channel", {
            label: say("channel"),
            input: choice(offered.map((each) => channelOption(each))),
            hint: el("span", {}, say("fee_hint"), " ", el("code", { class: "rule" }, limit.rules[0])),
          })
        : null,
    );
  }

  async function submit() {
    const fen = form.fen("amount_fen");
    if (fen === null) return;
    try {
      const recharged = await desk.api.post(desk.of("recharge"), {
        amount_fen: fen,
        ...(form.inputs.has("channel") ? { channel: form.text("channel") } : {}),
        ...(first ? { platform: platform.value } : {}),
      });
      notice(
        say("recharged_done", {
          paid: yuan(recharged.paid_fen),
          credited: yuan(recharged.credited_fen),
          fee: yuan(recharged.fee_fen),
        }),
      );
      done(recharged);
    } catch (error) {
      form.refuse(error);
    }
  }

  if (first) platform.addEventListener("change", () => void channels());
  form.node.append(
    form.error,
    first ? form.field("platform", { label: say("platform"), input: platform, hint: say("platform_hint") }) : "",
    form.field("amount_fen", { label: say("amount"), input: figureInput("", { placeholder: "1000.00" }) }),
    channelField,
  );
  form.node.addEventListener("submit", () => void submit());
  void channels();
  const go = el("button", { type: "button", class: "btn p l", onclick: () => void submit() }, say("recharge"));
  return { node: form.node, go };
}

/** @param {Desk} desk */
export function openRecharge(desk) {
  const { node, go } = rechargeForm(desk, () => {
    box.close();
    // The first recharge settles the platform, and with it the whole menu.
    if (desk.funds.platform === null) location.reload();
    else desk.changed();
  });
  const box = overlay({
    kind: "dialog small",
    title: say("recharge"),
    body: [node],
    foot: [el("button", { type: "button", class: "btn l", onclick: () => box.close() }, say("cancel")), go],
  });
}

/**
 * A channel of the rulebook, "wechat: 100/10,000", with its fee in percent.
 *
 * @param {string} written
 * @returns {[string, string]}
 */
function channelOption(written) {
  const [name, rate] = written.split(": ");
  const word = channelWord(name);
  return [
    name,
    rate
      ? say("channel_fee", { channel: word, percent: parseInt(rate, 10) / 100 })
      : say("channel_free", { channel: word }),
  ];
}

/** @param {string} name */
export function channelWord(name) {
  const words = {
    bank: say("channel_bank"),
    transfer: say("channel_transfer"),
    wechat: say("channel_wechat"),
    alipay: say("channel_alipay"),
  };
  return words[/** @type {keyof typeof words} */ (name)] ?? name;
}
