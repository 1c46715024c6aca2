/** What the server lists of jobs and uploads. */
import { ask } from "./api.js";
import { changed, store } from "./state.js";

const PAGE = 50;

/** List as many jobs as were listed, or go on from there. */
export async function jobs(more = false) {
  const { filter, listed, next } = store;
  const known = more ? null : new Set(store.jobs.keys());
  const said = Object.entries(filter).filter(([, value]) => value);
  const query = new URLSearchParams([["limit", String(PAGE)], ...said]);
  const found = [];
  let path = more && next ? next : `v1/jobs?${query}`;
  do {
    const page = await ask("GET", path);
    found.push(...page.jobs);
    path = page.next;
  } while (path && !more && found.length < listed);
  if (filter !== store.filter) return; // overtaken
  if (more && next !== store.next) {
    if (store.next) await jobs(true); // listed anew meanwhile: what was asked for goes on from there
    return;
  }
  store.list(found, path, known);
  changed();
}

/** List the unfinished uploads. */
export async function uploads() {
  store.listUploads((await ask("GET", "v1/uploads?limit=100")).uploads);
  changed();
}
