// @ts-check
import { el, show, the } from "../shared/dom.js";
import { speaker } from "../shared/words.js";
import { BadgePanel } from "./badge.js";
import { Controls } from "./controls.js";
import { Feed } from "./feed.js";
import { HealthPanel } from "./health.js";
import { GrabsPanel, LatencyPanel, LogPanel, MoneyPanel, PacketsPanel, RoomsPanel } from "./panels.js";
import { ProofPanel } from "./proof.js";
import { TopBar } from "./top.js";
import { WORDS } from "./words.js";

/** @type {any} The keys of many words are made of the server's codes. */
const table = WORDS;
const say = speaker(table);
const root = document.documentElement;
root.dataset.theme = "dark";
document.title = say("title");
if (root.dataset.watch) watch();
else explain();

function watch() {
  const controls = new Controls(say);
  const [top, badge, latency, proof] = [new TopBar(say, controls), new BadgePanel(say), new LatencyPanel(say), new ProofPanel(say)];
  const others = [new GrabsPanel(say), new RoomsPanel(say), new PacketsPanel(say), new MoneyPanel(say), new HealthPanel(say, controls), new LogPanel(say)];
  const [grabs, ...rest] = others.map((panel) => panel.element);
  show(the("#dashboard"), top.element, badge.element, grabs, latency.element, proof.element, ...rest);
  /** @type {any} */
  let newest = null;
  let open = false;
  const draw = () => {
    if (!newest) return;
    latency.element.hidden = newest.badge.light === "red";
    for (const panel of [badge, latency, proof, ...others]) panel.update(newest);
    controls.update(newest);
    top.update(newest, open);
    the("#dashboard").classList.toggle("lost", !open && newest.verdict === null);
  };
  new Feed({
    picture: (picture) => {
      newest = picture;
      if (document.visibilityState === "visible") draw();
    },
    line: (isOpen) => {
      open = isOpen;
      draw();
    },
  });
  document.addEventListener("visibilitychange", draw);
}

/** A server alone has no dashboard: it leads to the one that shows it, or says how to get one. */
function explain() {
  const live = root.dataset.dashboard;
  if (live) location.replace(live + location.search + location.hash);
  show(the("#dashboard"), el("section", { class: "explain" },
    el("h1", {}, say("title")),
    el("p", {}, say("explain_storm"), " ", el("code", {}, "redrain storm --watch")),
    el("p", {}, say("explain_watch"), " ", el("code", {}, `redrain watch --target ${location.origin}`)),
    live ? el("a", { class: "go", href: live }, say("go_live")) : null));
}
