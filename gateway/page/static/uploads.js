/** Files on their way up, three at a time: paused, continued, kept over lost connections, canceled. */
import { Problem } from "./api.js";
import { isReadable, lookAt, refusal, tooMuch } from "./checks.js";
import * as entries from "./entry.js";
import { Pace } from "./pace.js";
import * as parcel from "./parcel.js";
import { isSameFile } from "./rows.js";
import { cancel, end, ready, send } from "./transfer.js";

const AT_ONCE = 3;
const AGAIN_MS = [1000, 2000, 5000, 10_000, 20_000];
/** Answers after which the same request may well succeed. */
const PASSING = [0, 408, 409, 423, 429];
/** An upload that is gone is started again, but not for ever. */
const MOST_BEGINNINGS = 3;
const RUNNING = ["sending", "extracting"];
/** Nothing of these is sent any more. */
const OVER = ["canceled", "refused", "sealed"];

/**
 * @typedef {import("./entry.js").Entry} Entry
 *
 * @typedef {object} Surroundings
 * @property {Map<string, any>} known unfinished uploads that the server tells of, by id
 * @property {{limits: any, usage: any}} allowed
 * @property {() => void} changed
 * @property {() => void} loggedOut
 * @property {(uploadId: string) => void} sealed
 * @property {(uploadId: string) => void} gone
 * @property {(error: unknown) => void} complain
 */

export class Uploads {
  /** @type {Map<string, Entry>} */
  entries = new Map();
  #count = 0;

  /** @param {Surroundings} around */
  constructor(around) {
    this.around = around;
  }

  /**
   * Take files, in their order.
   * @param {File[]} files
   * @param {Record<string, string>} options of the conversion; `sound` says whether only that is sent
   */
  add(files, options) {
    const now = Date.now();
    for (const [index, file] of files.entries()) {
      const at = now - index / 1000;
      const entry = entries.entry(`${Math.floor(at)}-${this.#count++}`, file, options, at);
      entry.uploadId = this.#begunBefore(entry);
      this.entries.set(entry.key, entry);
      this.#look(entry).catch(this.around.complain);
    }
    this.around.changed();
  }

