// @ts-check
import { language } from "./words.js";

/** The server refused; `code` and `rule` say why, `message` says it in the language of the page. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {{code?: string, detail?: string, rule?: string | null, field?: string | null}} problem
   */
  constructor(status, problem) {
    super(problem.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = problem.code ?? "unknown";
    this.rule = problem.rule ?? null;
    this.field = problem.field ?? null;
    this.problem = problem;
  }
}

/**
 * The API, as one person calls it. Every change carries an `Idempotency-Key`, so that it can be sent again after a
 * lost answer without being done twice.
 */
export class Api {
  /** @param {string | null} [credential] */
  constructor(credential = null) {
    this.credential = credential;
  }

  /**
   * @param {string} path below the root of the server, as "api/rooms"
   * @param {Record<string, string | number | boolean | null | undefined>} [query]
   * @returns {Promise<any>}
   */
  async get(path, query = {}) {
    return this._call("GET", path, query);
  }

  /**
   * @param {string} path
   * @param {unknown} [body]
   * @param {string} [key] the idempotency key of an attempt that is repeated
   * @returns {Promise<any>}
   */
  async post(path, body = {}, key = crypto.randomUUID?.() ?? fallbackKey()) {
    return this._call("POST", path, {}, body, { "Idempotency-Key": key });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Record<string, string | number | boolean | null | undefined>} query
   * @param {unknown} [body]
   * @param {Record<string, string>} [extra]
   */
  async _call(method, path, query, body, extra = {}) {
    const url = at(path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== null && value !== undefined) url.searchParams.set(name, String(value));
    }
    /** @type {Record<string, string>} */
    const headers = { "Accept-Language": language() === "zh" ? "zh-CN" : "en", ...extra };
    if (this.credential) headers.Authorization = `Bearer ${this.credential}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const content = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refusal(answer.status, content);
    return content;
  }
}

/**
 * The URL of a path of the server, which a proxy may serve below a prefix.
 *
 * @param {string} path
 */
export function at(path) {
  return new URL(path, new URL(document.documentElement.dataset.root || "./", location.href));
}

// Pages over plain HTTP on a LAN address have no randomUUID.
function fallbackKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
