/** Copy the sound out of a Matroska or WebM file, element by element and unchanged (RFC 8794, RFC 9559). */

const EBML = 0x1a45dfa3;
const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const SCALE = 0x2ad7b1;
const DURATION = 0x4489;
const TRACKS = 0x1654ae6b;
const TRACK = 0xae;
const TRACK_NUMBER = 0xd7;
const TRACK_TYPE = 0x83;
const CLUSTER = 0x1f43b675;
const TIMESTAMP = 0xe7;
const SIMPLE_BLOCK = 0xa3;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
/** Tags, Chapters, Attachments. */
const DESCRIBING = [0x1254c367, 0x1043a770, 0x1941a469];
/** SeekHead, Cues, Void, CRC-32: they are about bytes that are elsewhere now. */
const PLACES = [0x114d9b74, 0x1c53bb6b, 0xec, 0xbf];
const SOUND = 2;

const WINDOW = 1024 * 1024;
const MOST_OF_AN_ELEMENT = 64 * 1024 * 1024;
const MOST_OF_A_LENGTH = 8;
/** The sound is in memory until it is sent. */
const MOST = 512 * 1024 * 1024;
/** What the converter lets pass without a word where a sound ends before its video. */
const EARLY_SECONDS = 1;
const EARLY_PART = 0.01;

/**
 * @typedef {{id: number, at: number, begin: number, end: number}} Element
 * @typedef {{from: number, to: number}} Span the first and the last time of some blocks
 */

/** A file that is not as the page needs it: it travels whole. */
class Unsuitable extends Error {}

/**
 * Return a file of the sound tracks and all that describes them, or null where it has to travel whole:
 * part of it is missing, or the converter would say something else of the sound without its pictures.
 * @param {Blob} file
 * @param {(done: number) => void} onProgress from 0 to 1
 * @param {AbortSignal} signal
 * @returns {Promise<Blob | null>}
 * @throws {Unsuitable}
 */
export async function extract(file, onProgress, signal) {
  const reader = new Reader(file);
  const head = await reader.element(0, file.size);
  const segment = await reader.element(head.end, file.size);
  if (head.id !== EBML || segment.id !== SEGMENT || segment.end !== file.size) return null;
  const sounds = new Sounds(reader);
  for await (const element of reader.children(segment)) {
    signal.throwIfAborted();
    onProgress(element.at / file.size);
    await sounds.take(element);
  }
  if (!sounds.sayTheSame || sounds.size > MOST) return null;
  return new Blob([await reader.copy(head), header(SEGMENT, sounds.size), ...sounds.parts]);
}

/** What is kept of a segment. */
class Sounds {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  #descriptions = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  #clusters = [];
  /** The first and the last time of each track; those of all that is no sound are one. @type {Map<number, Span>} */
  #spans = new Map([[0, { from: Infinity, to: -Infinity }]]);
  #second = 1000;
  #length = Infinity;
  size = 0;

  /** @param {Reader} reader */
  constructor(reader) {
    this.reader = reader;
  }

  get parts() {
    return [...this.#descriptions, ...this.#clusters];
  }

  /**
   * Tell whether the sound begins no later than the pictures, and ends no sooner: the converter looks at both.
   */
  get sayTheSame() {
    const [others, ...sounds] = this.#spans.values();
    const allowed = Math.max(EARLY_SECONDS * this.#second, EARLY_PART * this.#length);
    const begin = Math.min(...sounds.map(({ from }) => from));
    return begin <= others.from && sounds.every(({ to }) => to >= this.#length - allowed);
  }

  /** @param {Element} element of the segment */
  async take(element) {
    if (PLACES.includes(element.id)) return;
    if (element.id === CLUSTER) return this.#keep(this.#clusters, await this.#cluster(element));
    if (element.id === TRACKS) return this.#keep(this.#descriptions, await this.#tracks(element));
    if (element.id === INFO) await this.#info(element);
    else if (!DESCRIBING.includes(element.id)) throw new Unsuitable();
    this.#keep(this.#descriptions, await this.reader.copy(element));
  }

  /**
   * @param {Uint8Array<ArrayBuffer>[]} where
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  #keep(where, bytes) {
    where.push(bytes);
    this.size += bytes.length;
  }

  /** @param {Element} info */
  async #info(info) {
    for await (const child of this.reader.children(info)) {
      const bytes = await this.reader.content(child);
      if (child.id === SCALE) this.#second = 1e9 / number(bytes);
      if (child.id === DURATION) this.#length = float(bytes);
    }
  }

  /** @param {Element} tracks */
  async #tracks(tracks) {
    const kept = [];
    for await (const track of this.reader.children(tracks)) {
      if (track.id !== TRACK) continue;
      const said = new Map();
      for await (const child of this.reader.children(track))
        if ([TRACK_NUMBER, TRACK_TYPE].includes(child.id))
          said.set(child.id, number(await this.reader.content(child)));
      if (said.get(TRACK_TYPE) !== SOUND) continue;
      this.#spans.set(said.get(TRACK_NUMBER), { from: Infinity, to: -Infinity });
      kept.push(await this.reader.copy(track));
    }
    if (kept.length === 0) throw new Unsuitable();
    return joined(TRACKS, kept);
  }

  /** @param {Element} cluster */
  async #cluster(cluster) {
    const kept = [];
    let time = 0;
    for await (const child of this.reader.children(cluster)) {
      if (child.id === TIMESTAMP) time = number(await this.reader.content(child));
      const block = child.id === BLOCK_GROUP ? await this.#blockOf(child) : child;
      if (child.id === TIMESTAMP) kept.push(await this.reader.copy(child));
      else if (![SIMPLE_BLOCK, BLOCK].includes(block.id)) continue;
      else if (await this.#isSound(block, time)) kept.push(await this.reader.copy(child));
    }
    return joined(CLUSTER, kept);
  }

  /** @param {Element} group */
  async #blockOf(group) {
    for await (const child of this.reader.children(group)) if (child.id === BLOCK) return child;
    throw new Unsuitable();
  }

