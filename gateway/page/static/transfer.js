/** One file's way up by tus; what it does when that breaks is the business of `uploads`. */
import { ask, Problem } from "./api.js";

const TUS = { "Tus-Resumable": "1.0.0" };

/**
 * @typedef {object} Heard
 * @property {(url: string) => void} begun
 * @property {(sent: number) => void} sent
 * @property {() => void} done
 * @property {(problem: Problem) => void} failed
 */

/**
 * Load what sends.
 * @throws {Problem}
 */
export async function ready() {
  try {
    await import("./vendor/tus-js-client/tus.js");
  } catch {
    throw new Problem(0, "offline", "", "");
  }
}

/**
 * Send what is missing, and return what stops that: from then on nothing is heard but the address of an
 * upload that was just being begun, and the stop waits for it.
 * @param {Blob} body
 * @param {string | null} url of an upload that was begun
 * @param {Record<string, string>} metadata
 * @param {string} key the same for the same upload, so that a lost answer makes no second one
 * @param {Heard} heard
 * @returns {() => Promise<void>}
 */
export function send(body, url, metadata, key, heard) {
  let stopped = false;
  let settle = () => {};
  /** @type {Promise<void>} */
  const settled = new Promise((resolve) => {
    settle = resolve;
  });
  const { Upload } = /** @type {any} */ (globalThis).tus;
  const upload = new Upload(body, {
    endpoint: new URL("v1/uploads", document.baseURI).href,
    uploadUrl: url,
    retryDelays: null,
    storeFingerprintForResuming: false,
    metadata,
    onBeforeRequest: (/** @type {any} */ request) => {
      if (request.getMethod() === "POST") request.setHeader("Idempotency-Key", key);
    },
    onUploadUrlAvailable: () => {
      heard.begun(upload.url);
      if (stopped) upload.abort();
      settle();
    },
    onProgress: heard.sent,
    onSuccess: heard.done,
    onError: (/** @type {any} */ error) => {
      settle();
      if (!stopped) heard.failed(problemOf(error));
    },
  });
  upload.start();
  return () => {
    stopped = true;
    if (upload.url) {
      upload.abort();
      settle();
    }
    return settled;
  };
}

/** @param {any} error of tus-js-client */
function problemOf({ originalResponse: answer }) {
  if (!answer) return new Problem(0, "offline", "", "");
  return Problem.of(answer.getStatus(), answer.getBody() ?? "", answer.getHeader("Retry-After"));
}

/**
 * End an unfinished upload.
 * @param {string} url
 * @returns {Promise<boolean>} whether nothing is left of it; otherwise its last byte has made it a job
 */
export async function end(url) {
  try {
    await ask("DELETE", url, { headers: TUS });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.code === "already_complete") return false;
    if (error.status !== 404) throw error;
  }
  return true;
}

/**
 * End an upload, or the job that it has become.
 * @param {string} url
 * @returns {Promise<boolean>} whether nothing is left of it
 */
export async function cancel(url) {
  const ended = await end(url);
  if (!ended) await ask("POST", `v1/jobs/${url.split("/").pop()}/cancel`);
  return ended;
}
