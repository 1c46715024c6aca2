/** Follow everything that happens to one's jobs, over every lost connection. */

const AGAIN_MS = 3000;

/**
 * @typedef {object} Heard
 * @property {() => void} opened the stream stands, for the first time or again
 * @property {() => void} lost it does not
 * @property {(job: any) => void} job
 * @property {(jobs: any[]) => void} queue these have another place in the queue
 * @property {(id: string) => void} deleted
 * @property {() => void} reset what is known is too old: list again
 */

/**
 * Open the stream, and return what closes it.
 * @param {string} path
 * @param {Heard} heard
 */
export function follow(path, heard) {
  /** @type {EventSource} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const open = () => {
    source = new EventSource(path);
    source.onopen = () => heard.opened();
    source.onerror = () => {
      heard.lost();
      if (source.readyState !== EventSource.CLOSED) return; // the browser comes again by itself
      timer = setTimeout(open, AGAIN_MS);
    };
    source.addEventListener("job", (event) => heard.job(JSON.parse(event.data)));
    source.addEventListener("queue", (event) => heard.queue(JSON.parse(event.data).jobs));
    source.addEventListener("deleted", (event) => heard.deleted(JSON.parse(event.data).id));
    source.addEventListener("reset", () => heard.reset());
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
