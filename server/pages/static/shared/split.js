// @ts-check
import { hex, hmac, sha256, unhex } from "./sha256.js";

/**
 * The split of a packet, repeated from its revealed seed: the same numbers as server/core/packets/split.py, which says
 * how they are drawn.
 *
 * @typedef {{denomination: string, share_count: number, total_fen: number, min_share_fen: number,
 *   max_share_fen: number}} Terms
 */

const VERSION = "redrain.split.v1";
const WORD = 2 ** 32;

/**
 * The shares in fen, in the order of granting.
 *
 * @param {Terms} terms
 * @param {string} seed in hexadecimal
 * @returns {number[]}
 */
export function split(terms, seed) {
  if (terms.min_share_fen === terms.max_share_fen) return Array(terms.share_count).fill(terms.min_share_fen);
  const below = numbersBelow(unhex(seed));
  const shares = drawn(terms, below);
  for (let last = shares.length - 1; last > 0; last--) {
    const other = below(last + 1);
    [shares[last], shares[other]] = [shares[other], shares[last]];
  }
  return shares;
}

/**
 * What was published before the window opened.
 *
 * @param {Terms} terms
 * @param {string} seed in hexadecimal
 */
export function commitment(terms, seed) {
  const { denomination, share_count, total_fen, min_share_fen, max_share_fen } = terms;
  const promised = [VERSION, denomination, share_count, total_fen, min_share_fen, max_share_fen, seed].join(":");
  return hex(sha256(new TextEncoder().encode(promised)));
}

/**
 * @param {Terms} terms
 * @param {(n: number) => number} below
 */
function drawn(terms, below) {
  const lowest = terms.min_share_fen;
  const width = terms.max_share_fen - lowest;
  let left = terms.total_fen - lowest * terms.share_count;
  const shares = [];
  for (let parts = terms.share_count; parts > 1; parts--) {
    const fraction = (2 * left) % parts;
    let doubleMean = (2 * left - fraction) / parts;
    if (fraction && below(parts) < fraction) doubleMean += 1;
    const amount = doubleMean <= width ? below(doubleMean + 1) : doubleMean - width + below(2 * width - doubleMean + 1);
    shares.push(lowest + amount);
    left -= amount;
  }
  shares.push(lowest + left);
  return shares;
}

/**
 * Return a function that draws a number from 0 to n - 1, each equally likely, from the seed's stream.
 *
 * @param {Uint8Array} seed
 * @returns {(n: number) => number}
 */
function numbersBelow(seed) {
  const next = words(seed);
  return (n) => {
    if (n <= WORD) {
      const fair = WORD - (WORD % n);
      let word = next();
      while (word >= fair) word = next();
      return word % n;
    }
    // Two words are more than a number holds exactly.
    const [many, size] = [BigInt(n), BigInt(WORD)];
    const fair = size * size - ((size * size) % many);
    const pair = () => BigInt(next()) * size + BigInt(next());
    let word = pair();
    while (word >= fair) word = pair();
    return Number(word % many);
  };
}

/**
 * @param {Uint8Array} seed
 * @returns {() => number}
 */
function words(seed) {
  const keyed = hmac(seed);
  const message = new Uint8Array(VERSION.length + 8);
  message.set(new TextEncoder().encode(VERSION));
  const count = new DataView(message.buffer, VERSION.length);
  let [block, at] = [0, 8];
  /** @type {DataView} */
  let digest = count;
  return () => {
    if (at === 8) {
      count.setUint32(0, Math.floor(block / WORD));
      count.setUint32(4, block++ % WORD);
      digest = new DataView(keyed(message).buffer);
      at = 0;
    }
    return digest.getUint32(4 * at++);
  };
}
