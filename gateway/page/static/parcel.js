/** What of a file is sent: all of it, or its sound alone. */
import { isMatroska, isPlainMp4 } from "./container.js";

/** Below this, taking out the sound saves too little. */
const SOUND_FROM_BYTES = 8 * 1000 * 1000;
/** So does a sound that is nearly all there is. */
const MOST_OF_A_FILE = 0.9;

/**
 * @typedef {object} Parcel
 * @property {Blob} body
 * @property {boolean} soundOnly
 * @property {string} digest of a sound; empty where the browser cannot tell
 */

/**
 * Return what is to be sent of a file.
 * @param {File} file
 * @param {boolean} soundWanted
 * @param {(done: number) => void} onProgress from 0 to 1, once there is something to wait for
 * @param {AbortSignal} signal
 * @returns {Promise<Parcel>}
 */
export async function pack(file, soundWanted, onProgress, signal) {
  const whole = { body: file, soundOnly: false, digest: "" };
  if (!soundWanted || file.size < SOUND_FROM_BYTES) return whole;
  onProgress(0);
  const sound = await soundOf(file, onProgress, signal);
  if (sound === null || sound.size > MOST_OF_A_FILE * file.size) return whole;
  return { body: sound, soundOnly: true, digest: await digest(sound) };
}

/**
 * Tell whether an unfinished upload is of the same bytes.
 * @param {Parcel} parcel
 * @param {any} upload
 */
export function continues({ body, soundOnly, digest }, upload) {
  const { sound, digest: begun } = upload.metadata ?? {};
  if (soundOnly !== (sound === "true") || body.size !== upload.length) return false;
  return !soundOnly || (digest !== "" && digest === begun);
}

/**
 * @param {File} file
 * @param {(done: number) => void} onProgress
 * @param {AbortSignal} signal
 */
async function soundOf(file, onProgress, signal) {
  try {
    const module = await takerOf(file);
    return module && (await module.extract(file, onProgress, signal));
  } catch {
    return null; // what cannot be taken apart here travels whole: the converter knows more formats
  }
}

/**
 * Return what takes the sound out of such a file, so that the MP3 is the same as from the whole.
 *
 * The clock of a transport stream is among its pictures: it travels whole.
 * @param {File} file
 */
async function takerOf(file) {
  if (await isMatroska(file)) return import("./matroska.js");
  return (await isPlainMp4(file)) ? import("./sound.js") : null;
}

/** @param {Blob} blob */
async function digest(blob) {
  if (!crypto.subtle) return ""; // only a page over HTTPS, or of this machine, has it
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
