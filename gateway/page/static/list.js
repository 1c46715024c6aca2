/** The rows as they are drawn. */
import * as options from "./options.js";
import * as player from "./player.js";
import { changed, shown, store } from "./state.js";
import { clock, say, t } from "./texts.js";
import { repeat } from "./vendor/lit-html/directives/repeat.js";
import { html, nothing } from "./vendor/lit-html/lit-html.js";

/** Files that wait are counted beyond these. */
const MOST_WAITING = 20;
const PRIMARY = ["download", "choose", "undo"];

/**
 * @typedef {import("./store.js").Item} Item
 * @typedef {import("./acts.js").Acts} Acts
 */

/**
 * @param {Item[]} items
 * @param {Acts} acts
 */
export function view(items, acts) {
  const waiting = items.filter(({ row }) => row.state === "waiting");
  const hidden = new Set(waiting.slice(MOST_WAITING).map(({ key }) => key));
  const drawn = items.filter(({ key }) => !hidden.has(key));
  return html`
    <ul class="rows" role="list">
      ${repeat(
        drawn,
        ({ key }) => key,
        (item) => rowView(item, acts),
      )}
    </ul>
    ${hidden.size > 0 ? html`<p class="quiet">${t("files.rest", { n: hidden.size })}</p>` : nothing}`;
}

/**
 * @param {Item} item
 * @param {Acts} acts
 */
function rowView(item, acts) {
  const { row, job, key } = item;
  const { again } = shown;
  return html`
    <li class="row ${row.tone}" data-state=${row.state} data-id=${job?.id ?? nothing} id="row-${key}" tabindex="-1">
      <div class="line">
        ${markView(item)}
        <div class="what">
          <h3 title=${row.name}><bdi>${row.name}</bdi></h3>
          <p class="status"><span class="word">${say(row.text)}</span>
            ${row.detail ? html`<span class="detail">${say(row.detail)}</span>` : nothing}</p>
        </div>
        <div class="actions">${row.actions.map((action) => button(action, item, acts))}</div>
      </div>
      ${row.progress === null ? nothing : barView(row, row.progress)}
      ${row.notes.length > 0 ? html`<div class="notes">${row.notes.map((note) => html`<p>${sentence(note)}</p>`)}</div>` : nothing}
      ${row.state === "failed" ? technical(job) : nothing}
      ${job?.links.parts ? partsView(job) : nothing}
      ${job && shown.playing === job.id && row.actions.includes("play") ? player.view(job) : nothing}
      ${again && again.id === job?.id ? againView(item, again.options, acts) : nothing}
    </li>`;
}

/** @param {Item} item */
function markView({ row, job }) {
  if (!row.actions.includes("download")) return html`<span class="mark" aria-hidden="true"></span>`;
  const select = () => {
    store.select(job.id);
    changed();
  };
  return html`<input type="checkbox" class="pick" .checked=${store.selected.has(job.id)}
    aria-label=${t("select", { name: row.name })} @change=${select}>`;
}

/**
 * @param {import("./rows.js").Row} row
 * @param {number} progress
 */
function barView(row, progress) {
  const label = t("of.file", { what: say(row.text), name: row.name });
  return html`<progress max="1" .value=${progress} aria-label=${label}></progress>`;
}

/** @param {string | import("./rows.js").Text} note */
const sentence = (note) => (Array.isArray(note) ? say(note) : note);

/**
 * @param {import("./rows.js").Action} action
 * @param {Item} item
 * @param {Acts} acts
 */
function button(action, item, acts) {
  const { row, job } = item;
  const what = t(`do.${action}`);
  const label = t("of.file", { what, name: row.name });
  const kind = PRIMARY.includes(action) ? "primary" : "";
  if (action === "download")
    return html`<a class="button ${kind}" data-do=${action} href=${job.links.mp3} download aria-label=${label}>${what}</a>`;
  const open = { play: shown.playing, again: shown.again?.id }[/** @type {string} */ (action)];
  const expands = action === "play" || action === "again";
  return html`<button class=${kind} data-do=${action} aria-label=${label}
    aria-expanded=${expands ? String(open === job.id) : nothing}
    @click=${() => acts.do(action, item)}>${what}</button>`;
}

/** @param {any} job */
function partsView(job) {
  const { parts } = job.result;
  return html`
    <details class="technical">
      <summary>${t("parts", { n: parts.length })}</summary>
      <p><a href=${job.links.parts} download>${t("parts.zip")}</a></p>
      <ul>
        ${parts.map((/** @type {any} */ { name, duration, url }) => html`<li><a href=${url} download><bdi>${name}</bdi></a> ${clock(duration)}</li>`)}
      </ul>
    </details>`;
}

/** @param {any} job */
function technical(job) {
  return html`
    <details class="technical">
      <summary>${t("technical")}</summary>
      <code>${job.error?.code} · ${job.id}</code>
    </details>`;
}

/**
 * @param {Item} item
 * @param {Record<string, string>} asked
 * @param {Acts} acts
 */
function againView(item, asked, acts) {
  const { id, media } = item.job;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    acts.do("convert", item);
  };
  const change = (/** @type {string} */ name, /** @type {string} */ value) => {
    asked[name] = value;
    changed();
  };
  return html`
    <form class="again" @submit=${submit}>
      ${options.fields(asked, change, { id: `again-${id}`, tracks: media?.tracks, sound: false })}
      <p class="actions"><button class="primary">${t("again.with")}</button></p>
    </form>`;
}
