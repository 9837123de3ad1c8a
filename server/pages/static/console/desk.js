// @ts-check
import { RoomClock } from "../shared/clock.js";
import { language } from "../shared/words.js";

/**
 * @typedef {import("../shared/api.js").Api} Api
 * @typedef {{field: string, value: any, unit: string, rules: string[]}} Limit
 */

/**
 * What every view of one creator's console shares: the API, the creator, its funds, the rulebook of its platform, and
 * the clock of the rooms.
 */
export class Desk {
  /**
   * @param {Api} api
   * @param {string} creator
   */
  constructor(api, creator) {
    this.api = api;
    this.creator = creator;
    this.lang = language();
    this.clock = new RoomClock();
    /** @type {any} */
    this.funds = null;
    /** @type {any} */
    this.rulebook = null;
    this.name = creator;
    /** @type {any[]} */
    this.rooms = [];
    /** Asks all views to look again; the shell sets it. */
    this.changed = () => {};
  }

  /** Path of something of this creator. @param {string} path */
  of(path) {
    return `api/creators/${encodeURIComponent(this.creator)}/${path}`;
  }

  /** Path of something of a packet. @param {string} packetId @param {string} [path] */
  packet(packetId, path) {
    return `api/packets/${encodeURIComponent(packetId)}${path ? `/${path}` : ""}`;
  }

  /** Ask for what every view shows: funds, rooms, and at first the rulebook. */
  async refresh() {
    const [funds, rooms] = await Promise.all([this.api.get(this.of("funds")), this.api.get("api/rooms")]);
    const platform = funds.platform ?? "lab";
    if (this.rulebook?.platform !== platform) {
      this.rulebook = await this.api.get(`api/rulebooks/${encodeURIComponent(platform)}`);
      const profile = await this.api.get(this.of("profile")).catch(() => null);
      this.name = profile?.name ?? this.creator;
    }
    this.funds = funds;
    this.rooms = rooms.filter((/** @type {any} */ room) => room.creator_id === this.creator);
  }

  /** Set the clock by the server's. */
  async tellTime() {
    const sent = this.clock.local();
    const told = await this.api.get("api/clock");
    this.clock.sample(told.room_ms, told.speed, sent);
  }

  /**
   * A limit of the platform, by its field.
   *
   * @param {string} field
   * @returns {Limit}
   */
  limit(field) {
    return (
      this.rulebook.limits.find((/** @type {Limit} */ limit) => limit.field === field) ?? {
        field,
        value: null,
        unit: "",
        rules: [],
      }
    );
  }

  /** The id of the rule that a limit comes from. @param {string} field */
  rule(field) {
    return this.limit(field).rules[0] ?? "";
  }

  /** Whether the platform's list has activities (KS-UI-2) in the place of packets that are launched (DY-UI-3). */
  get activities() {
    const { operations } = this.rulebook.packet_list;
    return operations.includes("edit") && !operations.includes("launch");
  }
}
