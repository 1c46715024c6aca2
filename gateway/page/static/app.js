/** The page: who is here, what comes in from the server, and when it is drawn. */
import * as account from "./account.js";
import { Acts } from "./acts.js";
import { announce } from "./announcements.js";
import { ask, Problem } from "./api.js";
import { follow } from "./events.js";
import * as files from "./files.js";
import { kept } from "./focus.js";
import * as intake from "./intake.js";
import * as listing from "./listing.js";
import * as login from "./login.js";
import * as options from "./options.js";
import * as player from "./player.js";
import { allowed, changed, drawnBy, shown, store } from "./state.js";
import { refused, say, speak, t } from "./texts.js";
import { Uploads } from "./uploads.js";
import { html, nothing, render } from "./vendor/lit-html/lit-html.js";
import { Wake } from "./wake.js";

const LOOK_MS = 3000;
const page = /** @type {HTMLElement} */ (document.getElementById("page"));

const uploads = new Uploads({
  known: store.uploads,
  allowed,
  changed,
  loggedOut: () => loggedOut(t("session.ended")),
  gone: (id) => store.remove(id),
  sealed: (id) => ask("GET", `v1/jobs/${id}`).then(take, complain),
  complain,
});
store.locals = uploads.entries;
const acts = new Acts(uploads, complain);
const wake = new Wake();
/** @type {account.Context} */
const own = { me: null, sessions: null, problem: null, changed, leave, left: loggedOut };
/** @type {import("./admin.js").Administration | null} */
let administration = null;
/** @type {{problem: Problem | null, note: string, busy: boolean}} */
let entering = { problem: null, note: "", busy: false };
let stop = () => {};
let leaving = false;

// -- what comes in ------------------------------------------------------------------------------

/** @param {any} job */
function take(job) {
  if (store.put(job)) changed();
  if (job.state === "done") refreshUsage();
}

function refreshUsage() {
  ask("GET", "v1/me/usage").then((usage) => {
    allowed.usage = usage;
    changed();
  }, complain);
}

function listAll() {
  return Promise.all([listing.jobs(), listing.uploads()]).catch(complain);
}

/** Go to the row that the address names: mails link to it. */
async function goToNamed() {
  const id = location.hash.slice(1);
  if (!/^[0-9a-f]{32}$/.test(id)) return;
  store.named = id;
  if (!store.jobs.has(id)) take(await ask("GET", `v1/jobs/${id}`));
  requestAnimationFrame(() => {
    const row = /** @type {HTMLElement | null} */ (document.querySelector(`[data-id="${id}"]`));
    row?.focus();
    row?.scrollIntoView({ block: "center" });
  });
}

/** @param {unknown} error */
function complain(error) {
  if (!(error instanceof Problem)) throw error;
  if (error.status === 401) return loggedOut(t("session.ended"));
  if (error.code === "offline") return lose();
  shown.problem = error;
  changed();
}

function lose() {
  if (!shown.lost) announce(t("offline"));
  shown.lost = true;
  changed();
}

// -- coming and going ---------------------------------------------------------------------------

/** @param {any} who */
function enter(who) {
  if (own.me && own.me.username !== who.username) {
    leaving = true;
    return location.reload(); // nothing of the user before stays in the page
  }
  shown.me = own.me = who;
  entering = { problem: null, note: "", busy: false };
  stop = follow("v1/events", {
    opened: () => {
      listAll(); // what changed before the stream was open
      shown.lost = false;
      uploads.resumeAll();
      changed();
    },
    lost: () => {
      ask("GET", "session").then((found) => found ?? loggedOut(t("session.ended")), complain);
      lose();
    },
    job: take,
    queue: (places) => {
      store.move(places);
      changed();
    },
    deleted: (id) => {
      uploads.ended(id);
      store.remove(id);
      changed();
    },
    reset: listAll,
  });
  listAll().then(goToNamed).catch(complain);
  refreshUsage();
  ask("GET", "v1/limits").then((limits) => {
    allowed.limits = limits;
    changed();
  }, complain);
  if (who.scopes.includes("admin")) administer();
  uploads.resumeAll();
  changed();
}

async function administer() {
  const { Administration } = await import("./admin.js");
  administration = new Administration(changed, complain);
  changed();
}

/** @param {string} note */
function loggedOut(note) {
  if (!shown.me) return; // whatever was under way is refused as well
  stop();
  shown.me = administration = null;
  own.sessions = own.problem = null;
  entering = { problem: null, note, busy: false };
  announce(note);
  changed();
}

