/** What administrators may: users, everybody's jobs, messages that nobody could read. */
import { announce } from "./announcements.js";
import { ask } from "./api.js";
import { shown } from "./state.js";
import { t } from "./texts.js";
import { html, nothing } from "./vendor/lit-html/lit-html.js";

const QUEUES = ["video", "mp3"];

export class Administration {
  /** @type {any[]} */
  users = [];
  /** @type {any[]} */
  jobs = [];
  /** @type {Record<string, any[]>} */
  letters = {};
  /** @type {{name: string, ok: boolean, seen: string, advice: string}[]} */
  findings = [];
  owner = "";
  told = "";
  #loads = 0;
  /** The latest act: each waits for the one before. @type {Promise<void>} */
  #latest = Promise.resolve();

  /**
   * @param {() => void} changed
   * @param {(error: unknown) => void} complain
   */
  constructor(changed, complain) {
    this.changed = changed;
    this.complain = complain;
  }

  async load() {
    const load = ++this.#loads;
    const owner = this.owner ? `&owner=${encodeURIComponent(this.owner)}` : "";
    const [users, jobs, ...letters] = await Promise.all([
      ask("GET", "v1/admin/users"),
      ask("GET", `v1/admin/jobs?limit=20${owner}`),
      ...QUEUES.map((queue) => ask("GET", `v1/admin/dead-letters/${queue}`)),
    ]);
    if (load !== this.#loads) return; // overtaken
    this.users = users.users;
    this.jobs = jobs.jobs;
    this.letters = Object.fromEntries(QUEUES.map((queue, i) => [queue, letters[i].dead_letters]));
    this.changed();
    const { findings } = await ask("GET", "v1/admin/doctor"); // it takes its time
    if (load !== this.#loads) return;
    this.findings = findings;
    this.changed();
  }

  /**
   * Do something after all that was asked for before.
   * @param {string} said what is announced once it is done
   * @param {string} method
   * @param {string} path
   * @param {unknown} [json]
   */
  act(said, method, path, json) {
    this.#latest = this.#latest
      .then(() => this.#act(said, method, path, json))
      .catch(this.complain);
  }

  /**
   * @param {string} said
   * @param {string} method
   * @param {string} path
   * @param {unknown} json
   */
  async #act(said, method, path, json) {
    shown.problem = null;
    const answer = await ask(method, `v1/admin/${path}`, { json });
    this.told = answer?.password
      ? t("admin.password", { name: answer.username, password: answer.password })
      : "";
    announce(said);
    this.changed();
    this.load().catch(this.complain); // what is asked for next need not wait for it
  }

  view() {
    const open = (/** @type {any} */ event) =>
      event.target.open && this.load().catch(this.complain);
    return html`<details class="card admin" @toggle=${open}><summary>${t("admin")}</summary>
      ${this.told ? html`<p class="note"><bdi>${this.told}</bdi></p>` : nothing}
      ${this.#users()} ${this.#jobs()} ${this.#letters()} ${this.#doctor()}</details>`;
  }

  #users() {
    const add = (/** @type {any} */ event) => {
      event.preventDefault();
      const name = new FormData(event.target).get("username");
      this.act(t("said.user.added", { name }), "POST", "users", { username: name });
      event.target.reset();
    };
    return html`<h2>${t("admin.users")}</h2>
      <ul class="plain">${this.users.map((user) => this.#user(user))}</ul>
      <form class="filter" @submit=${add}>
        <input name="username" type="email" required maxlength="254" aria-label=${t("username")} placeholder=${t("username")}>
        <button>${t("admin.add")}</button></form>`;
  }

  /** @param {any} user */
  #user({ username: name, admin, disabled }) {
    const change = (/** @type {string} */ said, /** @type {unknown} */ json) => () =>
      this.act(t(said, { name }), "PATCH", `users/${encodeURIComponent(name)}`, json);
    return html`<li><span><bdi>${name}</bdi> <small>${[admin && t("admin.is"), disabled && t("admin.disabled")].filter(Boolean).join(", ")}</small></span>
      <span class="actions">
        ${button(disabled ? "admin.enable" : "admin.disable", name, change(disabled ? "said.user.enabled" : "said.user.disabled", { disabled: !disabled }))}
        ${button("admin.reset", name, change("said.user.reset", { password: "generate" }))}</span></li>`;
  }

  #jobs() {
    const narrow = (/** @type {any} */ event) => {
      this.owner = event.target.value.trim();
      this.load().catch(this.complain);
    };
    return html`<h2>${t("admin.jobs")}</h2>
      <input type="search" aria-label=${t("admin.owner")} placeholder=${t("admin.owner")} maxlength="254" @change=${narrow}>
      <ul class="plain">${this.jobs.map((job) => this.#job(job))}</ul>`;
  }

  /** @param {any} job */
  #job({ id, owner, state, source: { filename: name }, error, links }) {
    const act = (/** @type {string} */ what) => () =>
      this.act(t(`said.job.${what}`, { name }), "POST", `jobs/${id}/${what}`);
    return html`<li tabindex="-1">
      <span><bdi>${name}</bdi> <small><bdi>${owner}</bdi> · ${t(`state.${state}`)} ${error?.message ?? ""}</small></span>
      ${links.retry ? button("admin.requeue", name, act("requeue")) : nothing}
      ${links.cancel ? button("admin.fail", name, act("fail")) : nothing}
    </li>`;
  }

  #letters() {
    return html`<h2>${t("admin.letters")}</h2>${QUEUES.map((queue) => this.#queue(queue))}`;
  }

  /** @param {string} queue */
  #queue(queue) {
    const letters = this.letters[queue];
    if (!letters) return nothing;
    const path = `dead-letters/${queue}`;
    const replay = () => this.act(t("said.letters.replayed"), "POST", `${path}/replay`);
    const drop = () => this.act(t("said.letters.dropped"), "DELETE", path);
    return html`<div tabindex="-1">${
      letters.length === 0
        ? html`<p class="quiet">${queue}: ${t("admin.letters.none")}</p>`
        : html`<ul class="plain">${letters.map(({ body, reason }) => html`<li><code>${body.slice(0, 200)}</code> <small>${reason}</small></li>`)}</ul>
          <p class="actions">${button("admin.replay", queue, replay)} ${button("admin.drop", queue, drop)}</p>`
    }</div>`;
  }

  #doctor() {
    if (this.findings.length === 0) return nothing;
    return html`<h2>${t("admin.doctor")}</h2>
      <ul class="plain">${this.findings.map(
        ({ name, ok, seen, advice }) => html`<li class=${ok ? "good" : "bad"}>
          <span><span class="word">${t(ok ? "admin.well" : "admin.ill")}</span> ${name}
            <small>${seen} ${ok ? "" : advice}</small></span></li>`,
      )}</ul>`;
  }
}

/**
 * Show a button that says to ears, too, whom or what it is about.
 * @param {string} key
 * @param {string} name
 * @param {() => void} act
 */
function button(key, name, act) {
  const what = t(key);
  return html`<button aria-label=${t("of.file", { what, name })} @click=${act}>${what}</button>`;
}
