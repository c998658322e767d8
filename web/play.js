// The page to play on: one's own meals, logged, by day and by month. Each view is in `play/`; here is which one is shown, and to whom.

import { onLanguage, speak, t } from "./shared/language.js";
import { say } from "./watch/dom.js";
import { dateOf, hashOf, monthOf, placeOf } from "./play/calendar.js";
import { Day } from "./play/day.js";
import { Meal } from "./play/meal.js";
import { Month } from "./play/month.js";
import { refuse, tell } from "./play/news.js";
import { Result } from "./play/result.js";
import { Server } from "./play/server.js";

const VIEWS = ["log", "day", "month"];

const find = (selector) => document.querySelector(selector);
const server = new Server(leave);
const result = new Result(server);
const meal = new Meal(server, (outcome) => {
  date = outcome.meal.local_date;
  result.show(outcome);
});
const day = new Day(server, (next) => go("day", next, { isTurn: true }));
const month = new Month(server, (next, when) => go(next, when, { isTurn: next === "month" }));

let view = "loading";
/** The day that is looked at; the month is that of it. */
let date = dateOf(new Date());

function show(next, { focus = true } = {}) {
  const last = view;
  view = next;
  document.body.dataset.view = next;
  for (const section of document.querySelectorAll("[data-for]")) section.hidden = section.dataset.for !== next;
  find("#tabs").hidden = !VIEWS.includes(next);
  for (const button of document.querySelectorAll("#tabs [data-go]")) {
    if (button.dataset.go === next) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  if (last !== next) tell();
  if (next === "day") day.show(date);
  if (next === "month") month.show(monthOf(date));
  render();
  if (last === next) return;
  if (focus) find(`[data-for=${next}] [tabindex="-1"]`)?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function render() {
  document.title = `${t(VIEWS.includes(view) ? `play_view_${view}` : "play_door_title")} · Lastbite`;
}

/** To a view of this page, by its address. Turning pages leaves no trail in the history. */
function go(next, when = date, { isTurn = false } = {}) {
  date = when;
  const hash = hashOf(next, date);
  if (hash === location.hash) return show(next);
  if (isTurn) location.replace(hash);
  else location.hash = hash; // `hashchange` follows
}

/** Shows what the address asks for. A month keeps the day that was looked at, if it is in it. */
function arrive({ focus = true } = {}) {
  const place = placeOf(location.hash) ?? { view: "log" };
  if (place.date && !(place.view === "month" && monthOf(place.date) === monthOf(date))) date = place.date;
  history.replaceState(history.state, "", hashOf(place.view, date));
  show(place.view, { focus });
}

function leave() {
  show("door", { focus: view !== "loading" });
}

/** The refresh token is there, all else is to be had again. */
async function enter() {
  find("#enter-again").hidden = true;
  if (!server.isSignedIn) return leave();
  try {
    if (await server.enter()) arrive({ focus: false });
    else leave();
  } catch (refusal) {
    if (!server.isSignedIn) return; // told already
    find("#enter-again").hidden = false;
    say(find("[data-for=loading] .empty"), t("play_load_failed"));
    refuse(refusal);
  }
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-go]");
  if (!button) return;
  // Who begins anew has seen what came of the last one.
  if (button.dataset.go === "log" && result.isShown) result.hide();
  go(button.dataset.go, button.dataset.date);
});
find("#enter-again").addEventListener("click", () => {
  tell();
  enter();
});
addEventListener("hashchange", () => {
  if (VIEWS.includes(view)) arrive();
});
// Coming back from signing in, the browser may show the page as it was left.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted && view === "door") location.reload();
});

onLanguage(() => {
  render();
  if (view === "loading") say(find("[data-for=loading] .empty"), t("landing_loading"));
});
speak();
render();
enter();
