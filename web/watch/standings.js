// The rows of the board: built once a player, changed where they differ, moved when ranks change.

import { number } from "../shared/format.js";
import { t } from "../shared/language.js";
import { make, plate, say } from "./dom.js";
import { appear, countTo, fall, glide, places, still } from "./motion.js";

const HEARTS_MAX = 5;
/** How long a row shows that its rank or points have changed. */
const MARK_MS = 2_600;

export class Standings {
  #container;
  #rows = new Map();
  #latest = null;

  constructor(container) {
    this.#container = container;
  }

  /** Shows the board; `eliminated` are the players whose end was just told. */
  show(model, eliminated = new Set()) {
    this.#latest = model;
    const ranked = model.ranked();
    const first = this.#rows.size === 0;
    const before = places([...this.#rows.values()].map(({ element }) => element));
    const staying = new Set(ranked.map(({ row }) => row.player));
    const falling = [...this.#rows.values()].filter(
      ({ row }) =>
        row.status === "alive" &&
        (eliminated.has(row.player) || (staying.has(row.player) && statusOf(ranked, row.player) === "eliminated")),
    );
    fall(falling.map(({ element }) => element), this.#container);

    for (const [player, { element }] of this.#rows) {
      if (staying.has(player)) continue;
      element.remove();
      this.#rows.delete(player);
    }
    let previous = null;
    let lastIn = null;
    ranked.forEach(({ rank, row }, i) => {
      let shown = this.#rows.get(row.player);
      if (!shown) {
        shown = new ShownRow(row);
        this.#rows.set(row.player, shown);
        if (first) appear(shown.element, Math.min(i, 24) * 18);
        else appear(shown.element);
      }
      shown.update(rank, row, model);
      const isOut = row.status === "eliminated" || row.status === "left";
      shown.element.classList.toggle("first-out", isOut && lastIn !== null && previous === lastIn);
      if (!isOut) lastIn = shown;
      const place = previous ? previous.element.nextElementSibling : this.#container.firstElementChild;
      if (place !== shown.element) this.#container.insertBefore(shown.element, place);
      previous = shown;
    });
    for (const { element } of falling) {
      before.delete(element);
      if (element.isConnected) appear(element, 500);
    }
    glide(before);
  }

  /** Writes every label again, in another language. */
  relabel() {
    for (const row of this.#rows.values()) row.forget();
    if (this.#latest) this.show(this.#latest);
  }
}

const statusOf = (ranked, player) => ranked.find(({ row }) => row.player === player)?.row.status;

class ShownRow {
  element;
  row;
  #rank = 0;
  #parts;
  #shown = {};
  #timers = {};

  constructor(row) {
    this.row = row;
    const parts = {
      rank: make("span.rank", { role: "cell" }),
      move: make("span.move", { "aria-hidden": "true" }),
      plate: plate(row.player, row.nickname),
      name: make("bdi.name"),
      note: make("span.note"),
      recent: make("span.recent", { role: "cell" }),
      streak: make("span.streak", { role: "cell" }),
      lives: make("span.lives", { role: "cell" }),
      points: make("span.number"),
      gain: make("span.gain", { "aria-hidden": "true" }),
    };
    this.#parts = parts;
    this.element = make(
      "div.row",
      { role: "row", "data-player": row.player },
      parts.rank,
      parts.move,
      make("span.who", { role: "cell" }, parts.plate, make("span.names", {}, parts.name, parts.note)),
      parts.recent,
      parts.streak,
      parts.lives,
      make("span.points", { role: "cell" }, parts.points, parts.gain),
    );
  }

  /** The next update writes all of it. */
  forget() {
    this.#shown = {};
  }

  update(rank, row, model) {
    const parts = this.#parts;
    const data = this.element.dataset;
    const open = model.status === "open";
    const former = this.row.points;
    this.row = row;

    data.rank = rank;
    data.status = row.status;
    data.points = row.points;
    say(parts.name, row.nickname);
    this.#once("rank", open ? "–" : number(rank), () => say(parts.rank, open ? "–" : number(rank)));
    if (this.#rank && !open && this.#rank !== rank && !still()) this.#moved(this.#rank - rank);
    this.#rank = rank;

    const lastLife = row.status === "alive" && row.lives_left === 0 && model.lives > 0 && model.status === "running";
    this.element.classList.toggle("last-life", lastLife);
    parts.plate.dataset.bites = bites(row, model.lives);
    say(parts.note, lastLife ? t("last_life") : note(row));
    this.#once("recent", row.recent, () => showRecent(parts.recent, row.recent));
    this.#once("streak", row.streak, () => showStreak(parts.streak, row.streak));
    this.#once("lives", `${row.lives_left}/${model.lives}`, () => showLives(parts.lives, row.lives_left, model.lives));

    if (this.#shown.points === undefined) say(parts.points, number(row.points));
    else if (former !== row.points) {
      countTo(parts.points, former, row.points, number);
      this.#gained(row.points - former);
    }
    this.#shown.points = row.points;
  }

  #once(part, value, write) {
    if (this.#shown[part] === value) return;
    this.#shown[part] = value;
    write();
  }

  #moved(places) {
    const { move } = this.#parts;
    move.textContent = `${places > 0 ? "▲" : "▼"}${Math.abs(places)}`;
    this.#mark(places > 0 ? "up" : "down", "move", ["up", "down"]);
  }

  #gained(points) {
    if (still()) return;
    this.#parts.gain.textContent = points > 0 ? `+${number(points)}` : `−${number(-points)}`;
    this.#mark("gained", "gain", ["gained"]);
  }

  #mark(name, timer, others) {
    this.element.classList.remove(...others);
    this.element.classList.add(name);
    clearTimeout(this.#timers[timer]);
    this.#timers[timer] = setTimeout(() => this.element.classList.remove(name), MARK_MS);
  }
}

/** How much of the plate is gone: nothing, one bite a lost life up to two, all but the core when out. */
function bites(row, lives) {
  if (row.status === "eliminated") return "core";
  return String(Math.min(2, Math.max(0, lives - row.lives_left)));
}

function note(row) {
  if (row.status === "eliminated") return row.eliminated_on ? t("row_eliminated", { day: number(row.eliminated_on) }) : t("out");
  if (row.status === "left") return t("row_left");
  if (row.status === "survived") return t("row_survived");
  return "";
}

const VERDICTS = { K: "kept", M: "missed", C: "cheat", V: "void" };

function showRecent(cell, recent) {
  const of = (wanted) => [...recent].filter((letter) => letter === wanted).length;
  cell.setAttribute("aria-label", t("recent_label", { kept: of("K"), missed: of("M"), cheat: of("C") }));
  cell.replaceChildren(...[...recent].map((letter) => make(`i.${VERDICTS[letter] ?? "void"}`)));
}

function showStreak(cell, streak) {
  cell.replaceChildren();
  cell.className = `streak${streak >= 7 ? " blazing" : streak >= 3 ? " burning" : ""}`;
  if (streak < 2) return cell.removeAttribute("aria-label");
  cell.setAttribute("aria-label", t("streak_days", { raw: streak, count: number(streak) }));
  cell.append(make("i.flame"), number(streak));
}

function showLives(cell, left, of) {
  cell.replaceChildren();
  if (of === 0) return cell.removeAttribute("aria-label");
  cell.setAttribute("aria-label", t("lives_of", { left: number(left), of: number(of) }));
  if (of > HEARTS_MAX) return cell.append(make("i.heart.full"), number(left));
  for (let i = 0; i < of; i += 1) cell.append(make(i < left ? "i.heart.full" : "i.heart"));
}
