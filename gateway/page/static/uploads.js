/** Files on their way up, three at a time: paused, continued, kept over lost connections, canceled. */
import { Problem } from "./api.js";
import { isReadable, lookAt, refusal, tooMuch } from "./checks.js";
import { Pace } from "./pace.js";
import * as parcel from "./parcel.js";
import { isSameFile } from "./rows.js";
import { end, send } from "./transfer.js";

const AT_ONCE = 3;
const AGAIN_MS = [1000, 2000, 5000, 10_000, 20_000];
/** Answers after which the same request may well succeed. */
const PASSING = [0, 408, 409, 423, 429];
/** An upload that is gone is started again, but not for ever. */
const MOST_BEGINNINGS = 3;
const RUNNING = ["sending", "extracting"];

/**
 * @typedef {import("./rows.js").Local & {
 *   file: File, options: Record<string, string>, at: number, parcel: parcel.Parcel | null,
 *   url: string | null, uploadId: string | null, pace: Pace | null, tries: number, beginnings: number,
 *   stop: () => void, abort: AbortController, timer: ReturnType<typeof setTimeout> | undefined,
 * }} Entry
 *
 * @typedef {object} Surroundings
 * @property {Map<string, any>} known unfinished uploads that the server tells of, by id
 * @property {{limits: any, usage: any}} allowed
 * @property {() => void} changed
 * @property {() => void} loggedOut
 * @property {(uploadId: string) => void} sealed
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
      const entry = this.#entry(file, options, now - index / 1000);
      entry.uploadId = this.#begunBefore(entry)?.id ?? null;
      this.entries.set(entry.key, entry);
      this.#look(entry).catch(this.around.complain);
    }
    this.around.changed();
  }

  /**
   * @param {File} file
   * @param {Record<string, string>} options
   * @param {number} at
   * @returns {Entry}
   */
  #entry(file, options, at) {
    const key = `${Math.floor(at)}-${this.#count++}`;
    return {
      ...{ key, file, options, at, name: file.name, size: file.size, total: file.size, sent: 0 },
      ...{
        state: "checking",
        soundOnly: false,
        parcel: null,
        url: null,
        uploadId: null,
        pace: null,
      },
      ...{
        tries: 0,
        beginnings: 0,
        stop: () => {},
        abort: new AbortController(),
        timer: undefined,
      },
    };
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
    return [...this.around.known.values()].find(
      (upload) => !taken.has(upload.id) && isSameFile(upload, file),
    );
  }

  /** Begin as many as may run at once. */
  #pump() {
    const all = [...this.entries.values()];
    const free = AT_ONCE - all.filter(({ state }) => RUNNING.includes(state)).length;
    for (const entry of all
      .filter(({ state }) => state === "waiting")
      .slice(0, Math.max(0, free))) {
      this.#set(entry, "sending");
      this.#run(entry).catch((error) => this.#failed(entry, error));
    }
  }

  /** @param {Entry} entry */
  async #run(entry) {
    if (entry.parcel === null) await this.#pack(entry);
    if (entry.state !== "sending") return; // paused or canceled meanwhile
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
    const stop = await send(
      body,
      entry.url,
      metadata,
      `${entry.key}-${entry.beginnings}`,
      this.#heard(entry),
    );
    entry.stop = stop;
    if (entry.state !== "sending") stop();
  }

  /** @param {Entry} entry */
  async #pack(entry) {
    const begun = entry.uploadId ? this.around.known.get(entry.uploadId) : null;
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
    if (!begun || !this.entries.has(entry.key)) return;
    if (parcel.continues(entry.parcel, begun)) {
      entry.url = new URL(begun.links.self, document.baseURI).href;
      return;
    }
    entry.uploadId = null;
    this.around.known.delete(begun.id);
    await end(begun.links.self);
  }

  /**
   * @param {Entry} entry
   * @returns {import("./transfer.js").Heard}
   */
  #heard(entry) {
    return {
      begun: (url) => {
        entry.url = url;
        entry.uploadId = new URL(url).pathname.split("/").pop() ?? null;
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
      failed: (problem) => this.#failed(entry, problem),
    };
  }

  /**
   * @param {Entry} entry
   * @param {unknown} error
   * @returns {Promise<void>}
   */
  async #failed(entry, error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 0 && !(await isReadable(entry.file)))
      return this.#refuse(entry, refusal("no.read"));
    if (entry.state !== "sending") return;
    const gone = entry.url !== null && [404, 410].includes(error.status);
    if (gone && entry.beginnings < MOST_BEGINNINGS) {
      entry.url = entry.uploadId = null;
      entry.sent = 0;
      return this.#run(entry).catch((again) => this.#failed(entry, again));
    }
    const told = { code: error.code, message: error.message, hint: error.hint };
    const passes = PASSING.includes(error.status) || error.status >= 500 || error.status === 401;
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
    this.entries.delete(key);
    entry.state = "paused";
    entry.abort.abort();
    clearTimeout(entry.timer);
    entry.stop();
    if (entry.uploadId) this.around.known.delete(entry.uploadId);
    this.#pump();
    this.around.changed();
    if (entry.url) await end(entry.url);
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
    for (const entry of this.entries.values()) {
      entry.rate = entry.pace?.perSecond(now) ?? null;
      entry.left = entry.pace?.secondsLeft(entry.total, now) ?? null;
      entry.stalled = entry.state === "sending" && (entry.pace?.stalled(now) ?? false);
    }
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
