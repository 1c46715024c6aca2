/** The way in. */
import { ask } from "./api.js";
import { refused, t } from "./texts.js";
import { html, nothing } from "./vendor/lit-html/lit-html.js";

/**
 * @param {{problem: import("./api.js").Problem | null, note: string, busy: boolean}} state
 * @param {(event: SubmitEvent) => void} onSubmit
 */
export function view({ problem, note, busy }, onSubmit) {
  return html`
    <main class="narrow">
      <form class="card form" method="post" action="session" @submit=${onSubmit}>
        <h2>${t("log.in.title")}</h2>
        ${note ? html`<p class="note">${note}</p>` : nothing}
        ${
          problem
            ? html`<p class="problem" role="alert" id="refused">${refused(problem)}</p>`
            : nothing
        }
        <label>${t("username")}
          <input name="username" type="email" autocomplete="username" required autofocus
            aria-describedby=${problem ? "refused" : nothing}></label>
        <label>${t("password")}
          <input name="password" type="password" autocomplete="current-password" required></label>
        <button class="primary" ?disabled=${busy}>${t("log.in")}</button>
      </form>
    </main>`;
}

/**
 * Log in with what the form holds, and return who that is.
 * @param {HTMLFormElement} form
 */
export async function logIn(form) {
  const { username, password } = Object.fromEntries(new FormData(form));
  return ask("POST", "session", { json: { username, password } });
}
