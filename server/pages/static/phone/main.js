// @ts-check
import { el, the } from "../shared/dom.js";
import { RoomSocket } from "../shared/room_socket.js";
import { speaker } from "../shared/words.js";
import { drift } from "./canvas.js";
import { explain, openAbout } from "./desk.js";
import { Feel } from "./feel.js";
import { openCheckout } from "./checkout_sheet.js";
import { productOf, SAMPLE, titleOf } from "./goods.js";
import { Grabs } from "./grab.js";
import { inboxOf, openInbox } from "./inbox_sheet.js";
import { LayerView } from "./layer_view.js";
import { LineView } from "./line_view.js";
import { offersOn } from "./offers.js";
import { openOrders } from "./orders_sheet.js";
import { openPackets } from "./packets_sheet.js";
import { RoomView } from "./room_view.js";
import { sceneAt, widgetAt } from "./scene.js";
import { creatorOf, sharesOf } from "./shares.js";
import { Sheets } from "./sheets.js";
import { after, before, platformOf } from "./state.js";
import { labelOf, openTrail, textOf } from "./trail_sheet.js";
import { Viewer } from "./viewer.js";
import { openWinners } from "./winners_sheet.js";
import { WidgetView } from "./widget_view.js";
import { WORDS } from "./words.js";

const TOAST_MS = 3_200;
const LOBBY_FULL = 24; // it lists no more rooms

const say = speaker(WORDS);
const roomId = decodeURIComponent(location.pathname.split("/").pop() ?? "");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const viewer = new Viewer();
let state = before(roomId);
let absent = false;
/** @type {Set<[string, (message: any) => void]>} */
const listeners = new Set();
let goods = /** @type {import("./goods.js").Goods} */ (SAMPLE);

const socket = new RoomSocket(roomId, {
  enter,
  message: heard,
  line: (line) => tell({ type: "line", line }),
});
const grabs = new Grabs({ send: (message) => socket.send(message), tell, state: () => state, roomMs: () => socket.clock.now() });
const sheets = new Sheets(the("#sheet"), say, () => void recount());

/** @type {import("./page.js").Page} */
const page = {
  say, tell, grabs, sheets, viewer, calm, go, toast, listen,
  platform: () => platformOf(state),
  titleOf: (productId) => (productId === goods.product_id ? titleOf(goods) : productId),
  offers: () => offersOn(platformOf(state)),
  state: () => state,
  send: (message) => socket.send(message),
  clock: socket.clock,
  feel: new Feel(calm),
};

explain(the("#aside"), say);
const room = new RoomView(the("#room"), page);
const widget = new WidgetView(the("#room"), page);
const layer = new LayerView(the("#layer"), page);
const line = new LineView(the("#notices"), say, () => socket.retryNow());
const call = el("button", { class: "call", hidden: true, onclick: () => sheets.clear() }, say("come_back"));
the("#notices").append(call);
room.product(goods);
drift(/** @type {HTMLCanvasElement} */ (document.querySelector("#bokeh")), calm, () => layer.lit || sheets.any);
socket.retryNow();
tick();

/** @param {any} event */
function tell(event) {
  state = after(state, event);
  draw();
}

/** @param {any} message */
function heard(message) {
  if (grabs.forgive(message)) return;
  const early = state.toast?.number ?? 0;
  tell(message);
  grabs.heard(message);
  if (state.toast && state.toast.number !== early) explainToast(state.toast);
  for (const [type, hear] of [...listeners]) if (type === message.type) hear(message);
  if (message.type === "welcome") void entered();
  if (message.type === "receipt" && message.status === "granted") void countShares();
  if (message.type === "closed") missed(message.packet_id);
  if (message.type === "trail") {
    void countUnread();
    if (!sheets.any) toast(labelOf(page, message), textOf(page, message));
  }
}

/**
 * Say so when the time is over before the viewer has taken anything.
 *
 * @param {string} packetId
 */
