/** What the page is in the middle of; whoever changes something says `changed`, and it is drawn again. */
import * as options from "./options.js";
import { Store } from "./store.js";

export const store = new Store();

/** @type {{limits: any, usage: any}} what the server allows, null until it has told */
export const allowed = { limits: null, usage: null };

export const shown = {
  /** @type {any} */ me: null,
  /** The options for the next files. @type {Record<string, string>} */ asked: options.remembered(),
  /** The job whose player is open. @type {string | null} */ playing: null,
  /** The job that is to be converted again. @type {{id: string, options: Record<string, string>} | null} */ again:
    null,
  /** Files are held over the page. */ over: false,
  /** The connection is lost. */ lost: false,
  /** @type {import("./api.js").Problem | null} */ problem: null,
};

let draw = () => {};
/** Have what is shown brought up to date soon. */
export const changed = () => draw();

/** @param {() => void} how */
export function drawnBy(how) {
  draw = how;
}
