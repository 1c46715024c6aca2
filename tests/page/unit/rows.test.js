/** The contract of a row: each state has its words, its buttons and what is said of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { announcement, isSameFile, metadataOf, row } from "../../../gateway/page/static/rows.js";

const NOW = Date.parse("2026-11-25T12:00:00Z");
const links = { self: "/v1/jobs/1", cancel: "/c", retry: "/r", mp3: "/m" };
const job = (more) => ({
  ...{ id: "1", state: "queued", version: 1, attempt: 0, progress: 0, phase: null, links },
  ...{ source: { filename: "talk.mp4" }, options: {}, result: null, error: null },
  ...more,
});
const local = (more) => ({
  ...{ key: "k", name: "talk.mp4", size: 1000, total: 1000, sent: 430, soundOnly: false },
  ...{ state: "sending", rate: null, left: null },
  ...more,
});
const upload = (more) => ({
  ...{ id: "1", filename: "talk.mp4", length: 1000, offset: 430, metadata: {} },
  ...{ updated_at: "2026-11-25T11:00:00Z", expires_at: "2026-11-26T11:00:00Z" },
  ...more,
});
const done = (more) =>
  job({ state: "done", result: { complete: true, duration: 5, size: 9, warnings: [], ...more } });

/** @type {[string, object, string, string[]][]} name, documents, state, buttons */
const CONTRACT = [
  ["a file that is looked at", { local: local({ state: "checking" }) }, "checking", []],
  ["a file that waits", { local: local({ state: "waiting" }) }, "waiting", ["cancel"]],
  [
    "a sound that is taken out",
    { local: local({ state: "extracting" }) },
    "extracting",
    ["cancel"],
  ],
  ["a file on its way", { local: local() }, "sending", ["pause", "cancel"]],
  ["a file that hangs", { local: local({ stalled: true }) }, "stalled", ["pause", "cancel"]],
  ["a paused file", { local: local({ state: "paused" }) }, "paused", ["resume", "cancel"]],
  [
    "a file without a connection",
    { local: local({ state: "offline" }) },
    "offline",
    ["resume", "cancel"],
  ],
  ["a file that has arrived", { local: local({ state: "sealed" }) }, "sealed", []],
  ["a refused file", { local: local({ state: "refused" }) }, "refused", ["dismiss"]],
  ["an upload of before", { upload: upload() }, "forgotten", ["choose", "cancel"]],
  [
    "an upload of another window",
    { upload: upload({ updated_at: "2026-11-25T11:59:55Z" }) },
    "elsewhere",
    ["choose", "cancel"],
  ],
  ["an upload of a script", { job: job({ state: "uploading" }) }, "arriving", []],
  ["a queued job", { job: job() }, "queued", ["stop"]],
  [
    "a job that is looked into",
    { job: job({ state: "converting", phase: "probing" }) },
    "probing",
    ["stop"],
  ],
  [
    "a job under way",
    { job: job({ state: "converting", phase: "converting", progress: 0.4 }) },
    "converting",
    ["stop"],
  ],
  [
    "a job that is stored",
    { job: job({ state: "converting", phase: "storing", progress: 1 }) },
    "storing",
    ["stop"],
  ],
  ["a finished job", { job: done() }, "ready", ["download", "play", "again", "delete"]],
  [
    "a partial MP3",
    { job: done({ complete: false }) },
    "partial",
    ["download", "play", "again", "delete"],
  ],
  [
    "a failed job",
    { job: job({ state: "failed", error: { message: "m", hint: "h" } }) },
    "failed",
    ["again", "delete"],
  ],
  ["a canceled job", { job: job({ state: "canceled" }) }, "canceled", ["again", "delete"]],
  ["an expired job", { job: job({ state: "expired", links: {} }) }, "expired", ["delete"]],
  ["a job that is being deleted", { job: done(), deleting: true }, "deleting", ["undo"]],
  ["a job that is deleted just now", { job: done(), deleting: false }, "deleting", []],
];

