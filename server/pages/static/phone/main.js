// @ts-check
import { el, the } from "../shared/dom.js";
import { RoomSocket } from "../shared/room_socket.js";
import { speaker } from "../shared/words.js";
import { drift } from "./canvas.js";
import { explain } from "./desk.js";
import { Feel } from "./feel.js";
import { productOf, SAMPLE } from "./goods.js";
import { Grabs } from "./grab.js";
import { LayerView } from "./layer_view.js";
import { LineView } from "./line_view.js";
import { RoomView } from "./room_view.js";
import { sceneAt, widgetAt } from "./scene.js";
import { Sheets } from "./sheets.js";
import { after, before } from "./state.js";
import { Viewer } from "./viewer.js";
import { WidgetView } from "./widget_view.js";
import { WORDS } from "./words.js";

const TOAST_MS = 3_200;

const say = speaker(WORDS);
const roomId = decodeURIComponent(location.pathname.split("/").pop() ?? "");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const viewer = new Viewer();
let state = before(roomId);
let goods = /** @type {import("./goods.js").Goods} */ (SAMPLE);

const socket = new RoomSocket(roomId, {
  enter: () => viewer.enter(roomId),
  message: heard,
  line: (line) => tell({ type: "line", line }),
});
const grabs = new Grabs({ send: (message) => socket.send(message), tell, state: () => state, roomMs: () => socket.clock.now() });
const sheets = new Sheets(the("#sheet"), say);

/** @type {import("./page.js").Page} */
const page = {
  say, tell, grabs, sheets, viewer, calm, go, toast,
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
  if (message.type === "welcome") void entered();
}

/** Ask for what the room does not say by itself. */
async function entered() {
  const creatorId = state.creatorId || Object.values(state.packets)[0]?.creator_id || "";
  if (!creatorId) return;
  goods = await productOf(viewer.api, creatorId);
  room.product(goods);
  const shares = await viewer.api.get(`api/viewers/${encodeURIComponent(state.viewerId)}/assets`, { creator_id: creatorId }).catch(() => []);
  tell({ type: "held", shares });
}

function draw() {
  const [roomMs, localMs] = [socket.clock.now(), performance.now()];
  const known = socket.clock.known;
  room.update(state);
  widget.update(known ? widgetAt(state, roomMs) : null, announce);
  layer.update(known ? sceneAt(state, roomMs, localMs) : { kind: "room", packet: null });
  line.update(state.line, state.viewerId !== "");
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
  void name;
  void given;
}
