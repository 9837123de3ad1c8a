// @ts-check
/**
 * What the parts of the page are given: the words, the state, the clock, and how to tell what happened.
 *
 * @typedef {keyof typeof import("./words.js").WORDS.en & string} Word
 * @typedef {(key: Word, values?: Record<string, string | number>) => string} Say
 * @typedef {{
 *   say: Say,
 *   state: () => import("./state.js").RoomState,
 *   tell: (event: any) => void,
 *   send: (message: object) => boolean,
 *   clock: import("../shared/clock.js").RoomClock,
 *   viewer: import("./viewer.js").Viewer,
 *   grabs: import("./grab.js").Grabs,
 *   feel: import("./feel.js").Feel,
 *   sheets: import("./sheets.js").Sheets,
 *   go: (name: string, given?: any) => void,
 *   toast: (text: string, more?: string) => void,
 *   calm: boolean,
 *   listen: (type: string, hear: (message: any) => void) => () => void,
 *   platform: () => string,
 *   titleOf: (productId: string) => string,
 *   offers: () => import("./offers.js").Offer[],
 * }} Page
 */

export {};
