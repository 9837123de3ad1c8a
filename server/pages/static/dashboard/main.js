// @ts-check
import { el, show, the } from "../shared/dom.js";
import { speaker } from "../shared/words.js";
import { WORDS } from "./words.js";

const say = speaker(WORDS);
document.title = say("title");
show(the("#dashboard"), el("h1", {}, say("title")));
