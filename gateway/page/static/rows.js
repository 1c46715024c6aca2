/** What a row says and offers: one function of the upload, the job and what this tab knows of them. */

/**
 * @typedef {[string, Record<string, any>?]} Text a key of the texts, and what stands in it
 * @typedef {"pause" | "resume" | "choose" | "cancel" | "stop" | "download" | "play" | "again" | "delete" | "undo" | "dismiss"} Action
 * @typedef {object} Local what this tab knows of a file on its way
 * @property {string} key
 * @property {string} name
 * @property {number} size of the file that was chosen
 * @property {"checking" | "waiting" | "extracting" | "sending" | "paused" | "offline" | "sealed" | "refused" | "canceled"} state
 * @property {number} sent
 * @property {number} total what is to be sent: the file, or only its sound
 * @property {boolean} soundOnly
 * @property {number} [extracted] from 0 to 1
 * @property {boolean} [stalled]
 * @property {number | null} [rate] bytes a second
 * @property {number | null} [left] seconds
 * @property {import("./checks.js").Refusal} [problem]
 *
 * @typedef {object} Row
 * @property {string} state
 * @property {string} name
 * @property {Text} text
 * @property {Text | null} detail
 * @property {(string | Text)[]} notes sentences of the server, or texts
 * @property {number | null} progress from 0 to 1, null where there is none to tell
 * @property {Action[]} actions
 * @property {"busy" | "good" | "bad" | "warn" | "calm"} tone
 */

const OVER = ["done", "failed", "canceled", "expired"];
/** A bar that stands at the end before the work does would be a lie. */
const ALMOST = 0.99;
const SENDING_ELSEWHERE_MS = 20_000;

/**
 * @param {{upload?: any, job?: any, local?: Local, deleting?: boolean, left?: number | null}} documents
 *   `deleting` says, where the job is being deleted, whether that can still be undone
 * @param {number} now milliseconds
 * @returns {Row}
 */
export function row({ upload, job, local, deleting, left }, now) {
  const name = job?.source.filename ?? local?.name ?? upload?.filename ?? "";
  /** @type {(state: string, more: Partial<Row>) => Row} */
  const made = (state, more) => ({
    state,
    name,
    text: [`row.${state}`],
    detail: null,
    notes: [],
    progress: null,
    actions: [],
    tone: "calm",
    ...more,
  });
  if (deleting !== undefined) return made("deleting", { actions: deleting ? ["undo"] : [] });
  if (job && job.state !== "uploading") return ofJob(job, left ?? null, made);
  if (local) return ofLocal(local, made);
  if (upload) return ofUpload(upload, now, made);
  return made("arriving", { tone: "busy" });
}

/**
 * @param {any} job
 * @param {number | null} left seconds
 * @param {(state: string, more: Partial<Row>) => Row} made
 * @returns {Row}
 */
function ofJob(job, left, made) {
  const again = job.links.retry ? /** @type {Action[]} */ (["again"]) : [];
  switch (job.state) {
    case "queued":
      return made("queued", {
        text: job.queue?.position
          ? ["row.queued.place", { n: job.queue.position }]
          : ["row.queued"],
        detail:
          job.attempt > 0
            ? ["row.another.attempt", { n: job.attempt + 1 }]
            : job.eta_seconds === null || job.eta_seconds === undefined
              ? null
              : ["left", { seconds: job.eta_seconds }],
        actions: ["stop"],
        tone: "busy",
      });
    case "converting": {
      const phase = job.phase ?? "converting";
      if (phase !== "converting") return made(phase, { actions: ["stop"], tone: "busy" });
      const progress = Math.min(job.progress, ALMOST);
      return made("converting", {
        text: ["row.converting", { percent: progress }],
        detail: left === null ? null : ["left", { seconds: left }],
        progress,
        actions: ["stop"],
        tone: "busy",
      });
    }
    case "done": {
      const whole = job.result.complete !== false;
      return made(whole ? "ready" : "partial", {
        detail: [
          "mp3",
          { seconds: job.result.duration, bytes: job.result.size, ...kind(job.result) },
        ],
        notes: (job.result.warnings ?? []).map((/** @type {any} */ warning) => warning.message),
        actions: ["download", "play", ...again, "delete"],
        tone: whole ? "good" : "warn",
      });
    }
    case "failed":
      return made("failed", {
        notes: [job.error?.message, job.error?.hint].filter(Boolean),
        actions: [...again, "delete"],
        tone: "bad",
      });
    case "canceled":
      return made("canceled", { actions: [...again, "delete"] });
    default:
      return made("expired", { actions: ["delete"] });
  }
}

/** @param {any} result */
function kind({ quality, bitrate }) {
  if (typeof quality === "string" && quality.startsWith("V")) return { quality };
  return {
    quality: bitrate ? `${Math.round(bitrate > 1000 ? bitrate / 1000 : bitrate)} kbit/s` : "",
  };
}