for (const [name, documents, state, actions] of CONTRACT)
  test(`${name} is ${state}`, () => {
    const made = row(documents, NOW);

    assert.equal(made.state, state);
    assert.deepEqual(made.actions, actions);
    assert.equal(made.name, "talk.mp4");
    assert.ok(made.text[0].startsWith(`row.${state === "queued" ? "queued" : state}`));
  });

test("no bar is full before the MP3 is there", () => {
  const sent = row({ local: local({ sent: 1000 }) }, NOW);
  const converted = row(
    { job: job({ state: "converting", phase: "converting", progress: 1 }) },
    NOW,
  );

  assert.ok(sent.progress < 1);
  assert.ok(converted.progress < 1);
});

test("the server's word counts over what the tab remembers", () => {
  const made = row({ local: local({ state: "offline" }), upload: upload(), job: job() }, NOW);

  assert.equal(made.state, "queued");
});

test("a job without its video cannot be converted again", () => {
  const { retry, ...without } = links;

  assert.deepEqual(row({ job: { ...done(), links: without } }, NOW).actions, [
    "download",
    "play",
    "delete",
  ]);
});

test("a job that waits tells its place and the time left as far as they are known", () => {
  const of = (more) => row({ job: job(more) }, NOW);

  const known = of({ queue: { position: 3 }, eta_seconds: 90 });
  const unknown = of({ queue: { position: null }, eta_seconds: null });

  assert.deepEqual(known.text, ["row.queued.place", { n: 3 }]);
  assert.deepEqual(known.detail, ["left", { seconds: 90 }]);
  assert.deepEqual([unknown.text, unknown.detail], [["row.queued"], null]);
});

test("rate and time left are told only when both are known", () => {
  assert.equal(row({ local: local({ rate: 9 }) }, NOW).detail[0], "whole");
  assert.equal(row({ local: local({ rate: 9, left: 3 }) }, NOW).detail[0], "pace");
});

test("a file of which only the sound is sent says so", () => {
  const { detail } = row({ local: local({ soundOnly: true, total: 22, size: 1600 }) }, NOW);

  assert.deepEqual(detail, ["sound.only", { sent: 22, whole: 1600 }]);
});

test("a quarter is announced once, and an end once", () => {
  const at = (sent) => row({ local: local({ sent }) }, NOW);
  const ready = row({ job: done() }, NOW);

  assert.equal(announcement(at(250), at(490)), null);
  assert.deepEqual(announcement(at(490), at(510)), [
    "said.sending.percent",
    { name: "talk.mp4", percent: 0.5 },
  ]);
  assert.equal(announcement(at(900), ready)[0], "said.ready");
  assert.equal(announcement(ready, ready), null);
});

test("an upload that was slow for a while is not announced anew", () => {
  const at = (more) => row({ local: local({ sent: 250, ...more }) }, NOW);

  assert.equal(announcement(at({ stalled: true }), at({})), null);
  assert.equal(announcement(at({}), at({ stalled: true })), null);
  assert.equal(announcement(at({ stalled: true }), at({ state: "paused" }))[0], "said.paused");
});

test("what is there when the page opens is not announced", () => {
  assert.equal(announcement(undefined, row({ job: done() }, NOW)), null);
});

test("a file is known again by name, size and date together", () => {
  const metadata = { name: "talk.mp4", size: "1000", modified: "7" };
  const file = { name: "talk.mp4", size: 1000, lastModified: 7 };

  assert.ok(isSameFile({ metadata }, file));
  for (const other of [{ name: "other.mp4" }, { size: 1001 }, { lastModified: 8 }])
    assert.ok(!isSameFile({ metadata }, { ...file, ...other }));
  assert.ok(!isSameFile({ metadata: {} }, file));
});

test("what an upload was begun with is read as tus writes it", () => {
  assert.deepEqual(metadataOf("name w6QudGFsaw==,size MTAwMA==,empty"), {
    ...{ name: "ä.talk", size: "1000", empty: "" },
  });
});
