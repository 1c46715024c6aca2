/** The ways in for files: chosen, dropped, pasted, a folder with all that is in it. */
import { t } from "./texts.js";
import { html, nothing } from "./vendor/lit-html/lit-html.js";

/**
 * @param {{limits: any, usage: any}} allowed
 * @param {(files: File[]) => void} onFiles
 * @param {unknown} optionsView
 */
export function view({ limits, usage }, onFiles, optionsView) {
  const choose = (/** @type {any} */ event) => {
    onFiles([...event.target.files]);
    event.target.value = "";
  };
  return html`
    <section class="card drop" aria-labelledby="choose-label">
      <div class="choose">
        <input type="file" id="choose" class="unseen" multiple accept="video/*,audio/*,.mkv,.ts,.mts" @change=${choose}>
        <label for="choose" id="choose-label" class="button primary big">${t("choose")}</label>
        <p class="hint">${t("drop.hint")}</p>
        <p class="quiet room">${
          limits && usage
            ? t("drop.limit", {
                limit: limits.max_upload_bytes,
                used: usage.stored_bytes,
                whole: limits.max_stored_bytes,
              })
            : nothing
        }</p>
        <input type="file" id="folder" class="unseen" webkitdirectory @change=${choose}>
        <label for="folder" class="link">${t("choose.folder")}</label>
      </div>
      ${optionsView}
    </section>`;
}

/**
 * Take files that are dropped or pasted anywhere.
 * @param {(files: File[]) => void} onFiles
 * @param {(over: boolean) => void} onOver
 */
export function listen(onFiles, onOver) {
  let depth = 0;
  const over = (/** @type {number} */ by) => {
    depth = Math.max(0, depth + by);
    onOver(depth > 0);
  };
  const holdsFiles = (/** @type {DragEvent} */ event) =>
    event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => holdsFiles(event) && over(1));
  addEventListener("dragleave", (event) => holdsFiles(event) && over(-1));
  addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
  addEventListener("drop", async (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    depth = 0;
    onOver(false);
    const entries = [...(event.dataTransfer?.items ?? [])].map(
      (item) => item.webkitGetAsEntry?.() ?? item.getAsFile(),
    );
    const files = await Promise.all(entries.map(filesIn));
    onFiles(files.flat());
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) onFiles(files);
  });
}

/**
 * @param {any} entry a file, or a file or folder of the File and Directory Entries API
 * @returns {Promise<File[]>}
 */
async function filesIn(entry) {
  if (!entry) return [];
  if (entry instanceof File) return [entry];
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found;
    found.push(...(await Promise.all(some.map(filesIn))).flat());
  }
}
