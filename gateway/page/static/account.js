/** One's own account: password, the browsers that are logged in, the way out. */
import { announce } from "./announcements.js";
import { ask, Problem } from "./api.js";
import { current, languages, refused, speak, t } from "./texts.js";
import { html, nothing } from "./vendor/lit-html/lit-html.js";

/**
 * @typedef {object} Context
 * @property {any} me
 * @property {any[] | null} sessions
 * @property {Problem | null} problem
 * @property {() => void} changed
 * @property {(everywhere: boolean) => void} leave
 * @property {(note: string) => void} left the session is over
 */

/** @param {Context} context */
export function view(context) {
  const open = (/** @type {any} */ event) => event.target.open && load(context);
  return html`
    <details class="account" @toggle=${open}>
      <summary><span class="who"><bdi>${context.me.username}</bdi></span></summary>
      <div class="card menu">
        <form class="form" @submit=${(/** @type {SubmitEvent} */ event) => changePassword(event, context)}>
          <h2>${t("password.change")}</h2>
          ${context.problem ? html`<p class="problem" role="alert">${refused(context.problem)}</p>` : nothing}
          <input type="hidden" name="username" autocomplete="username" value=${context.me.username}>
          <label>${t("password.old")} <input name="old" type="password" autocomplete="current-password" required></label>
          <label>${t("password.new")} <input name="new" type="password" autocomplete="new-password" minlength="12" maxlength="128" required></label>
          <button>${t("password.change")}</button>
        </form>
        ${context.sessions ? sessionsView(context.sessions, context) : nothing}
        <p class="actions">
          <button data-do="log-out" @click=${() => context.leave(false)}>${t("log.out")}</button>
          <button data-do="log-out-all" @click=${() => context.leave(true)}>${t("log.out.all")}</button>
        </p>
      </div>
    </details>`;
}

/**
 * @param {any[]} sessions
 * @param {Context} context
 */
function sessionsView(sessions, context) {
  return html`<h2>${t("sessions")}</h2>
    <ul class="plain" tabindex="-1">${sessions.map((session) => sessionView(session, context))}</ul>`;
}

/**
 * @param {any} session
 * @param {Context} context
 */
function sessionView({ id, agent, last_used_at: time }, context) {
  const name = browserOf(agent);
  if (id === context.me.session)
    return html`<li><span><bdi>${name}</bdi> <small>${t("session.here")}</small></span></li>`;
  const label = t("of.file", { what: t("session.end"), name });
  return html`<li><span><bdi>${name}</bdi> <small>${t("session.used", { time })}</small></span>
    <button aria-label=${label} @click=${() => endSession(id, name, context)}>${t("session.end")}</button></li>`;
}

/** @param {string} agent */
function browserOf(agent) {
  const browser = /(Edg|Firefox|Chrome|Safari|curl)\/(\d+)/.exec(agent);
  const system = /(Android|iPhone|iPad|Windows|Mac OS X|Linux)/.exec(agent);
  return [browser ? `${browser[1]} ${browser[2]}` : agent.slice(0, 40), system?.[1]]
    .filter(Boolean)
    .join(", ");
}

/** @param {Context} context */
async function load(context) {
  await attempt(context, async () => {
    context.sessions = (await ask("GET", "v1/me/sessions")).sessions;
  });
}

/**
 * @param {string} id
 * @param {string} name
 * @param {Context} context
 */
async function endSession(id, name, context) {
  await attempt(context, async () => {
    await ask("DELETE", `v1/me/sessions/${encodeURIComponent(id)}`);
    announce(t("said.session.ended", { name }));
    context.sessions = (await ask("GET", "v1/me/sessions")).sessions;
  });
}

/**
 * @param {SubmitEvent} event
 * @param {Context} context
 */
async function changePassword(event, context) {
  event.preventDefault();
  const fields = new FormData(/** @type {HTMLFormElement} */ (event.target));
  const basic = new TextEncoder().encode(`${context.me.username}:${fields.get("old")}`);
  await attempt(context, async () => {
    await ask("PUT", "v1/me/password", {
      json: { password: fields.get("new") },
      headers: { Authorization: `Basic ${btoa(String.fromCharCode(...basic))}` },
      credentials: "omit",
    });
    context.left(t("password.changed"));
  });
}

/**
 * @param {Context} context
 * @param {() => Promise<void>} work
 */
async function attempt(context, work) {
  context.problem = null;
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    context.problem = error;
  }
  context.changed();
}

/** @param {() => void} changed */
export function languageView(changed) {
  const choose = async (/** @type {any} */ event) => {
    await speak(event.target.value);
    changed();
  };
  return html`<label class="language">${t("language")}
    <select @change=${choose}>${languages().map(
      (tag) =>
        html`<option value=${tag} lang=${tag} ?selected=${tag === current()}>${t(`language.${tag}`)}</option>`,
    )}</select></label>`;
}
