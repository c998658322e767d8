// The spectator page: wires the socket to the model, and the model to what is seen.

import { number, termsInWords } from "./shared/format.js";
import { onLanguage, speak, t } from "./shared/language.js";
import { BoardModel } from "./watch/board.js";
import { PlayClock } from "./watch/clock.js";
import { make, say } from "./watch/dom.js";
import { Feed, showPast } from "./watch/feed.js";
import { Counts, DayDial } from "./watch/hero.js";
import { showPodium } from "./watch/podium.js";
import { Session } from "./watch/socket.js";
import { Standings } from "./watch/standings.js";

/** Ticks come up to ten times a second; eyes follow fewer. */
const SHOW_EVERY_MS = 180;
const CLOCK_EVERY_MS = 250;

const byId = (id) => document.getElementById(id);
const challenge = location.pathname.match(/^\/watch\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/?$/i)?.[1].toLowerCase();
const stream = `challenge:${challenge}`;

const model = new BoardModel();
const clock = new PlayClock();
const standings = new Standings(byId("board"));
const feed = new Feed(byId("feed"), byId("feed-empty"));
const counts = new Counts(byId("hero"));
const dial = new DayDial(byId("hero"));

let connection = { state: "connecting" };
let watching = null;
let about = null;
let notice = null;
let everLive = false;
/** Who was out when this page began to watch. */
let past = null;

const session = new Session({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`,
  client: "lastbite-web/1",
  stream,
  seen: () => model.n,
  onMessage: hear,
  onState: connected,
});

function hear(message) {
  switch (message.type) {
    case "welcome":
      clock.set(message.server_time, message.clock_rate ?? 1, performance.now());
      return undefined;
    case "snapshot":
    case "tick":
      return message.stream === stream ? take(message) : undefined;
    case "presence":
      if (message.stream === stream) watching = message.watching;
      showConnection();
      return undefined;
    default:
      return undefined; // unknown types are passed over
  }
}

function take(message) {
  const { outcome, events } = message.type === "snapshot" ? model.applySnapshot(message) : model.applyTick(message);
  if (outcome === "applied") {
    waiting.push(...events);
    show();
  }
  return outcome;
}

// Changes gather here between two showings; the first is shown at once.
const waiting = [];
let shownAt = -Infinity;
let showTimer = 0;

function show() {
  if (showTimer) return;
  const wait = Math.max(0, shownAt + SHOW_EVERY_MS - performance.now());
  showTimer = setTimeout(() => {
    showTimer = 0;
    shownAt = performance.now();
    showBoard(waiting.splice(0));
  }, wait);
}

function showBoard(events) {
  if (model.n === null) return;
  const root = document.documentElement;
  root.dataset.status = model.status;
  document.title = `${model.title} · Lastbite`;
  say(byId("title"), model.title);
  say(byId("status"), t(`status_${model.status}`));
  byId("hero").hidden = model.status === "cancelled";
  byId("main").hidden = model.status === "cancelled";
  if (model.status === "cancelled") {
    showNotice("cancelled_title", model.counts.players > 0 ? "cancelled_text_count" : "cancelled_text", false);
  }

  counts.show(model);
  dial.showLast(model);
  byId("clock").hidden = !["open", "running"].includes(model.status);
  showPodium(byId("podium"), model, events.some(({ event }) => event === "finished"));
  showClock();

  standings.show(model, new Set(events.filter(({ event }) => event === "eliminated").map(({ player }) => player)));
  const { players } = model.counts;
  const shown = model.ranked().length;
  const part = shown < players;
  say(byId("board-note"), part ? t("board_best", { shown: number(shown), total: number(players) }) : "");
  byId("board-empty").hidden = shown > 0;
  feed.add(events, model.status === "finished");
  if (!past) {
    past = model.fallen();
    showPast(byId("past"), past);
  }
  root.dataset.n = model.n;
}

function showClock() {
  if (model.n === null || byId("clock").hidden) return;
  dial.show(model, clock.now(performance.now()), clock.rate);
}

function connected(state, detail) {
  connection = { state, ...detail };
  if (state === "live") everLive = true;
  if (state === "closed" && detail.reason === "not_found") showNotice("not_found_title", "not_found_text", false);
  else if (state === "closed") showNotice("closed_title", "closed_text", true);
  showConnection();
}

function showConnection() {
  const { state } = connection;
  const box = byId("connection");
  box.dataset.state = state;
  say(box, t(state === "connecting" && everLive ? "reconnecting" : state));
  const presence = byId("watching");
  presence.hidden = watching === null || state !== "live";
  if (watching !== null) say(presence, t("watching", { count: number(watching) }));
}

function showNotice(title, text, canReload) {
  notice = { title, text, canReload };
  const { players } = model.counts;
  say(byId("notice-title"), t(title));
  say(byId("notice-text"), t(text, { raw: players, count: number(players) }));
  byId("reload").hidden = !canReload;
  byId("notice").hidden = false;
}

/** What the host says of it, and what a day asks for. The board lives without it. */
async function loadAbout() {
  try {
    const answer = await fetch(`/api/v1/challenges/${challenge}`, { headers: { accept: "application/json" } });
    if (!answer.ok) return;
    about = await answer.json();
  } catch {
    return; // the board is what matters here
  }
  feed.zone = about.terms.zone;
  dial.zone = about.terms.zone;
  showAbout();
}

function showAbout() {
  if (!about) return;
  byId("terms").replaceChildren(...termsInWords(about.terms).map((phrase) => make("li", {}, phrase)));
  say(byId("description"), about.description);
  byId("about").hidden = false;
}

onLanguage(() => {
  showConnection();
  if (notice) showNotice(notice.title, notice.text, notice.canReload);
  standings.relabel();
  feed.relabel();
  if (past) showPast(byId("past"), past);
  showBoard([]);
  showAbout();
});

byId("reload").onclick = () => location.reload();
addEventListener("online", () => session.hurry());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) session.hurry();
});
setInterval(showClock, CLOCK_EVERY_MS);

speak();
showConnection();
if (challenge) {
  session.start();
  loadAbout();
} else {
  session.stop("not_found");
}
