/** What the buttons of a row do. */
import { announce } from "./announcements.js";
import { ask, Problem } from "./api.js";
import * as options from "./options.js";
import { changed, shown, store } from "./state.js";
import { t } from "./texts.js";
import { cancel } from "./transfer.js";

const UNDO_MS = 6000;

/** @typedef {import("./store.js").Item} Item */

export class Acts {
  /** Deletions that can still be undone. @type {Map<string, ReturnType<typeof setTimeout>>} */
  #deletions = new Map();

  /**
   * @param {import("./uploads.js").Uploads} uploads
   * @param {(error: unknown) => void} complain
   */
  constructor(uploads, complain) {
    this.uploads = uploads;
    this.complain = complain;
  }

  /**
   * @param {import("./rows.js").Action | "convert"} action
   * @param {Item} item
   */
  async do(action, item) {
    shown.problem = null;
    try {
      const done = this[action](item);
      changed();
      await done;
    } catch (error) {
      this.complain(error);
    }
    changed();
  }

  /** @param {Item} item */
  pause({ key }) {
    this.uploads.pause(key);
  }

  /** @param {Item} item */
  resume({ key }) {
    this.uploads.resume(key);
  }

  choose() {
    document.getElementById("choose")?.click();
  }

  /** @param {Item} item */
  async cancel({ key, row, local, upload }) {
    announce(t("said.canceled", { name: row.name }));
    if (local) return this.uploads.cancel(key);
    if (await cancel(upload.links.self)) store.remove(upload.id);
  }

  /** @param {Item} item */
  async dismiss({ key }) {
    await this.uploads.cancel(key);
  }

  /** @param {Item} item */
  async stop({ job }) {
    store.put(await ask("POST", job.links.cancel));
  }

  download() {} // a link does it

  /** @param {Item} item */
  play({ job }) {
    shown.playing = shown.playing === job.id ? null : job.id;
  }

  /** @param {Item} item */
  again({ job }) {
    const open = shown.again?.id === job.id;
    shown.again = open ? null : { id: job.id, options: options.ofJob(job.options) };
  }

  /** @param {Item} item */
  async convert({ job }) {
    const { again } = shown;
    if (again === null || again.id !== job.id) return; // pressed twice
    const { sound, ...asked } = again.options;
    shown.again = null;
    const query = new URLSearchParams({ quality: "auto", ...options.chosen(asked) });
    store.put(await ask("POST", `${job.links.retry}?${query}`));
  }

  /** @param {Item} item */
  delete({ job }) {
    if (store.deleting.has(job.id)) return;
    store.deleting.set(job.id, true);
    store.selected.delete(job.id);
    this.#deletions.set(
      job.id,
      setTimeout(() => this.#delete(job.id), UNDO_MS),
    );
  }

  /** @param {Item} item */
  undo({ job }) {
    if (!store.deleting.get(job.id)) return; // too late
    clearTimeout(this.#deletions.get(job.id));
    this.#deletions.delete(job.id);
    store.deleting.delete(job.id);
  }

  /** Delete at once what can still be undone: the page is being left. */
  async hurry() {
    const pending = [...this.#deletions];
    await Promise.all(
      pending.map(([id, timer]) => {
        clearTimeout(timer);
        return this.#delete(id, true);
      }),
    );
  }

  /**
   * @param {string} id
   * @param {boolean} [keepalive] the request outlives the page
   */
  async #delete(id, keepalive = false) {
    this.#deletions.delete(id);
    store.deleting.set(id, false);
    changed();
    try {
      await ask("DELETE", `v1/jobs/${id}`, { keepalive });
      store.remove(id);
    } catch (error) {
      store.deleting.delete(id);
      if (error instanceof Problem && error.status === 404) store.remove(id);
      else this.complain(error);
    }
    changed();
  }
}
