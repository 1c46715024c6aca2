/** Look into a file, without reading it: what it is, whether all of it is there, whether it has chapters. */

const MOST_OF_A_HEADER = 64 * 1024 * 1024;

/** @type {[string, (head: Uint8Array) => boolean][]} */
const NO_MEDIA = [
  ["pdf", (head) => text(head, 0, 4) === "%PDF"],
  [
    "archive",
    (head) =>
      text(head, 0, 4) === "PK\x03\x04" || text(head, 0, 4) === "Rar!" || text(head, 0, 2) === "7z",
  ],
  ["picture", (head) => /^(\x89PNG|\xff\xd8\xff|GIF8)/.test(text(head, 0, 4))],
  ["picture", (head) => text(head, 0, 4) === "RIFF" && text(head, 8, 12) === "WEBP"],
  ["page", (head) => /^\s*<(!doctype|html)/i.test(text(head, 0, 64))],
];

/**
 * @param {Uint8Array} bytes
 * @param {number} from
 * @param {number} to
 */
const text = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

/**
 * @param {Blob} file
 * @param {number} from
 * @param {number} length
 */
async function read(file, from, length) {
  return new Uint8Array(await file.slice(from, from + length).arrayBuffer());
}

/**
 * Return what a file looks like that is surely no video, and null for all others.
 * @param {Blob} file
 */
export async function noMedia(file) {
  const head = await read(file, 0, 64);
  return NO_MEDIA.find(([, looks]) => looks(head))?.[0] ?? null;
}

/**
 * Tell whether this is Matroska or WebM.
 * @param {Blob} file
 */
export async function isMatroska(file) {
  return text(await read(file, 0, 4), 0, 4) === "\x1aE\xdf\xa3";
}

/**
 * Tell whether this is an MP4 or MOV that is all there, in one piece, and without chapters, which would be lost.
 *
 * Where part of it is missing, the sound alone would hide that.
 * @param {Blob} file
 */
export async function isPlainMp4(file) {
  return text(await read(file, 0, 8), 4, 8) === "ftyp" && hasPlainBoxes(file);
}

/**
 * ISO/IEC 14496-12: boxes of a size and a type, one after the other to the end of the file.
 * @param {Blob} file
 */
async function hasPlainBoxes(file) {
  let header = false;
  for (let at = 0; at < file.size; ) {
    const box = await read(file, at, 16);
    if (box.length < 8) return false;
    const view = new DataView(box.buffer);
    let length = view.getUint32(0);
    if (length === 1 && box.length === 16) length = Number(view.getBigUint64(8));
    if (length === 0) length = file.size - at;
    const kind = text(box, 4, 8);
    if (length < 8 || at + length > file.size || kind === "moof") return false;
    if (kind === "moov") {
      if (length > MOST_OF_A_HEADER || has(await read(file, at, length), "chpl", "chap"))
        return false;
      header = true;
    }
    at += length;
  }
  return header;
}

/**
 * @param {Uint8Array} bytes
 * @param {string[]} marks
 */
function has(bytes, ...marks) {
  return marks.some((mark) => find(bytes, mark) >= 0);
}

/**
 * @param {Uint8Array} bytes
 * @param {string} mark
 */
function find(bytes, mark) {
  const codes = [...mark].map((letter) => letter.charCodeAt(0));
  for (let at = bytes.indexOf(codes[0]); at >= 0; at = bytes.indexOf(codes[0], at + 1))
    if (codes.every((code, i) => bytes[at + i] === code)) return at;
  return -1;
}
