/** The list of files with its search, its selection and its end. */
import * as list from "./list.js";
import { changed, store } from "./state.js";
import { t } from "./texts.js";
import { html, nothing } from "./vendor/lit-html/lit-html.js";

const STATES = ["", "done", "converting", "queued", "failed", "canceled"];
const TYPING_MS = 250;

/** @typedef {import("./store.js").Item} Item */

/**
 * @param {Item[]} items
 * @param {import("./acts.js").Acts} acts
 * @param {(more?: boolean) => void} load
 */
export function view(items, acts, load) {
  const { q, state } = store.filter;
  const empty = q || state ? "files.none.found" : "files.none";
  return html`
    <section class="files" aria-labelledby="files-title">
      <div class="bar"><h2 id="files-title">${t("files")}</h2>${filterView(load)}</div>
      ${selectionView(items, acts)}
      ${
        items.length === 0
          ? html`<p class="quiet empty">${t(store.loaded ? empty : "files.loading")}</p>`
          : nothing
      }
      ${list.view(items, acts)}
      ${
        store.next
          ? html`<p class="more"><button @click=${() => load(true)}>${t("files.more")}</button></p>`
          : nothing
      }
    </section>`;
}

/** @type {ReturnType<typeof setTimeout>} */
let typing;

/** @param {() => void} load */
function filterView(load) {
  const change = (/** @type {"q" | "state"} */ name) => (/** @type {any} */ event) => {
    store.narrow(name, event.target.value.trim());
    clearTimeout(typing);
    typing = setTimeout(load, name === "q" ? TYPING_MS : 0);
  };
  const still = (/** @type {Event} */ event) => event.preventDefault();
  return html`
    <form class="filter" role="search" @submit=${still}>
      <input type="search" aria-label=${t("search")} placeholder=${t("search")} maxlength="100" @input=${change("q")}>
      <select aria-label=${t("state")} @change=${change("state")}>
        ${STATES.map((state) => html`<option value=${state}>${t(`state.${state}`)}</option>`)}
      </select>
    </form>`;
}

/**
 * @param {Item[]} items
 * @param {import("./acts.js").Acts} acts
 */
function selectionView(items, acts) {
  const ready = items.filter(({ row }) => row.actions.includes("download"));
  const chosen = ready.filter(({ job }) => store.selected.has(job.id));
  if (chosen.length === 0) return nothing;
  const change = (/** @type {() => void} */ how) => () => {
    how();
    changed();
  };
  const all = change(() => ready.forEach(({ job }) => void store.selected.add(job.id)));
  const none = change(() => store.selected.clear());
  const remove = change(() => chosen.forEach((item) => void acts.delete(item)));
  const ids = chosen.map(({ job }) => job.id).join(",");
  return html`
    <div class="selection" role="group" aria-label=${t("selected", { n: chosen.length })}>
      <span>${t("selected", { n: chosen.length })}</span>
      <a class="button primary" data-do="zip" download href="v1/jobs/archive?ids=${ids}">${t("zip.all")}</a>
      <button @click=${all}>${t("select.all")}</button>
      <button @click=${none}>${t("select.none")}</button>
      <button @click=${remove}>${t("delete.selected")}</button>
    </div>`;
}
