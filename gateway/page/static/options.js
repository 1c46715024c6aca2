/** What to make of the videos: a form that remembers what was chosen last. */
import { t } from "./texts.js";
import { live } from "./vendor/lit-html/directives/live.js";
import { html } from "./vendor/lit-html/lit-html.js";

const REMEMBERED = "options";
const CHOICES = {
  quality: ["auto", "V0", "V2", "V4", "V6", "320", "192", "128", "64"],
  channels: ["auto", "mono", "stereo"],
  loudness: ["off", "podcast", "music", "ebu"],
  split: ["off", "chapters", "silence"],
};
/** @type {Record<string, string>} */
const DEFAULTS = {
  quality: "auto",
  channels: "auto",
  loudness: "off",
  split: "off",
  track: "default",
  sound: "true",
};
/** What belongs to one video only is not remembered. */
export const OF_ONE_FILE = ["start", "end", "title"];

/** Return the options that were chosen last. */
export function remembered() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(REMEMBERED) ?? "{}") };
  } catch {
    return { ...DEFAULTS }; // somebody else's text under our name
  }
}

/** @param {Record<string, string>} options */
export function remember(options) {
  const lasting = Object.entries(options).filter(([name]) => !OF_ONE_FILE.includes(name));
  localStorage.setItem(REMEMBERED, JSON.stringify(Object.fromEntries(lasting)));
}

/**
 * Return those that say something: what a conversion does anyway is not sent.
 * @param {Record<string, string>} options
 */
export function chosen(options) {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => value && value !== DEFAULTS[name]),
  );
}

/**
 * Return the options of a job as this form's texts.
 * @param {Record<string, any>} options
 */
export function ofJob(options) {
  const found = { ...DEFAULTS };
  for (const name of ["quality", "channels", "split", "track", "title"])
    if (options[name]) found[name] = String(options[name]);
  for (const name of ["start", "end"]) if (options[name]) found[name] = String(options[name]);
  const targets = { "-16": "podcast", "-14": "music", "-23": "ebu" };
  if (options.loudness !== null && options.loudness !== undefined)
    found.loudness =
      /** @type {Record<string, string>} */ (targets)[String(options.loudness)] ??
      String(options.loudness);
  return found;
}

/** @param {Record<string, string>} options */
function summary(options) {
  const said = Object.entries(chosen(options)).map(([name, value]) => {
    if (name === "start" || name === "end") return `${t(name)} ${value}`;
    if (name === "sound") return "";
    return name in CHOICES ? label(name, value) : `${t(name)}: ${value}`;
  });
  return said.filter(Boolean).join(", ");
}

/**
 * @param {string} name
 * @param {string} value
 */
function label(name, value) {
  return /^\d+$/.test(value) ? t("quality.fixed", { n: Number(value) }) : t(`${name}.${value}`);
}

/**
 * Show the options for the next files, folded up.
 * @param {Record<string, string>} options
 * @param {(name: string, value: string) => void} onChange
 */
export function view(options, onChange) {
  const said = summary(options);
  return html`
    <details class="options">
      <summary>${said ? t("options.changed", { summary: said }) : t("options")}</summary>
      ${fields(options, onChange, { id: "new" })}
    </details>`;
}

/**
 * Show the fields.
 * @param {Record<string, string>} options
 * @param {(name: string, value: string) => void} onChange
 * @param {{id: string, tracks?: any[], sound?: boolean}} about which form of the page it is
 */
export function fields(options, onChange, { id, tracks, sound = true }) {
  const change = (/** @type {string} */ name) => (/** @type {any} */ event) =>
    onChange(name, event.target.value);
  const choice = (/** @type {keyof typeof CHOICES} */ name) => html`
    <label>${t(name)}
      <select name=${name} @change=${change(name)}>
        ${CHOICES[name].map((value) => html`<option value=${value} ?selected=${options[name] === value}>${label(name, value)}</option>`)}
      </select></label>`;
  const line = (/** @type {string} */ name, /** @type {string} */ hint) => html`
    <label>${t(name)}
      <input name=${name} .value=${live(options[name] ?? "")} placeholder=${hint} maxlength="200"
        autocomplete="off" @input=${change(name)}></label>`;
  return html`
    <div class="fields">
      ${choice("quality")} ${choice("channels")} ${choice("loudness")} ${choice("split")}
      ${tracks && tracks.length > 1 ? trackOf(options, tracks, change("track")) : trackLine(options, change("track"))}
      ${line("start", t("time.hint"))} ${line("end", t("time.hint"))} ${line("title", t("title.hint"))}
    </div>
    ${
      sound
        ? html`<div class="switch"><input type="checkbox" id="${id}-sound" aria-describedby="${id}-sound-hint"
              .checked=${live(options.sound !== "false")}
              @change=${(/** @type {any} */ event) => onChange("sound", String(event.target.checked))}>
            <label for="${id}-sound">${t("sound")}</label>
            <small id="${id}-sound-hint">${t("sound.hint")}</small></div>`
        : ""
    }`;
}

/**
 * @param {Record<string, string>} options
 * @param {(event: any) => void} onChange
 */
function trackLine(options, onChange) {
  const value = options.track === "default" ? "" : options.track;
  return html`<label>${t("track")}
    <input name="track" .value=${live(value)} placeholder=${t("track.default")} title=${t("track.hint")} maxlength="8"
      autocomplete="off" @input=${onChange}></label>`;
}

/**
 * @param {Record<string, string>} options
 * @param {any[]} tracks
 * @param {(event: any) => void} onChange
 */
function trackOf(options, tracks, onChange) {
  const said = (/** @type {any} */ track) =>
    [`${track.number}`, track.language, track.title, track.layout].filter(Boolean).join(" · ");
  return html`<label>${t("track")}
    <select name="track" @change=${onChange}>
      <option value="default" ?selected=${options.track === "default"}>${t("track.default")}</option>
      ${tracks.map((track) => html`<option value=${track.number} ?selected=${options.track === String(track.number)}>${said(track)}</option>`)}
    </select></label>`;
}