function missed(packetId) {
  const packet = state.packets[packetId];
  if (packet?.witnessed && !packet.mine && !packet.sold_out && !packet.dismissed) toast(say("too_late"), say("too_late_more"));
}

/** Come in; a room that is not in the lobby is not tried, as its refusal would say nothing. */
async function enter() {
  const open = await viewer.lobby();
  const listed = open.find((each) => each.room_id === roomId);
  if (listed) tell({ type: "listed", room: listed });
  const complete = open.length < LOBBY_FULL && (open.length > 0 || viewer.named);
  absent = !listed && complete;
  if (absent || (!open.length && !viewer.may)) throw new Error("no such room");
  return viewer.enter(roomId);
}

/** Ask for what the room does not say by itself. */
async function entered() {
  void countUnread();
  const creatorId = creatorOf(state);
  if (!creatorId) return;
  goods = await productOf(viewer.api, creatorId);
  room.product(goods);
  await countShares();
}

/** What was done in a sheet may have changed both. */
async function recount() {
  await Promise.all([countShares(), countUnread()]);
}

async function countShares() {
  const shares = await sharesOf(page).catch(() => null);
  if (shares) tell({ type: "held", shares });
}

function draw() {
  const [roomMs, localMs] = [socket.clock.now(), performance.now()];
  const known = socket.clock.known;
  room.update(state);
  widget.update(known ? widgetAt(state, roomMs) : null, announce);
  const scene = known ? sceneAt(state, roomMs, localMs) : /** @type {import("./scene.js").Scene} */ ({ kind: "room", packet: null });
  layer.update(scene, sheets.any);
  call.hidden = !sheets.any || !["count", "rain", "popup"].includes(scene.kind);
  line.update(state.line, state.viewerId !== "", absent);
}

/** Draw at each whole second of the countdown, and often enough for everything else. */
function tick() {
  draw();
  const next = widgetAt(state, socket.clock.now());
  const leftMs = next ? socket.clock.realMsUntil(next.packet.grab_at_ms) : 0;
  const toSecondMs = leftMs > 0 ? leftMs % 1000 : 1000;
  setTimeout(tick, Math.max(4, Math.min(80, toSecondMs + 1)));
}

/**
 * @param {string} text
 */
function announce(text) {
  the("#announcer").textContent = text;
}

/** @param {NonNullable<import("./state.js").RoomState["toast"]>} told */
function explainToast({ code, packetId }) {
  const packet = state.packets[packetId];
  if (code !== "too_early" || !packet) return toast(say("rate_limited"), say("not_counted"));
  const seconds = Math.max(1, Math.ceil(socket.clock.realMsUntil(packet.grab_at_ms) / 1000));
  toast(say("too_early"), say("too_early_more", { seconds }));
}

/**
 * @param {string} text
 * @param {string} [more]
 */
function toast(text, more) {
  const note = el("div", { class: "toast", role: "status" }, el("b", {}, text), more ? el("span", {}, more) : null);
  the("#notices").querySelector(".toast")?.remove();
  the("#notices").append(note);
  setTimeout(() => note.remove(), TOAST_MS);
}

/**
 * Open one of the sheets.
 *
 * @param {string} name
 * @param {any} [given]
 */
function go(name, given) {
  if (name === "winners") openWinners(page, given);
  else if (name === "packets") openPackets(page);
  else if (name === "checkout") openCheckout(page, given ?? goods);
  else if (name === "orders") openOrders(page);
  else if (name === "trail") openTrail(page, given);
  else if (name === "about") openAbout(page);
  else openInbox(page, (unread) => room.unread(unread));
}

async function countUnread() {
  const inbox = await inboxOf(page, 1).catch(() => null);
  if (inbox) room.unread(inbox.unread);
}

/**
 * Hear each message of a type; return how to stop.
 *
 * @param {string} type
 * @param {(message: any) => void} hear
 */
function listen(type, hear) {
  const entry = /** @type {[string, (message: any) => void]} */ ([type, hear]);
  listeners.add(entry);
  return () => void listeners.delete(entry);
}
