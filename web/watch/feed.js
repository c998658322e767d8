// What happens, as it happens: newest first, a bounded number of lines.

import { number, timeOfDay } from "../shared/format.js";
import { nodes, t } from "../shared/language.js";
import { make, plate } from "./dom.js";
import { appear } from "./motion.js";

const LINES_MAX = 80;
const PAST_NAMES_MAX = 5;
/** Of those who fall at the same moment, so many are named and the rest are counted. */
const FALLEN_NAMED_MAX = 30;

const lines = {
  joined: (event) => named(event, "event_joined"),
  left: (event) => named(event, "event_left"),
  eliminated: (event) => named(event, "event_eliminated"),
  eliminated_more: ({ count }) => [make("p.text", {}, t("event_eliminated_more", { raw: count, count: number(count) }))],
  day_opened: (event) => [make("p.text", {}, t("event_day_opened", { day: number(event.day) }))],
  day_closed: (event) => [make("p.text", {}, t("event_day_closed", { day: number(event.day) })), daySummary(event)],
  finished: (event) => [
    make("p.text", {}, t("event_finished", { total: event.champions_total })),
    make("p.detail", {}, event.champions.map(({ nickname }) => nickname).join(" · ")),
  ],
  cancelled: () => [make("p.text", {}, t("event_cancelled"))],
};

export class Feed {
  #list;
  #empty;
  #events = [];
  #zone;

  constructor(list, empty) {
    this.#list = list;
    this.#empty = empty;
  }

  /** The zone of the challenge, whose wall clock the lines show. */
  set zone(zone) {
    this.#zone = zone;
    this.relabel();
  }

  /** Adds what is new; when all is `over`, an empty feed promises nothing. */
  add(events, over) {
    for (const event of told(events)) {
      this.#events.push(event);
      const line = this.#line(event);
      this.#list.prepend(line);
      appear(line);
    }
    this.#events = this.#events.slice(-LINES_MAX);
    while (this.#list.childElementCount > LINES_MAX) this.#list.lastElementChild.remove();
    this.#empty.hidden = over || this.#events.length > 0;
  }

  relabel() {
    this.#list.replaceChildren(...this.#events.map((event) => this.#line(event)).reverse());
  }

  #line(event) {
    const time = make("time", { datetime: event.at }, timeOfDay(event.at, this.#zone));
    return make("li", { "data-event": event.event, "data-n": event.n }, make("div.body", {}, ...lines[event.event](event)), time);
  }
}

/** The events that get a line: known ones, the newest of too many, and a crowd of eliminations as a number. */
function told(events) {
  const fallen = events.filter(({ event }) => event === "eliminated");
  const rest = new Set(fallen.slice(FALLEN_NAMED_MAX));
  const more = fallen[FALLEN_NAMED_MAX];
  return events
    .flatMap((event) => (event === more ? [{ ...event, event: "eliminated_more", count: rest.size }] : rest.has(event) ? [] : [event]))
    .filter(({ event }) => Object.hasOwn(lines, event))
    .slice(-LINES_MAX);
}

function named(event, key) {
  const own = plate(event.player, event.nickname);
  if (event.event === "eliminated") own.dataset.bites = "core";
  const text = make("p.text");
  text.append(nodes(key, event));
  return [own, text];
}

/** Kept and missed as a bar with its figures; the same in the feed and by the clock. */
export function daySummary({ kept, missed, eliminated, alive }) {
  const bar = make("span.bar", { "aria-hidden": "true" }, make("i.kept"), make("i.missed"));
  bar.firstElementChild.style.flexGrow = String(kept);
  bar.lastElementChild.style.flexGrow = String(missed);
  const figure = (name, value) => make(`span.figure.${name}`, {}, `${t(name)} `, make("b", {}, number(value)));
  const figures = make("span.figures");
  figures.append(figure("kept", kept), figure("missed", missed), figure("out", eliminated), figure("alive", alive));
  return make("div.day-summary", {}, bar, figures);
}

/** Who was out before this page began to watch: names by day. */
export function showPast(list, days) {
  list.parentElement.hidden = days.size === 0;
  list.replaceChildren(
    ...[...days].sort(([a], [b]) => b - a).map(([day, names]) => {
      const shown = make("span");
      names.slice(0, PAST_NAMES_MAX).forEach((name, i) => shown.append(i ? ", " : "", make("bdi", {}, name)));
      if (names.length > PAST_NAMES_MAX) shown.append(" ", t("and_more", { count: number(names.length - PAST_NAMES_MAX) }));
      return make("li", {}, make("b", {}, t("row_eliminated", { day: number(day) })), shown);
    }),
  );
}
