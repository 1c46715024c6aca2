/** What the page knows of jobs, whichever way it comes to know. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../../../gateway/page/static/store.js";

/** @param {number} n @param {Record<string, any>} [more] */
function job(n, more) {
  const source = { filename: `clip ${n}.mp4` };
  return { id: `job${n}`, version: 1, state: "failed", source, links: {}, created_at: n, ...more };
}

/** @param {Store} store */
const known = (store) => new Set(store.jobs.keys());
/** @param {Store} store */
const shown = (store) => store.items(0).map(({ job }) => job.id);

test("what a list has no more is gone", () => {
  const store = new Store();
  store.list([job(2), job(1)], null, known(store));

  store.list([job(2)], null, known(store));

  assert.deepEqual(shown(store), ["job2"]);
});

test("a job that came while a list was under way stays", () => {
  const store = new Store();
  store.list([job(1)], null, known(store));
  const before = known(store);
  store.put(job(2));

  store.list([job(1)], null, before);

  assert.deepEqual(shown(store), ["job2", "job1"]);
});

test("the job of a link stays, though it is too old for the list", () => {
  const store = new Store();
  store.named = "job1";
  store.put(job(1));

  store.list([job(3), job(2)], "more", known(store));

  assert.deepEqual(shown(store), ["job3", "job2", "job1"]);
});

test("the job of a link is shown whatever the list is narrowed to, until it is narrowed anew", () => {
  const store = new Store();
  store.narrow("state", "done");
  store.named = "job1";
  store.put(job(1));
  assert.deepEqual(shown(store), ["job1"]);

  store.narrow("state", "queued");
  store.list([], null, known(store));

  assert.deepEqual(shown(store), []);
});

test("a list that goes on adds to what was listed", () => {
  const store = new Store();
  store.list([job(4), job(3)], "more", known(store));

  store.list([job(2), job(1)], null, null);

  assert.deepEqual(shown(store), ["job4", "job3", "job2", "job1"]);
  assert.equal(store.listed, 4);
});

test("an older version of a job does not overwrite a newer one", () => {
  const store = new Store();
  store.put(job(1, { version: 3, state: "canceled" }));

  store.list([job(1, { version: 2 })], null, known(store));

  assert.equal(store.jobs.get("job1").state, "canceled");
});

test("a job that waits takes another place without another version, by itself and by a list", () => {
  const store = new Store();
  const waits = job(1, { state: "queued", queue: { position: 5 }, eta_seconds: 50 });
  const place = () => store.jobs.get("job1").queue.position;
  store.put(waits);

  store.move([{ id: "job1", queue: { position: 4 }, eta_seconds: 40 }]);
  assert.equal(place(), 4);

  store.list([{ ...waits, queue: { position: 3 } }], null, known(store));
  assert.equal(place(), 3);
});

test("a job that is being converted already has no place", () => {
  const store = new Store();
  store.put(job(1, { state: "converting", queue: null, eta_seconds: 9 }));

  store.move([{ id: "job1", queue: { position: 4 }, eta_seconds: 40 }]);
  store.move([{ id: "job2", queue: { position: 4 }, eta_seconds: 40 }]);

  assert.deepEqual([store.jobs.get("job1").queue, store.jobs.has("job2")], [null, false]);
});

test("an upload that the server tells of before its tab knows it is no second row", () => {
  const store = new Store();
  const file = { name: "talk.mp4", size: 5, lastModified: 7 };
  const local = {
    key: "1-0",
    at: 1,
    name: "talk.mp4",
    state: "sending",
    file,
    uploadId: null,
    beginnings: 1,
    sent: 0,
    total: 5,
  };
  store.locals.set(local.key, /** @type {any} */ (local));
  const encoded = (/** @type {string} */ text) => btoa(text);
  const metadata = `name ${encoded("talk.mp4")},size ${encoded("5")},modified ${encoded("7")}`;
  const upload = {
    id: "a",
    filename: "talk.mp4",
    metadata,
    length: 5,
    offset: 0,
    created_at: "2026-01-01",
    updated_at: "2026-01-01",
  };
  const arriving = { state: "uploading", source: { filename: "talk.mp4" } };

  store.put(job("a", arriving)); // the stream of events was faster than the answer
  assert.equal(store.items(Date.now()).length, 1);
  store.listUploads([{ ...upload, id: "joba" }]);
  assert.equal(store.items(Date.now()).length, 1);
  store.locals.set(local.key, /** @type {any} */ ({ ...local, state: "offline" })); // the answer was lost
  assert.equal(store.items(Date.now()).length, 1);
  store.locals.set(local.key, /** @type {any} */ ({ ...local, uploadId: "joba" }));
  assert.equal(store.items(Date.now()).length, 1);
  store.locals.clear();
  assert.equal(store.items(Date.now()).length, 1);
});

test("a file of the same name that another tab sends has a row of its own", () => {
  const store = new Store();
  const waits = {
    key: "1-0",
    at: 1,
    name: "talk.mp4",
    state: "waiting",
    uploadId: null,
    beginnings: 0,
  };
  store.locals.set("1-0", /** @type {any} */ ({ ...waits, sent: 0, total: 5, size: 5 }));

  store.put(job(2, { state: "uploading", source: { filename: "talk.mp4" } }));

  assert.equal(store.items(0).length, 2);
});

/** @param {Record<string, any>} more */
function local(more) {
  const told = { key: "1-0", at: 1, name: "talk.mp4", size: 5, total: 5, sent: 0, beginnings: 1 };
  return /** @type {any} */ ({ ...told, state: "sending", uploadId: null, ...more });
}

/** @param {string} id */
function upload(id) {
  const times = { created_at: "2026-01-01", updated_at: "2026-01-01" };
  return { id, filename: "talk.mp4", metadata: "", length: 5, offset: 0, ...times };
}

test("a job that was deleted does not come back by a list that was asked for before", () => {
  const store = new Store();
  store.list([job(2), job(1)], null, known(store));
  const before = known(store);
  store.remove("job1");

  store.list([job(2), job(1)], null, before);

  assert.deepEqual(shown(store), ["job2"]);
});

test("an upload that ended does not come back by a list that was asked for before", () => {
  const store = new Store();
  store.put(job(1, { state: "queued" }));
  store.remove("job2");

  store.listUploads([upload("job1"), upload("job2")]);

  assert.equal(store.uploads.size, 0);
});

test("what this tab sends is followed to its end, though other files are looked for", () => {
  const store = new Store();
  store.locals.set("1-0", local({ state: "sealed", uploadId: "job1" }));
  store.narrow("state", "failed");

  store.put(job(1, { state: "queued", source: { filename: "talk.mp4" } }));

  assert.deepEqual(
    store.items(0).map(({ key, row }) => [key, row.state]),
    [["1-0", "queued"]],
  );
  assert.equal(store.locals.size, 0);
});

test("an upload that is being canceled is no row, whatever the server tells of it", () => {
  const store = new Store();
  const arriving = { state: "uploading", source: { filename: "talk.mp4" } };
  store.locals.set("1-0", local({ state: "canceled" }));
  store.put(job(1, arriving)); // its address is not known yet
  assert.equal(store.items(0).length, 0);

  store.locals.set("1-0", local({ state: "canceled", uploadId: "job1" }));
  store.listUploads([upload("job1")]);
  assert.equal(store.items(0).length, 0);

  store.put(job(1, { state: "queued", version: 2 })); // the last byte was faster
  assert.equal(store.items(0).length, 1);
});
