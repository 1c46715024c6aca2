/** What is wrong with a file, told before a byte of it is sent. */
import { noMedia } from "./container.js";

/**
 * @typedef {{code: string, message: any, hint: any}} Refusal with sentences of the server, or texts of ours
 */

/**
 * Return a refusal in our own words.
 * @param {string} key of the texts; `key.hint` says what to do
 * @param {Record<string, any>} [values]
 * @returns {Refusal}
 */
export const refusal = (key, values) => ({
  code: key,
  message: [key, values],
  hint: [`${key}.hint`],
});

/**
 * Return what is wrong with a file, or null.
 * @param {File} file
 */
export async function lookAt(file) {
  if (file.size === 0) return refusal("no.empty");
  try {
    const kind = await noMedia(file);
    return kind === null ? null : refusal("no.media", { kind: [`kind.${kind}`] });
  } catch {
    return refusal("no.read"); // the browser may not read it, or not any more
  }
}

/**
 * Return which limit so many bytes would break, or null.
 * @param {number} bytes
 * @param {{limits: any, usage: any}} allowed null where the server has not told yet: it will refuse
 */
export function tooMuch(bytes, { limits, usage }) {
  if (!limits) return null;
  if (bytes > limits.max_upload_bytes)
    return refusal("no.large", { bytes, limit: limits.max_upload_bytes });
  if (usage && usage.stored_bytes + bytes > limits.max_stored_bytes)
    return refusal("no.full", { used: usage.stored_bytes, limit: limits.max_stored_bytes });
  return null;
}

/**
 * Tell whether a file can be read still.
 * @param {Blob} file
 */
export async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
