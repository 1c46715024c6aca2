/** Everything the page shows: jobs and uploads as the server tells them, and what this tab knows besides. */
import { Pace } from "./pace.js";
import { announcement, isOver, isSameFile, metadataOf, row } from "./rows.js";

/**
 * @typedef {object} Item one row with where it came from
 * @property {string} key stays the same from the file to the MP3
 * @property {number} at milliseconds
 * @property {any} [job]
 * @property {any} [upload]
 * @property {import("./uploads.js").Entry} [local]
 * @property {import("./rows.js").Row} row
 */

export class Store {
  /** @type {Map<string, any>} */
  jobs = new Map();
  /** @type {Map<string, any>} */
  uploads = new Map();
  /** @type {Map<string, import("./uploads.js").Entry>} */
  locals = new Map();
  /** By the ids of jobs that are being deleted, whether that can still be undone. @type {Map<string, boolean>} */
  deleting = new Map();
  /** Ids of jobs. @type {Set<string>} */
  selected = new Set();
  filter = { q: "", state: "" };
  /** How many jobs were listed, without those that came of themselves. */
  listed = 0;
  /** Where the list goes on. @type {string | null} */
  next = null;
  /** The job that a link led to: shown wherever it would be in the list. @type {string | null} */
  named = null;
  loaded = false;
  /** Ids of jobs that were deleted: a list may be older than that. @type {Set<string>} */
  #deleted = new Set();
  /** @type {Map<string, {key: string, at: number}>} */
  #places = new Map();
  /** @type {Map<string, Pace>} */
  #paces = new Map();
  /** @type {Map<string, import("./rows.js").Row>} */
  #before = new Map();

