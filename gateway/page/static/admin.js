/** What administrators may: users, everybody's jobs, messages that nobody could read. */
import { ask } from "./api.js";
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

  /**
   * @param {() => void} changed
   * @param {(error: unknown) => void} complain
   */
  constructor(changed, complain) {
    this.changed = changed;
    this.complain = complain;
  }

  async load() {
    const owner = this.owner ? `&owner=${encodeURIComponent(this.owner)}` : "";
    const [users, jobs, ...letters] = await Promise.all([
      ask("GET", "v1/admin/users"),
      ask("GET", `v1/admin/jobs?limit=20${owner}`),
      ...QUEUES.map((queue) => ask("GET", `v1/admin/dead-letters/${queue}`)),
    ]);
    this.users = users.users;
    this.jobs = jobs.jobs;
    this.letters = Object.fromEntries(QUEUES.map((queue, i) => [queue, letters[i].dead_letters]));
    this.changed();
    this.findings = (await ask("GET", "v1/admin/doctor")).findings; // it takes its time
    this.changed();
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [json]
   */
  async act(method, path, json) {
    try {
      const answer = await ask(method, `v1/admin/${path}`, { json });
      this.told = answer?.password
        ? t("admin.user.added", { name: answer.username, password: answer.password })
        : "";
      await this.load();
    } catch (error) {
      this.complain(error);
    }
  }

  view() {
    const open = (/** @type {any} */ event) =>
      event.target.open && this.load().catch(this.complain);
    return html`<details class="card admin" @toggle=${open}><summary>${t("admin")}</summary>
      ${this.told ? html`<p class="note" role="status"><bdi>${this.told}</bdi></p>` : nothing}
      ${this.#users()} ${this.#jobs()} ${this.#letters()} ${this.#doctor()}</details>`;
  }

  #users() {
    const add = (/** @type {any} */ event) => {
      event.preventDefault();
      this.act("POST", "users", { username: new FormData(event.target).get("username") });
      event.target.reset();
    };
    return html`<h2>${t("admin.users")}</h2>
      <ul class="plain">${this.users.map(({ username, admin, disabled }) => {
        const path = `users/${encodeURIComponent(username)}`;
        return html`<li><span><bdi>${username}</bdi> <small>${[admin && t("admin.is"), disabled && t("admin.disabled")].filter(Boolean).join(", ")}</small></span>
          <span class="actions">
            <button @click=${() => this.act("PATCH", path, { disabled: !disabled })}>${t(disabled ? "admin.enable" : "admin.disable")}</button>
            <button @click=${() => this.act("PATCH", path, { password: "generate" })}>${t("admin.reset")}</button></span></li>`;
      })}</ul>
      <form class="filter" @submit=${add}>
        <input name="username" type="email" required maxlength="254" aria-label=${t("username")} placeholder=${t("username")}>
        <button>${t("admin.add")}</button></form>`;
  }

  #jobs() {
    const narrow = (/** @type {any} */ event) => {
      this.owner = event.target.value.trim();
      this.load().catch(this.complain);
    };
    return html`<h2>${t("admin.jobs")}</h2>
      <input type="search" aria-label=${t("admin.owner")} placeholder=${t("admin.owner")} maxlength="254" @change=${narrow}>
      <ul class="plain">${this.jobs.map(
        ({ id, owner, state, source, error, links }) => html`<li>
          <span><bdi>${source.filename}</bdi> <small><bdi>${owner}</bdi> · ${t(`state.${state}`)} ${error?.message ?? ""}</small></span>
          ${links.retry ? html`<button @click=${() => this.act("POST", `jobs/${id}/requeue`)}>${t("admin.requeue")}</button>` : nothing}
          ${links.cancel ? html`<button @click=${() => this.act("POST", `jobs/${id}/fail`)}>${t("admin.fail")}</button>` : nothing}
        </li>`,
      )}</ul>`;
  }

  #letters() {
    return html`<h2>${t("admin.letters")}</h2>
      ${QUEUES.map((queue) => {
        const letters = this.letters[queue] ?? [];
        if (letters.length === 0)
          return html`<p class="quiet">${queue}: ${t("admin.letters.none")}</p>`;
        return html`<ul class="plain">${letters.map(({ body, reason }) => html`<li><code>${body.slice(0, 200)}</code> <small>${reason}</small></li>`)}</ul>
          <p class="actions"><button @click=${() => this.act("POST", `dead-letters/${queue}/replay`)}>${t("admin.replay")}</button>
            <button @click=${() => this.act("DELETE", `dead-letters/${queue}`)}>${t("admin.drop")}</button></p>`;
      })}`;
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