  /**
   * Tell whether a block is of a sound track, and note its time.
   * @param {Element} block
   * @param {number} time of its cluster
   */
  async #isSound(block, time) {
    const bytes = await this.reader.read(block.begin, MOST_OF_A_LENGTH + 2);
    const { value, length } = variable(bytes, 0);
    const at = time + new DataView(bytes.buffer, bytes.byteOffset + length, 2).getInt16(0);
    const others = /** @type {Span} */ (this.#spans.get(0));
    const span = this.#spans.get(value) ?? others;
    span.from = Math.min(span.from, at);
    span.to = Math.max(span.to, at);
    return span !== others;
  }
}

/** Reads a file from its beginning to its end, a window at a time. */
class Reader {
  #from = 0;
  #window = new Uint8Array();

  /** @param {Blob} file */
  constructor(file) {
    this.file = file;
  }

  /**
   * Return bytes, good until the next call.
   * @param {number} at
   * @param {number} length
   */
  async read(at, length) {
    const end = Math.min(at + length, this.file.size);
    if (at < this.#from || end > this.#from + this.#window.length) {
      const window = this.file.slice(at, at + Math.max(length, WINDOW));
      this.#window = new Uint8Array(await window.arrayBuffer());
      this.#from = at;
    }
    return this.#window.subarray(at - this.#from, end - this.#from);
  }

  /** @param {Element} element */
  async content({ begin, end }) {
    return this.read(begin, end - begin);
  }

  /** @param {Element} element */
  async copy({ at, end }) {
    if (end - at > MOST_OF_AN_ELEMENT) throw new Unsuitable();
    return (await this.read(at, end - at)).slice();
  }

  /**
   * @param {number} at
   * @param {number} limit where it must have ended
   * @returns {Promise<Element>}
   */
  async element(at, limit) {
    const bytes = await this.read(at, 2 * MOST_OF_A_LENGTH);
    const { id, length } = variable(bytes, 0);
    const size = variable(bytes, length);
    const begin = at + length + size.length;
    if (size.unknown || begin + size.value > limit) throw new Unsuitable();
    return { id, at, begin, end: begin + size.value };
  }

  /** @param {Element} parent */
  async *children({ begin, end }) {
    for (let at = begin; at < end; ) {
      const child = await this.element(at, end);
      yield child;
      at = child.end;
    }
  }
}

/**
 * Read a number of variable length; an id is one with its mark.
 * @param {Uint8Array} bytes
 * @param {number} at
 */
function variable(bytes, at) {
  const length = Math.clz32(bytes[at] ?? 0) - 23;
  if (length > MOST_OF_A_LENGTH || at + length > bytes.length) throw new Unsuitable();
  const marked = bytes.slice(at, at + length);
  const id = number(marked);
  marked[0] &= 0xff >> length;
  const value = number(marked); // as a double: no file is as long as what that cannot hold
  return { id, value, length, unknown: value >= 2 ** (7 * length) - 1 };
}

/** @param {Uint8Array} bytes */
function number(bytes) {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** @param {Uint8Array} bytes */
function float(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return bytes.length === 4 ? view.getFloat32(0) : view.getFloat64(0);
}

/**
 * @param {number} id
 * @param {number} size of the content
 */
function header(id, size) {
  const digits = id.toString(16) + ((1n << 56n) | BigInt(size)).toString(16).padStart(16, "0");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/**
 * @param {number} id
 * @param {Uint8Array<ArrayBuffer>[]} contents
 */
function joined(id, contents) {
  const size = contents.reduce((sum, { length }) => sum + length, 0);
  const head = header(id, size);
  const bytes = new Uint8Array(head.length + size);
  bytes.set(head);
  let at = head.length;
  for (const content of contents) {
    bytes.set(content, at);
    at += content.length;
  }
  return bytes;
}
