/** A file on its way up, as this tab knows it. */

/**
 * @typedef {import("./rows.js").Local & {
 *   file: File, options: Record<string, string>, at: number, parcel: import("./parcel.js").Parcel | null,
 *   url: string | null, uploadId: string | null, begun: Set<string>, ended: boolean,
 *   pace: import("./pace.js").Pace | null, tries: number, beginnings: number, runs: number,
 *   stop: () => Promise<void>, abort: AbortController, timer: ReturnType<typeof setTimeout> | undefined,
 * }} Entry of whose uploads `begun` has the ids, the latest is `uploadId`, and `ended` says that somebody else
 *   has ended that; `runs` counts the attempts, of which only the latest counts
 */

/**
 * Return what is known of a file that was just chosen.
 * @param {string} key
 * @param {File} file
 * @param {Record<string, string>} options of the conversion; `sound` says whether only that is sent
 * @param {number} at milliseconds
 * @returns {Entry}
 */
export function entry(key, file, options, at) {
  return {
    key,
    file,
    options,
    at,
    name: file.name,
    size: file.size,
    total: file.size,
    sent: 0,
    state: "checking",
    soundOnly: false,
    parcel: null,
    url: null,
    uploadId: null,
    begun: new Set(),
    ended: false,
    pace: null,
    tries: 0,
    beginnings: 0,
    runs: 0,
    stop: async () => {},
    abort: new AbortController(),
    timer: undefined,
  };
}

/**
 * Note which upload it is.
 * @param {Entry} entry
 * @param {string} url
 */
export function begin(entry, url) {
  entry.url = url;
  entry.uploadId = new URL(url).pathname.split("/").pop() ?? "";
  entry.begun.add(entry.uploadId);
}

/**
 * Bring what depends on the time up to date.
 * @param {Entry} entry
 * @param {number} now
 */
export function tick(entry, now) {
  entry.rate = entry.pace?.perSecond(now) ?? null;
  entry.left = entry.pace?.secondsLeft(entry.total, now) ?? null;
  entry.stalled = entry.state === "sending" && (entry.pace?.stalled(now) ?? false);
}
