// @ts-check
import { at } from "../shared/api.js";

const RETRY_MS = 1_000;

/**
 * The pictures of what is watched, pushed over one WebSocket. It connects again by itself: the next run may have the
 * same port.
 */
export class Feed {
  /**
   * @param {{picture: (picture: any) => void, line: (open: boolean) => void}} given
   */
  constructor(given) {
    this._given = given;
    this._connect();
  }

  _connect() {
    const url = at("watch");
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    socket.onopen = () => this._given.line(true);
    socket.onmessage = (event) => this._given.picture(JSON.parse(event.data));
    socket.onclose = () => {
      this._given.line(false);
      setTimeout(() => this._connect(), RETRY_MS);
    };
  }
}
