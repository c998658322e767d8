// The upper part: how many are in and out, the field of plates, and the day on the clock.

import { countdown, dateAndTime, instant, number } from "../shared/format.js";
import { t } from "../shared/language.js";
import { make, say } from "./dom.js";
import { daySummary } from "./feed.js";
import { bump } from "./motion.js";

const DOTS_MAX = 240;
const BITES_OF_A_DAY = 48;
const SVG = "http://www.w3.org/2000/svg";

/** Alive and out, as numbers and as a field in which every player is a plate. */
export class Counts {
  #find;
  #dots = [];
  #order = [];

  constructor(root) {
    this.#find = (selector) => root.querySelector(selector);
  }

  show({ counts, status }) {
    this.#number("#alive", counts.alive);
    this.#number("#out", counts.out);
    const label = status === "open" || status === "cancelled" ? "joined_count" : status === "finished" ? "survived_count" : "alive";
    say(this.#find("#alive-label"), t(label));
    say(this.#find("#out-label"), t("out"));
    this.#find("#out-box").hidden = status === "open" || status === "cancelled";
    const left = this.#find("#left");
    left.hidden = counts.left === 0;
    say(left, `${t("left")} ${number(counts.left)}`);
    say(this.#find("#players"), t("players_total", { raw: counts.players, count: number(counts.players) }));
    this.#field(counts);
  }

  #number(selector, value) {
    const element = this.#find(selector);
    const text = number(value);
    if (element.textContent === text) return;
    element.textContent = text;
    bump(element);
  }

  /** One dot a player, or a share of them when they are too many to draw. */
  #field({ players, out, left }) {
    const total = Math.min(players, DOTS_MAX);
    const share = (value) => (players > DOTS_MAX ? Math.round((value / players) * total) : value);
    const field = this.#find("#field");
    if (this.#dots.length !== total) {
      this.#dots = Array.from({ length: total }, () => make("i.dot"));
      this.#order = scattered(total);
      field.replaceChildren(...this.#dots);
      field.dataset.size = total > 120 ? "small" : total > 48 ? "middle" : "large";
    }
    // From both ends of the order, so that a dot that has changed stays what it is.
    const gone = share(out);
    const away = share(left);
    this.#order.forEach((dot, i) => {
      this.#dots[dot].className = i < gone ? "dot out" : i >= total - away ? "dot left" : "dot";
    });
    const scale = this.#find("#field-scale");
    scale.hidden = players <= DOTS_MAX;
    if (!scale.hidden) say(scale, t("field_scale", { count: number(Math.round(players / total)) }));
  }
}

/** The numbers under `total` in an order that looks like chance and is always the same. */
function scattered(total) {
  const weight = (i) => Math.imul(i + 1, 2_654_435_761) >>> 0;
  return Array.from({ length: total }, (_, i) => i).sort((a, b) => weight(a) - weight(b));
}

/** The clock of the day: a plate of 48 bites that is eaten as the day goes. */
export class DayDial {
  #find;
  #bites;
  #eaten = -1;
  #zone;

  constructor(root) {
    this.#find = (selector) => root.querySelector(selector);
    const dial = this.#find("#dial");
    this.#bites = Array.from({ length: BITES_OF_A_DAY }, (_, i) => {
      const angle = (i / BITES_OF_A_DAY) * 2 * Math.PI - Math.PI / 2;
      const bite = document.createElementNS(SVG, "circle");
      bite.setAttribute("cx", (100 + 88 * Math.cos(angle)).toFixed(2));
      bite.setAttribute("cy", (100 + 88 * Math.sin(angle)).toFixed(2));
      bite.setAttribute("r", "4.6");
      dial.append(bite);
      return bite;
    });
  }

  set zone(zone) {
    this.#zone = zone;
  }

  /** Shows what the board says at `now`; called whenever it changed, and several times a second. */
  show(model, now, rate) {
    const { title, value, note, part } = this.#reading(model, now, rate);
    say(this.#find("#day-title"), title);
    say(this.#find("#day-value"), value);
    say(this.#find("#day-note"), note);
    this.#eat(part);
    say(this.#find("#closes"), this.#deadline(model, now));
    const speed = this.#find("#rate");
    speed.hidden = rate === 1;
    if (rate !== 1) say(speed, t("clock_rate", { rate: number(rate) }));
  }

  /** The result of the last judged day, below the dial. */
  showLast({ lastClosed }) {
    const last = this.#find("#last-day");
    last.hidden = !lastClosed;
    if (!lastClosed) return;
    last.replaceChildren(make("h3", {}, t("last_closed", { day: number(lastClosed.day) })), daySummary(lastClosed));
  }

  #reading(model, now, rate) {
    if (model.status === "open") {
      const wait = Date.parse(model.startsAt) - now;
      return { title: t("starts_in"), value: wait > 0 ? countdown(wait) : "00:00:00", note: wait > 0 ? "" : t("starting"), part: 0 };
    }
    const { day } = model;
    if (!day) return { title: "", value: "–", note: model.status === "running" ? t("waiting_judging") : "", part: 1 };
    const start = Date.parse(day.starts_at);
    const end = Date.parse(day.ends_at);
    return {
      title: t("day_of", { day: number(day.day) }),
      value: now < end ? countdown(end - now, rate < 60) : t("day_over"),
      note: now < end ? t("day_left") : t("waiting_judging"),
      part: (now - start) / (end - start),
    };
  }

  /** The next verdict; a day that has ended waits for its own while the next is played. */
  #deadline(model, now) {
    if (model.status === "open") return t("starts_at", { time: dateAndTime(model.startsAt, this.#zone) });
    const next = model.unjudged.find(({ closes_at }) => Date.parse(closes_at) > now) ?? model.day;
    return next ? t("day_closes_at", { day: number(next.day), time: instant(next.closes_at, this.#zone) }) : "";
  }

  #eat(part) {
    const eaten = Math.max(0, Math.min(BITES_OF_A_DAY, Math.floor(part * BITES_OF_A_DAY)));
    if (eaten === this.#eaten) return;
    this.#eaten = eaten;
    this.#bites.forEach((bite, i) => {
      bite.setAttribute("class", i < eaten ? "eaten" : i === eaten ? "next" : "");
    });
  }
}