/** @param {boolean} everywhere */
async function leave(everywhere) {
  try {
    await acts.hurry();
    if (everywhere) await ask("POST", "v1/logout");
    await ask("DELETE", "session");
  } catch (error) {
    return complain(error);
  }
  location.reload(); // nothing of this user stays in the page
}

/** @param {SubmitEvent} event */
async function onLogIn(event) {
  event.preventDefault();
  entering = { ...entering, busy: true };
  changed();
  try {
    enter(await login.logIn(/** @type {HTMLFormElement} */ (event.target)));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    entering = { problem: error, note: "", busy: false };
    changed();
  }
}

/** @param {File[]} chosen */
function addFiles(chosen) {
  if (!shown.me || chosen.length === 0) return;
  uploads.add(chosen, options.chosen(shown.asked));
  announce(t("said.chosen", { n: chosen.length }));
  for (const name of options.OF_ONE_FILE) delete shown.asked[name];
  changed();
}

// -- what is shown ------------------------------------------------------------------------------

let waiting = false;
/** Draw soon, once for however many changes. */
function drawSoon() {
  if (waiting) return;
  waiting = true;
  if (document.hidden) setTimeout(draw, 0);
  else requestAnimationFrame(draw);
}

function draw() {
  waiting = false;
  const now = Date.now();
  uploads.tick(now);
  const items = store.items(now);
  const news = store.news(items);
  if (shown.me && news.length > 0) announce(news.map(say).join(" "));
  document.title = titleOf(items);
  wake.hold(uploads.busy);
  kept(() => render(shown.me ? inside(items) : outside(), page));
  player.drawNew();
}

/** @param {import("./store.js").Item[]} items */
function titleOf(items) {
  const moving = items.find(({ row }) => row.progress !== null && row.tone === "busy");
  return shown.me && moving ? `${say(moving.row.text)} – ${moving.row.name}` : "video-to-mp3";
}

function outside() {
  return html`
    <header class="top"><h1>video-to-mp3</h1></header>
    ${login.view(entering, onLogIn)} ${footer()}`;
}

/** @param {import("./store.js").Item[]} items */
function inside(items) {
  const { lost, problem, over } = shown;
  return html`
    <header class="top"><h1>video-to-mp3</h1>${account.view(own)}</header>
    <main>
      ${intake.view(allowed, addFiles, options.view(shown.asked, changeOption))}
      ${files.view(items, acts, (more) => void listing.jobs(more).catch(complain))}
      ${administration?.view() ?? nothing}
      <div class="notices">
        ${lost ? html`<p class="banner">${t("offline")}</p>` : nothing}
        ${problem ? html`<p class="problem"><span role="alert">${refused(problem)}</span> <button @click=${dismiss}>${t("do.dismiss")}</button></p>` : nothing}
      </div>
    </main>
    ${store.loaded ? footer() : nothing}
    <div class="dropping" ?hidden=${!over} aria-hidden="true"><p>${t("drop.here")}</p></div>`;
}

function dismiss() {
  shown.problem = null;
  changed();
}

function footer() {
  return html`<footer>${account.languageView(changed)} <a href="docs">${t("docs")}</a></footer>`;
}

/**
 * @param {string} name
 * @param {string} value
 */
function changeOption(name, value) {
  shown.asked[name] = value;
  options.remember(shown.asked);
  changed();
}

// -- the beginning ------------------------------------------------------------------------------

function listen() {
  intake.listen(addFiles, (over) => {
    shown.over = over && shown.me !== null;
    changed();
  });
  addEventListener("online", () => uploads.resumeAll());
  addEventListener("hashchange", () => goToNamed().catch(complain));
  addEventListener("beforeunload", (event) => uploads.busy && !leaving && event.preventDefault());
  addEventListener("pagehide", () => acts.hurry());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !shown.me) return;
    uploads.resumeAll();
    listAll();
  });
  setInterval(() => {
    if (!shown.me || document.hidden || !store.busy) return;
    if (store.sentElsewhere) listing.uploads().catch(complain);
    changed();
  }, LOOK_MS);
}

/** @param {unknown} error */
function asProblem(error) {
  if (!(error instanceof Problem)) throw error;
  return error;
}

drawnBy(drawSoon);
const asked = ask("GET", "session").catch(asProblem);
await speak();
listen();
const who = await asked;
if (who instanceof Problem) entering = { ...entering, problem: who };
else if (who) enter(who);
changed();
