/** Play an MP3: the browser's own player, its waveform to jump about in, its chapters as buttons. */
import { ask } from "./api.js";
import { clock, t } from "./texts.js";
import { html, nothing } from "./vendor/lit-html/lit-html.js";

/** What is quieter than this, of 255, is not made to look loud. */
const QUIETEST = 32;
/** When a waveform that did not come is asked for again. */
const AGAIN_MS = 10_000;

/** @type {Map<string, number[]>} */
const peaks = new Map();

/**
 * @param {any} job
 */
export function view(job) {
  const { id, source, links, media, result } = job;
  return html`
    <section class="player" aria-label=${t("player.of", { name: source.filename })} data-job=${id}>
      ${
        links.peaks
          ? html`<div class="wave">
              <canvas aria-hidden="true" data-peaks=${links.peaks} height="56"></canvas>
              <input type="range" min="0" max=${result.duration} step="1" value="0" aria-label=${t("waveform")}
                @input=${seek}></div>`
          : nothing
      }
      <audio controls preload="metadata" src="${links.mp3}?inline=1" @timeupdate=${follow} @loadedmetadata=${follow}></audio>
      ${chapters(media?.chapters ?? [], job.options)}
      ${tags(media)}
    </section>`;
}

/**
 * @param {{start: number, end: number, title: string | null}[]} all
 * @param {any} options
 */
function chapters(all, options) {
  const from = options.start ?? 0;
  const heard = all.filter(
    ({ start, end }) =>
      (end ?? start) > from &&
      (options.end === null || options.end === undefined || start < options.end),
  );
  if (heard.length === 0) return nothing;
  return html`
    <h4>${t("chapters")}</h4>
    <ol class="chapters">
      ${heard.map(({ start, title }, index) => {
        const at = Math.max(0, start - from);
        return html`<li><button @click=${(/** @type {Event} */ event) => jump(event, at)}>
          <span class="clock">${clock(at)}</span> <bdi>${title || t("chapter", { n: index + 1 })}</bdi></button></li>`;
      })}
    </ol>`;
}

/** @param {any} media */
function tags(media) {
  const shown = ["title", "artist", "album", "date", "genre"].filter((name) => media?.tags?.[name]);
  if (shown.length === 0 && !media?.cover) return nothing;
  return html`<dl class="tags">
    ${shown.map((name) => html`<div><dt>${t(`tag.${name}`)}</dt><dd><bdi>${media.tags[name]}</bdi></dd></div>`)}
    ${media.cover ? html`<div><dd>${t("cover")}</dd></div>` : nothing}</dl>`;
}

/** @param {Event} event */
const playerOf = (event) =>
  /** @type {HTMLElement} */ (/** @type {HTMLElement} */ (event.target).closest(".player"));
/** @param {Element} player */
const audioOf = (player) => /** @type {HTMLAudioElement} */ (player.querySelector("audio"));

/**
 * @param {Event} event
 * @param {number} at seconds
 */
function jump(event, at) {
  const audio = audioOf(playerOf(event));
  audio.currentTime = at;
  audio.play().catch(() => follow(event)); // the browser wants a click of its own first
}

/** @param {Event} event */
function seek(event) {
  audioOf(playerOf(event)).currentTime = Number(
    /** @type {HTMLInputElement} */ (event.target).value,
  );
}

/** @param {Event} event */
function follow(event) {
  const player = playerOf(event);
  const audio = audioOf(player);
  const range = /** @type {HTMLInputElement | null} */ (player.querySelector("input[type=range]"));
  if (range === null) return;
  range.value = String(audio.currentTime);
  range.setAttribute(
    "aria-valuetext",
    t("waveform.at", { at: clock(audio.currentTime), total: clock(audio.duration || 0) }),
  );
  draw(
    /** @type {HTMLCanvasElement} */ (player.querySelector("canvas")),
    audio.currentTime / (audio.duration || 1),
  );
}

/** Draw the waveforms of the players that were opened just now. */
export function drawNew() {
  for (const canvas of /** @type {NodeListOf<HTMLCanvasElement>} */ (
    document.querySelectorAll("canvas[data-peaks]:not([data-drawn])")
  )) {
    canvas.dataset.drawn = "";
    const path = canvas.dataset.peaks ?? "";
    if (peaks.has(path)) draw(canvas, 0);
    else
      ask("GET", path).then(
        (answer) => {
          peaks.set(path, answer.peaks);
          draw(canvas, 0);
        },
        () => setTimeout(() => canvas.removeAttribute("data-drawn"), AGAIN_MS), // it is only a picture
      );
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} played from 0 to 1
 */
function draw(canvas, played) {
  const values = peaks.get(canvas.dataset.peaks ?? "");
  const context = canvas.getContext("2d");
  if (!values?.length || !context) return;
  const scale = devicePixelRatio;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = width * scale;
  canvas.height = height * scale;
  context.scale(scale, scale);
  const { color: ahead, caretColor: behind } = getComputedStyle(canvas);
  const bars = Math.max(1, Math.floor(width / 3));
  const loudest = Math.max(QUIETEST, ...values);
  for (let bar = 0; bar < bars; bar++) {
    const from = Math.floor((bar * values.length) / bars);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * values.length) / bars));
    const tall = Math.max(2, (Math.max(...values.slice(from, to)) / loudest) * height);
    context.fillStyle = bar / bars < played ? behind : ahead;
    context.fillRect(bar * 3, (height - tall) / 2, 2, tall);
  }
}
