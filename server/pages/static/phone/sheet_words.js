// @ts-check
/** The words of the sheets: winners, packets, checkout, orders, logistics, messages. */
const en = {
  back: "Back",
};

/** @type {typeof en} */
const zh = {
  back: "返回",
};

export const SHEET_WORDS = { en, zh };