  /** @param {Entry} entry */
  async #look(entry) {
    const problem = await lookAt(entry.file);
    if (problem) return this.#refuse(entry, problem);
    this.#set(entry, "waiting");
    this.#pump();
  }

  /** @param {Entry} entry */
  #begunBefore({ file }) {
    const taken = new Set([...this.entries.values()].map(({ uploadId }) => uploadId));
    const isIt = (/** @type {any} */ upload) => !taken.has(upload.id) && isSameFile(upload, file);
    return [...this.around.known.values()].find(isIt)?.id ?? null;
  }

  /** Begin as many as may run at once. */
  #pump() {
    const all = [...this.entries.values()];
    const free = AT_ONCE - all.filter(({ state }) => RUNNING.includes(state)).length;
    for (const entry of all
      .filter(({ state }) => state === "waiting")
      .slice(0, Math.max(0, free))) {
      this.#set(entry, "sending");
      this.#start(entry);
    }
  }

  /** @param {Entry} entry */
  #start(entry) {
    const run = ++entry.runs;
    entry.stop(); // of the run before
    this.#run(entry, run).catch((error) => this.#failed(entry, run, error));
  }

  /**
   * @param {Entry} entry
   * @param {number} run
   */
  async #run(entry, run) {
    const isOver = () => entry.state !== "sending" || entry.runs !== run; // paused or canceled meanwhile
    await ready();
    if (isOver()) return;
    if (entry.parcel === null) await this.#pack(entry);
    if (isOver()) return;
    const { soundOnly, digest, body } = /** @type {parcel.Parcel} */ (entry.parcel);
    const problem = tooMuch(body.size, this.around.allowed);
    if (problem) return this.#refuse(entry, problem);
    const { sound, ...options } = entry.options;
    const metadata = {
      ...{
        filename: entry.name,
        filetype: entry.file.type || "application/octet-stream",
        ...options,
      },
      ...{ name: entry.name, size: String(entry.size), modified: String(entry.file.lastModified) },
      ...(soundOnly ? { sound: "true", digest } : {}),
    };
    if (entry.url === null) entry.beginnings += 1;
    entry.pace = new Pace(Date.now());
    entry.stop = send(body, entry.url, metadata, entry.key, this.#heard(entry, run));
  }

  /** @param {Entry} entry */
  async #pack(entry) {
    const id = entry.uploadId ?? this.#begunBefore(entry); // the server may have told meanwhile
    const begun = this.around.known.get(id ?? "");
    entry.uploadId = begun?.id ?? null;
    const soundWanted = begun ? begun.metadata.sound === "true" : entry.options.sound !== "false";
    const onProgress = (/** @type {number} */ done) => {
      entry.extracted = done;
      if (entry.state === "sending") entry.state = "extracting";
      this.around.changed();
    };
    entry.parcel = await parcel.pack(entry.file, soundWanted, onProgress, entry.abort.signal);
    entry.soundOnly = entry.parcel.soundOnly;
    entry.total = entry.parcel.body.size;
    if (entry.state === "extracting") this.#set(entry, "sending");
    if (!begun || entry.state === "canceled") return;
    if (parcel.continues(entry.parcel, begun)) {
      entries.begin(entry, new URL(begun.links.self, document.baseURI).href);
      return;
    }
    entry.uploadId = null;
    if (await end(begun.links.self)) this.around.gone(begun.id);
  }

  /**
   * @param {Entry} entry
   * @param {number} run
   * @returns {import("./transfer.js").Heard}
   */
  #heard(entry, run) {
    return {
      begun: (url) => {
        entries.begin(entry, url);
        this.around.changed();
      },
      sent: (sent) => {
        entry.tries = 0;
        entry.sent = sent;
        entry.pace?.note(sent, Date.now());
        this.around.changed();
      },
      done: () => {
        this.#set(entry, "sealed");
        if (entry.uploadId) this.around.sealed(entry.uploadId);
        this.#pump();
      },
      failed: (problem) => this.#failed(entry, run, problem),
    };
  }

  /**
   * @param {Entry} entry
   * @param {number} run
   * @param {unknown} error
   */
  async #failed(entry, run, error) {
    if (!(error instanceof Problem)) throw error;
    const isKept = error.status !== 0 || (await isReadable(entry.file));
    if (entry.state !== "sending" || entry.runs !== run) return;
    if (!isKept) return this.#refuse(entry, refusal("no.read"));
    const gone = entry.url !== null && [404, 410].includes(error.status);
    const passes = PASSING.includes(error.status) || error.status >= 500 || error.status === 401;
    if (entry.ended && (gone || passes)) return this.#refuse(entry, refusal("no.upload"));
    if (gone && entry.beginnings < MOST_BEGINNINGS) {
      entry.url = entry.uploadId = null;
      entry.sent = 0;
      return this.#start(entry);
    }
    const told = { code: error.code, message: error.message, hint: error.hint };
    if (!passes) return this.#refuse(entry, told);
    entry.problem = [0, 401].includes(error.status) ? undefined : told;
    this.#set(entry, "offline");
    if (error.status === 401) return this.around.loggedOut(); // who logs in again goes on
    const wait = error.retryAfter * 1000 || AGAIN_MS[Math.min(entry.tries++, AGAIN_MS.length - 1)];
    entry.timer = setTimeout(() => this.resume(entry.key), wait);
    this.#pump();
  }

  /** @param {string} key */
  pause(key) {
    const entry = this.entries.get(key);
    if (entry?.state !== "sending") return;
    this.#set(entry, "paused");
    entry.stop();
    this.#pump();
  }

  /** @param {string} key */
  resume(key) {
    const entry = this.entries.get(key);
    if (!entry || !["paused", "offline"].includes(entry.state)) return;
    clearTimeout(entry.timer);
    entry.problem = undefined;
    this.#set(entry, "waiting");
    this.#pump();
  }

  /** Go on with everything that waits for a connection. */
  resumeAll() {
    for (const { key, state } of [...this.entries.values()])
      if (state === "offline") this.resume(key);
  }

  /**
   * End an upload, here and on the server.
   * @param {string} key
   */
  async cancel(key) {
    const entry = this.entries.get(key);
    if (!entry) return;
    this.#set(entry, "canceled"); // no row, but it hides the server's until that is gone
    entry.abort.abort();
    clearTimeout(entry.timer);
    this.#pump();
    try {
      await this.#end(entry);
    } finally {
      this.entries.delete(key);
      this.around.changed();
    }
  }

  /** @param {Entry} entry */
  async #end(entry) {
    await entry.stop();
    const id = entry.uploadId ?? "";
    const url = entry.url ?? this.around.known.get(id)?.links.self;
    if (url && (await cancel(url))) this.around.gone(id);
  }

  /**
   * Hear that an upload was ended by somebody else: another window, or a server that waited for too long.
   * @param {string} id
   */
  ended(id) {
    for (const entry of this.entries.values()) {
      if (!entry.begun.has(id) || OVER.includes(entry.state)) continue;
      if (entry.state === "sending" && entry.uploadId === id) {
        entry.ended = true; // what is under way is refused, and that may say more
        continue;
      }
      clearTimeout(entry.timer);
      this.#refuse(entry, refusal("no.upload"));
      this.#end(entry).catch(this.around.complain); // it may have been begun anew already
    }
  }

  /** Tell whether bytes flow, or will. */
  get busy() {
    return [...this.entries.values()].some(({ state }) => ["waiting", ...RUNNING].includes(state));
  }

  /**
   * Bring what depends on the time up to date.
   * @param {number} now
   */
  tick(now) {
    for (const entry of this.entries.values()) entries.tick(entry, now);
  }

  /**
   * @param {Entry} entry
   * @param {Entry["state"]} state
   */
  #set(entry, state) {
    entry.state = state;
    this.around.changed();
  }

  /**
   * @param {Entry} entry
   * @param {import("./checks.js").Refusal} problem
   */
  #refuse(entry, problem) {
    entry.problem = problem;
    this.#set(entry, "refused");
    this.#pump();
  }
}