/**
 * @param {Local} local
 * @param {(state: string, more: Partial<Row>) => Row} made
 * @returns {Row}
 */
function ofLocal(local, made) {
  const share = local.total > 0 ? Math.min(local.sent / local.total, ALMOST) : 0;
  const what = /** @type {Text} */ (
    local.soundOnly
      ? ["sound.only", { sent: local.total, whole: local.size }]
      : ["whole", { bytes: local.size }]
  );
  switch (local.state) {
    case "checking":
      return made("checking", { tone: "busy" });
    case "waiting":
      return made("waiting", { detail: what, actions: ["cancel"] });
    case "extracting":
      return made("extracting", {
        text: ["row.extracting", { percent: local.extracted ?? 0 }],
        detail: ["whole", { bytes: local.size }],
        progress: local.extracted ?? 0,
        actions: ["cancel"],
        tone: "busy",
      });
    case "sending":
      return made(local.stalled ? "stalled" : "sending", {
        text: [local.stalled ? "row.stalled" : "row.sending", { percent: share }],
        detail:
          local.rate && local.left !== null && local.left !== undefined && !local.stalled
            ? ["pace", { rate: local.rate, seconds: local.left, what }]
            : what,
        progress: share,
        actions: ["pause", "cancel"],
        tone: local.stalled ? "warn" : "busy",
      });
    case "paused":
      return made("paused", {
        text: ["row.paused", { percent: share }],
        detail: what,
        progress: share,
        actions: ["resume", "cancel"],
      });
    case "offline":
      return made("offline", {
        text: ["row.offline", { percent: share }],
        detail: what,
        notes: local.problem ? [local.problem.message, local.problem.hint].filter(Boolean) : [],
        progress: share,
        actions: ["resume", "cancel"],
        tone: "warn",
      });
    case "sealed":
      return made("sealed", { detail: what, tone: "busy" });
    default:
      return made("refused", {
        notes: [local.problem?.message ?? "", local.problem?.hint ?? ""].filter(Boolean),
        actions: ["dismiss"],
        tone: "bad",
      });
  }
}

/**
 * @param {any} upload
 * @param {number} now
 * @param {(state: string, more: Partial<Row>) => Row} made
 * @returns {Row}
 */
function ofUpload(upload, now, made) {
  const share = upload.length ? Math.min(upload.offset / upload.length, ALMOST) : 0;
  const elsewhere = now - Date.parse(upload.updated_at) < SENDING_ELSEWHERE_MS;
  if (elsewhere && !upload.interrupted)
    return made("elsewhere", {
      text: ["row.elsewhere", { percent: share }],
      progress: share,
      actions: ["choose", "cancel"],
      tone: "busy",
    });
  return made("forgotten", {
    text: ["row.forgotten", { percent: share, name: upload.filename }],
    detail: ["kept.until", { time: upload.expires_at }],
    progress: share,
    actions: ["choose", "cancel"],
    tone: "warn",
  });
}

/**
 * Tell whether a job will not change by itself any more.
 * @param {any} job
 */
export function isOver(job) {
  return OVER.includes(job.state);
}

/**
 * Return what a change of a row is announced by, or null where it is nothing to interrupt anybody for.
 * @param {Row | undefined} before
 * @param {Row} after
 * @returns {Text | null}
 */
export function announcement(before, after) {
  if (before === undefined) return null;
  const name = { name: after.name };
  const quarter = (/** @type {Row} */ row) => Math.floor((row.progress ?? 0) * 4);
  const stateOf = (/** @type {Row} */ row) => (row.state === "stalled" ? "sending" : row.state);
  const state = stateOf(after);
  if (stateOf(before) === state) {
    if (!["sending", "converting"].includes(state) || quarter(after) <= quarter(before))
      return null;
    return [`said.${state}.percent`, { ...name, percent: quarter(after) / 4 }];
  }
  const told = [
    "sending",
    "paused",
    "offline",
    "converting",
    "ready",
    "partial",
    "failed",
    "refused",
    "canceled",
    "deleting",
  ];
  if (!told.includes(state)) return null;
  return [`said.${state}`, { ...name, why: after.notes[0] ?? "" }];
}

/**
 * Tell whether a file is the one that an upload was begun with.
 * @param {any} upload
 * @param {{name: string, size: number, lastModified: number}} file
 */
export function isSameFile(upload, file) {
  const { name, size, modified } = upload.metadata ?? {};
  return name === file.name && size === String(file.size) && modified === String(file.lastModified);
}

/**
 * Return what tus' `Upload-Metadata` says: pairs of a name and a value in Base64.
 * @param {string} header
 * @returns {Record<string, string>}
 */
export function metadataOf(header) {
  const pairs = header.split(",").map((pair) => pair.trim().split(" "));
  return Object.fromEntries(pairs.map(([name, value = ""]) => [name, decoded(value)]));
}

/** @param {string} base64 */
function decoded(base64) {
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
}
