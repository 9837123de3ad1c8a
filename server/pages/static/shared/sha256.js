// @ts-check
/**
 * SHA-256 and HMAC-SHA256 (FIPS 180-4, RFC 2104). `crypto.subtle` would do the same, but a page that came over plain
 * HTTP from a LAN address does not have it.
 */

const BLOCK = 64;

/** The first 32 bits of the fractions of the square roots of the first 8 primes, and of the cube roots of the first 64. */
const [START, ROUNDS] = constants();

/**
 * @param {Uint8Array} message
 * @returns {Uint8Array} 32 bytes
 */
export function sha256(message) {
  return digest(START, message, 0);
}

/**
 * HMAC-SHA256 with one key, which is prepared once.
 *
 * @param {Uint8Array} key
 * @returns {(message: Uint8Array) => Uint8Array}
 */
export function hmac(key) {
  const padded = new Uint8Array(BLOCK);
  padded.set(key.length > BLOCK ? sha256(key) : key);
  const inner = mixed(START, padded.map((byte) => byte ^ 0x36));
  const outer = mixed(START, padded.map((byte) => byte ^ 0x5c));
  return (message) => digest(outer, digest(inner, message, BLOCK), BLOCK);
}

/** @param {Uint8Array} bytes */
export function hex(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} text in hexadecimal
 * @returns {Uint8Array}
 */
export function unhex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/**
 * Go on from a state after *before* bytes, and finish.
 *
 * @param {Uint32Array} state
 * @param {Uint8Array} message
 * @param {number} before whole blocks
 */
function digest(state, message, before) {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / BLOCK) * BLOCK);
  padded.set(message);
  padded[message.length] = 0x80;
  const bits = new DataView(padded.buffer);
  const length = (before + message.length) * 8;
  bits.setUint32(padded.length - 8, Math.floor(length / 2 ** 32));
  bits.setUint32(padded.length - 4, length % 2 ** 32);
  const last = mixed(state, padded);
  const out = new Uint8Array(32);
  const view = new DataView(out.buffer);
  last.forEach((word, i) => view.setUint32(i * 4, word));
  return out;
}

/**
 * @param {Uint32Array} state
 * @param {Uint8Array} blocks
 */
function mixed(state, blocks) {
  const result = Uint32Array.from(state);
  const words = new Uint32Array(64);
  const view = new DataView(blocks.buffer, blocks.byteOffset);
  for (let start = 0; start < blocks.length; start += BLOCK) {
    for (let i = 0; i < 16; i++) words[i] = view.getUint32(start + i * 4);
    for (let i = 16; i < 64; i++) {
      const [w15, w2] = [words[i - 15], words[i - 2]];
      words[i] = words[i - 16] + words[i - 7] + (turned(w15, 7) ^ turned(w15, 18) ^ (w15 >>> 3)) + (turned(w2, 17) ^ turned(w2, 19) ^ (w2 >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = result;
    for (let i = 0; i < 64; i++) {
      const t1 = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS[i] + words[i]) | 0;
      const t2 = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => {
      result[i] += word;
    });
  }
  return result;
}

/**
 * @param {number} word
 * @param {number} by
 */
function turned(word, by) {
  return (word >>> by) | (word << (32 - by));
}

/** @returns {[Uint32Array, Uint32Array]} */
function constants() {
  /** @type {number[]} */
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime)) primes.push(n);
  const fraction = (/** @type {number} */ root) => Math.floor((root - Math.floor(root)) * 2 ** 32);
  return [Uint32Array.from(primes.slice(0, 8), (n) => fraction(Math.sqrt(n))), Uint32Array.from(primes, (n) => fraction(Math.cbrt(n)))];
}
