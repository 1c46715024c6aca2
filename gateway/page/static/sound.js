/** Take the sound out of a video, packet by packet and unchanged; loaded when it is needed. */
import {
  ALL_FORMATS,
  BlobSource,
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacketSink,
  Input,
  Mp4OutputFormat,
  Output,
} from "./vendor/mediabunny/mediabunny.js";

/** The sound is in memory until it is sent. */
const MOST = 512 * 1024 * 1024;
const TELL_SECONDS = 10;
/** What the converter lets pass without a word where a sound ends before its video. */
const EARLY_SECONDS = 1;
const EARLY_PART = 0.01;

/**
 * Return the sound tracks of a video as a file of their own, or null where it has to travel whole.
 * @param {Blob} file
 * @param {(done: number) => void} onProgress from 0 to 1
 * @param {AbortSignal} signal
 * @returns {Promise<Blob | null>}
 */
export async function extract(file, onProgress, signal) {
  const input = new Input({ source: new BlobSource(file), formats: ALL_FORMATS });
  try {
    const tracks = await input.getAudioTracks();
    if (tracks.length === 0 || tracks.some((track) => !track.codec)) return null;
    const begins = await Promise.all(tracks.map((track) => track.getFirstTimestamp()));
    if (begins.some((seconds) => seconds > 0)) return null; // late in the video, at once if alone
    const length = await input.computeDuration();
    const ends = await Promise.all(tracks.map((track) => track.computeDuration()));
    const allowed = Math.max(EARLY_SECONDS, EARLY_PART * length);
    if (ends.some((seconds) => seconds < length - allowed)) return null; // the converter tells that
    const target = new BufferTarget();
    const output = new Output({ format: new Mp4OutputFormat({ fastStart: "in-memory" }), target });
    const copies = await Promise.all(tracks.map((track) => copyOf(track, output)));
    output.setMetadataTags(await input.getMetadataTags());
    await output.start();
    await inStep(copies, (at) => onProgress(Math.min(1, at / length)), signal);
    await output.finalize();
    const { buffer } = target;
    if (buffer === null || buffer.byteLength > MOST) return null;
    return new Blob([buffer]);
  } finally {
    input.dispose();
  }
}

/**
 * @param {import("./vendor/mediabunny/mediabunny.js").InputAudioTrack} track
 * @param {Output} output
 */
async function copyOf(track, output) {
  const source = new EncodedAudioPacketSource(/** @type {any} */ (track.codec));
  output.addAudioTrack(source, {
    languageCode: track.languageCode,
    name: track.name ?? undefined,
    disposition: track.disposition,
  });
  const meta = { decoderConfig: (await track.getDecoderConfig()) ?? undefined };
  return { source, meta, packets: new EncodedPacketSink(track).packets() };
}

/**
 * Copy the packets of all tracks, the earliest first.
 * @param {Awaited<ReturnType<typeof copyOf>>[]} copies
 * @param {(seconds: number) => void} onTime
 * @param {AbortSignal} signal
 */
async function inStep(copies, onTime, signal) {
  const open = await Promise.all(
    copies.map(async (copy) => ({ ...copy, next: (await copy.packets.next()).value })),
  );
  let told = 0;
  for (;;) {
    signal.throwIfAborted();
    const [first] = open.filter(({ next }) => next).sort((a, b) => timeOf(a) - timeOf(b));
    if (!first?.next) break;
    await first.source.add(first.next, first.meta);
    if (timeOf(first) > told + TELL_SECONDS) {
      told = timeOf(first);
      onTime(told);
    }
    first.next = (await first.packets.next()).value;
  }
  for (const { source } of copies) source.close();
}

/** @param {{next: import("./vendor/mediabunny/mediabunny.js").EncodedPacket | void}} copy */
const timeOf = ({ next }) => next?.timestamp ?? 0;
