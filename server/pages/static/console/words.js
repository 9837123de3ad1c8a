// @ts-check
import { speaker } from "../shared/words.js";
import { EN } from "./words_en.js";
import { ZH } from "./words_zh.js";

/** The words of this page. */
export const WORDS = { en: EN, zh: ZH };

export const say = speaker(WORDS);
