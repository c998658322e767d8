// What is told at the foot of the page: what went wrong, and what went well. What a refusal means is looked up in `words`.

import { onLanguage, t } from "../shared/language.js";
import { words as wordsAtTheDoor } from "../signin/words.js";
import { say } from "../watch/dom.js";

/** Refusals that have words of their own; those of the session and of a server in trouble are the door's. */
const OWN = [
  "analysis_budget", "analysis_unknown", "amounts_out_of_range", "body_too_large", "contents_needed", "day_being_judged",
  "eaten_at_out_of_range", "food_unknown", "items_impossible", "note_invalid", "photo_animated", "photo_broken", "photo_budget",
  "photo_dimensions", "photo_empty", "photo_refused", "photo_too_large", "photo_type_heic", "photo_type_unknown",
  "too_many_meals", "grams_wrong", "meal_empty", "not_found",
];
const AT_THE_DOOR = ["network", "busy", "overloaded", "database_away", "signed_out", "refresh_invalid", "refresh_reused", "session_ended", "account_gone", "account_blocked"];
const SAME = { storage_slow: "busy" };

/** What a problem says to whom it meets. */
export function words(problem) {
  const code = SAME[problem.code] ?? problem.code;
  if (OWN.includes(code)) return t(`play_problem_${code}`, problem.values);
  if (AT_THE_DOOR.includes(code) || problem.status === 429) return wordsAtTheDoor({ ...problem, code });
  return t("play_problem_other", { code });
}

/** A note goes by itself, a problem stays until something is done. */
const NOTE_MS = 8_000;

const find = (selector) => document.querySelector(selector);
let problem = null;
let note = null;
let fading = null;

/** Shows a problem or a note, and takes what was shown away. */
export function tell({ problem: newProblem = null, note: newNote = null } = {}) {
  problem = newProblem;
  note = newNote;
  clearTimeout(fading);
  if (note) fading = setTimeout(tell, NOTE_MS);
  render();
}

function render() {
  say(find("#error"), problem ? words(problem) : "");
  say(find("#note"), note ? t(note.key, note.values) : "");
  find("#news").dataset.state = problem ? "problem" : note ? "note" : "quiet";
}

/** Shows what a server or this page refused; a fault of the page is thrown on. */
export function refuse(refusal) {
  if (!refusal.code) throw refusal;
  tell({ problem: refusal });
}

/** Runs once for a button, however often it is pressed meanwhile. The button stays where the focus is. */
export async function press(button, run) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  tell();
  try {
    await run();
  } catch (refusal) {
    refuse(refusal);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

onLanguage(render);
find("#news-close").addEventListener("click", () => tell());
