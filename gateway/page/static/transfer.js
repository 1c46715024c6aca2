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
 * Send what is missing, and return what stops that.
 * @param {Blob} body
 * @param {string | null} url of an upload that was begun
 * @param {Record<string, string>} metadata
 * @param {string} key the same for the same upload, so that a lost answer makes no second one
 * @param {Heard} heard
 * @returns {Promise<() => void>}
 */
export async function send(body, url, metadata, key, heard) {
  await import("./vendor/tus-js-client/tus.js");
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
    onUploadUrlAvailable: () => heard.begun(upload.url),
    onProgress: heard.sent,
    onSuccess: heard.done,
    onError: (/** @type {any} */ error) => heard.failed(problemOf(error)),
  });
  upload.start();
  return () => upload.abort();
}

/** @param {any} error of tus-js-client */
function problemOf({ originalResponse: answer }) {
  if (!answer) return new Problem(0, "offline", "", "");
  return Problem.of(answer.getStatus(), answer.getBody() ?? "", answer.getHeader("Retry-After"));
}

/**
 * End an unfinished upload; one that is gone already is as good.
 * @param {string} url
 */
export async function end(url) {
  try {
    await ask("DELETE", url, { headers: TUS });
  } catch (error) {
    if (!(error instanceof Problem) || ![404, 409].includes(error.status)) throw error;
  }
}