  /**
   * Take a job in a version that is not known yet.
   * @param {any} job
   * @returns {boolean} whether it is news
   */
  put(job) {
    if (this.#deleted.has(job.id)) return false;
    const known = this.jobs.get(job.id);
    if (known && known.version >= job.version) {
      if (known.version === job.version) this.move([job]); // its place changes without its version
      return false;
    }
    const sent = [...this.locals.values()].filter(({ uploadId }) => uploadId === job.id);
    const wanted = sent.length > 0 || job.id === this.named || this.#fits(job);
    if (!known && !wanted) return false;
    this.jobs.set(job.id, job);
    if (job.state === "converting" && job.phase === "converting") this.#pace(job);
    else this.#paces.delete(job.id);
    if (job.state === "uploading") return true;
    this.uploads.delete(job.id);
    for (const local of sent) {
      this.#places.set(job.id, { key: local.key, at: local.at });
      this.locals.delete(local.key);
    }
    return true;
  }

  /**
   * Take other places in the queue of jobs that still wait.
   * @param {{id: string, queue: any, eta_seconds: number | null}[]} places
   */
  move(places) {
    for (const place of places) {
      const job = this.jobs.get(place.id);
      if (job?.state === "queued")
        this.jobs.set(job.id, { ...job, queue: place.queue, eta_seconds: place.eta_seconds });
    }
  }

  /** @param {any} job */
  #pace(job) {
    const now = Date.now();
    if (!this.#paces.has(job.id)) this.#paces.set(job.id, new Pace(now));
    this.#paces.get(job.id)?.note(job.progress, now);
  }

  /**
   * Choose a job, or take that back.
   * @param {string} id
   */
  select(id) {
    if (!this.selected.delete(id)) this.selected.add(id);
  }

  /** @param {string} id */
  remove(id) {
    this.#deleted.add(id);
    this.jobs.delete(id);
    this.uploads.delete(id);
    this.deleting.delete(id);
    this.selected.delete(id);
  }

  /**
   * Have other jobs listed than before.
   * @param {"q" | "state"} name
   * @param {string} value
   */
  narrow(name, value) {
    this.filter = { ...this.filter, [name]: value };
    this.named = null;
    this.listed = 0;
  }

  /**
   * Take a part of the list.
   * @param {any[]} jobs
   * @param {string | null} next
   * @param {Set<string> | null} known what was known when the list was asked for and is gone unless it is
   *   in it; null where the list goes on. The list may be too old to have what became known since.
   */
  list(jobs, next, known) {
    const listed = new Set(jobs.map(({ id }) => id));
    for (const id of known ?? []) if (!listed.has(id) && id !== this.named) this.jobs.delete(id);
    for (const job of jobs) this.put(job);
    this.listed = jobs.length + (known === null ? this.listed : 0);
    this.next = next;
    this.loaded = true;
  }

  /**
   * Take the unfinished uploads.
   * @param {any[]} uploads
   */
  listUploads(uploads) {
    this.uploads.clear();
    for (const upload of uploads) {
      const { state } = this.jobs.get(upload.id) ?? {};
      if (this.#deleted.has(upload.id) || (state && state !== "uploading")) continue; // an older list
      this.uploads.set(upload.id, { ...upload, metadata: metadataOf(upload.metadata) });
    }
  }

  /** @param {any} job */
  #fits(job) {
    const { q, state } = this.filter;
    if (state && job.state !== state) return false;
    return !q || job.source.filename.toLowerCase().includes(q.toLowerCase());
  }

  /**
   * Return what is to be shown, the newest first.
   * @param {number} now
   * @returns {Item[]}
   */
  items(now) {
    /** @type {Map<string, Omit<Item, "row">>} */
    const found = new Map();
    const { q, state } = this.filter;
    for (const local of this.locals.values())
      found.set(local.uploadId ?? local.key, { key: local.key, at: local.at, local });
    // The server may tell of an upload, and of its job, before its answer is here, or though that was lost.
    const beginning = [...this.locals.values()].filter(
      (local) => !local.uploadId && local.beginnings > 0 && local.state !== "refused",
    );
    for (const upload of state ? [] : this.uploads.values()) {
      if (!found.has(upload.id) && beginning.some(({ file }) => isSameFile(upload, file))) continue;
      if (q && !upload.filename.toLowerCase().includes(q.toLowerCase())) continue;
      const item = found.get(upload.id) ?? { key: upload.id, at: Date.parse(upload.created_at) };
      found.set(upload.id, { ...item, upload });
    }
    for (const job of this.jobs.values()) {
      const arrives = job.state === "uploading" && !found.has(job.id);
      if (arrives && beginning.some(({ name }) => name === job.source.filename)) continue;
      const place = this.#places.get(job.id) ?? { key: job.id, at: Date.parse(job.created_at) };
      found.set(job.id, { ...place, ...found.get(job.id), job });
    }
    return [...found.values()]
      .filter(({ local }) => local?.state !== "canceled")
      .map((item) => ({ ...item, row: this.#row(item, now) }))
      .sort((a, b) => b.at - a.at);
  }

  /**
   * @param {Omit<Item, "row">} item
   * @param {number} now
   */
  #row({ job, upload, local }, now) {
    const left = job ? (this.#paces.get(job.id)?.secondsLeft(1, now) ?? null) : null;
    return row({ job, upload, local, left, deleting: job && this.deleting.get(job.id) }, now);
  }

  /**
   * Return what is to be said of what changed since the last call.
   * @param {Item[]} items
   */
  news(items) {
    const said = items
      .map(({ key, row }) => announcement(this.#before.get(key), row))
      .filter((text) => text !== null);
    this.#before = new Map(items.map(({ key, row }) => [key, row]));
    return said;
  }

  /** Tell whether there are uploads that this tab does not send. */
  get sentElsewhere() {
    const own = new Set([...this.locals.values()].map(({ uploadId }) => uploadId));
    return [...this.uploads.keys()].some((id) => !own.has(id));
  }

  /** Tell whether anything moves. */
  get busy() {
    return (
      this.locals.size > 0 ||
      this.uploads.size > 0 ||
      [...this.jobs.values()].some((job) => !isOver(job))
    );
  }
}
