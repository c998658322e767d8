// A day of the diary: what was eaten against the target, how good it was, and each meal.

import { number, timeOfDay } from "../shared/format.js";
import { onLanguage, t } from "../shared/language.js";
import { make, say } from "../watch/dom.js";
import { Latest } from "./asking.js";
import { knownMacros, macroBar } from "./bars.js";
import { addDays, dateOf } from "./calendar.js";
import { press, refuse, tell } from "./news.js";
import { energyInWords } from "./result.js";
import { ring } from "./ring.js";
import { dateInWords, gradeMark, gradeStrip, kcal, kindName, macro, nameOf } from "./terms.js";

const find = (selector) => document.querySelector(selector);
const MORE = ["sugars_mg", "fibre_mg", "saturates_mg", "sodium_mg"];

export class Day {
  #server;
  #go;
  #body = find("#day-body");
  #latest = new Latest();
  #date = null;
  #day = null;
  #hasFailed = false;
  #pictures = new Map();
  #asking = null;

  /** `go(date)` shows another day. */
  constructor(server, go) {
    this.#server = server;
    this.#go = go;
    find("#day-prev").addEventListener("click", () => this.#turn(-1));
    find("#day-next").addEventListener("click", () => this.#turn(1));
    find("#day-today").addEventListener("click", () => this.#go(dateOf(new Date())));
    onLanguage(() => this.#render());
  }

  async show(date) {
    if (date !== this.#date) [this.#day, this.#asking] = [null, null];
    this.#date = date;
    this.#hasFailed = false;
    this.#render();
    await this.#load();
  }

  #turn(days) {
    const next = addDays(this.#date, days);
    if (days < 0 || next <= dateOf(new Date())) this.#go(next);
  }

  async #load() {
    const isLast = this.#latest.begin();
    try {
      const day = await this.#server.get("/diary/day", { date: this.#date });
      if (!isLast()) return;
      this.#day = day;
      this.#render();
      await this.#loadPictures(day, isLast);
    } catch (refusal) {
      if (!isLast()) return;
      this.#hasFailed = !this.#day;
      this.#render();
      refuse(refusal);
    }
  }

  /** One after the other, first those on top. A picture that does not come is none. */
  async #loadPictures(day, isLast) {
    for (const { id, photo } of day.meals) {
      if (!photo || this.#pictures.has(photo.small)) continue;
      const picture = await this.#server.picture(photo.small).catch(() => null);
      if (!isLast()) return;
      if (!picture) continue;
      this.#pictures.set(photo.small, picture);
      this.#body.querySelector(`[data-meal="${CSS.escape(id)}"] .thumb`)?.replaceWith(this.#thumb(day.meals.find((meal) => meal.id === id)));
    }
  }

  #render() {
    if (!this.#date) return;
    const today = dateOf(new Date());
    say(find("#day-title"), this.#title(today));
    find("#day-today").hidden = this.#date === today;
    find("#day-next").setAttribute("aria-disabled", String(this.#date >= today));
    this.#body.setAttribute("aria-busy", String(!this.#day && !this.#hasFailed));
    if (this.#hasFailed) return this.#body.replaceChildren(this.#failed());
    if (!this.#day) return this.#body.replaceChildren(make("div.panel.waits", {}, make("span.unseen", {}, t("landing_loading"))));
    const parts = this.#day.meals.length ? [this.#summary(), this.#meals()] : [this.#nothing(), ...this.#verdicts()];
    this.#body.replaceChildren(...parts);
  }

  /** With the year where it is another one. */
  #title(today) {
    const year = this.#date.slice(0, 4) === today.slice(0, 4) ? {} : { year: "numeric" };
    return dateInWords(this.#date, { ...year, month: "long", day: "numeric", weekday: "long" });
  }

  #failed() {
    const again = make("button.button", { type: "button" }, t("try_again"));
    again.onclick = () => press(again, () => this.show(this.#date));
    return make("div.panel.nothing", {}, make("p", {}, t("play_load_failed")), again);
  }

  #summary() {
    const day = this.#day;
    const amounts = knownMacros(day.nutrients);
    const values = Object.fromEntries(Object.entries(amounts).map(([name, { amount }]) => [name, amount]));
    const left = day.target_kcal ? day.target_kcal - day.energy_kcal : null;
    const words = make("div.ring-words", {}, make("strong", {}, number(day.energy_kcal)), make("span", {}, "kcal"));
    if (day.target_kcal) words.append(make("small", {}, t("play_of_target", { target: number(day.target_kcal) })));
    const facts = make("div.facts", {});
    if (left !== null) facts.append(make("p.left", { "data-state": left < 0 ? "over" : "under" }, t(left < 0 ? "play_over_target" : "play_left_target", { amount: kcal(Math.abs(left)) })));
    const grade = make("div.score", {}, gradeStrip(day.grade), make("p.hint", {}, energyInWords(day.energy_kcal_low, day.energy_kcal_high)));
    facts.append(grade, macroBar(amounts), this.#more());
    const panel = make("div.panel.summary", {}, make("div.ring-box", {}, ring(day.energy_kcal, day.target_kcal ?? null, values), words), facts);
    return make("div.summary-box", {}, panel, ...this.#verdicts());
  }

  #more() {
    const { nutrients, score, weight_g, water_ml } = this.#day;
    const known = MORE.filter((name) => Number.isFinite(nutrients[name]));
    const terms = known.map((name) => [t(`play_${name}`), name === "sodium_mg" ? t("play_mg", { count: number(nutrients[name]) }) : macro({ amount: nutrients[name], isWhole: true })]);
    if (score) terms.push([t("play_nourishing"), t("play_nourishing_of", { score: number(Math.round(score.score_centi / 100)), most: number(Math.round(score.most_centi / 100)) })]);
    if (water_ml) terms.push([t("play_water"), t("play_ml", { count: number(water_ml) })]);
    if (weight_g) terms.push([t("play_weight"), t("play_kg", { count: number(weight_g / 1000) })]);
    return make("dl.more", {}, ...terms.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
  }

  #verdicts() {
    const rows = this.#day.verdicts.map(({ challenge, title, day, verdict }) =>
      make("li", { "data-verdict": verdict }, make("i.icon." + (verdict === "missed" ? "cross" : "check"), { "aria-hidden": "true" }), make("a", { href: `/watch/${encodeURIComponent(challenge)}` }, title), make("span", {}, t("day_of", { day: number(day) })), make("b", {}, t(verdict))),
    );
    return rows.length ? [make("ul.panel.verdicts", { "aria-label": t("play_verdicts") }, ...rows)] : [];
  }

  #meals() {
    const cards = this.#day.meals.map((meal) => this.#card(meal));
    return make("div.meals-box", {}, make("ol.meals", { "aria-label": t("play_meals") }, ...cards), this.#toLog());
  }

  #nothing() {
    const { target_kcal } = this.#day;
    const words = [make("p", {}, t("play_day_empty"))];
    if (target_kcal) words.push(make("p", {}, t("play_target", { amount: kcal(target_kcal) })));
    return make("div.panel.nothing", {}, make("i.icon.plate", { "aria-hidden": "true" }), ...words, this.#toLog());
  }

  #toLog() {
    return make("button.button", { type: "button", "data-go": "log" }, t("play_to_log"));
  }

  #thumb({ kind, photo }) {
    const picture = photo && this.#pictures.get(photo.small);
    if (picture) return make("img.thumb", { src: picture, alt: t("play_photo"), width: "72", height: "72" });
    return make("span.thumb", { "data-kind": kind, "aria-hidden": "true" }, make(`i.icon.${kind}`));
  }

  #card(meal) {
    const { id, kind, eaten_at, zone, note, contents } = meal;
    const names = contents.items.map((item) => nameOf(item)).join(", ") || (meal.state === "known" ? "" : t("play_photo"));
    const head = make("p.meal-head", {}, make("b", {}, kindName(kind)), " ", make("time", { datetime: eaten_at }, timeOfDay(eaten_at, zone)));
    const text = make("div.meal-text", {}, head, make("p.meal-names", {}, names || note || t("play_by_hand")));
    if (names && note) text.append(make("p.hint", {}, note));
    // Of a photo alone nothing counts until it was looked at, or its owner was asked.
    if (meal.state === "known") text.append(make("p.meal-energy", {}, make("strong", {}, kcal(meal.amounts.energy_kcal)), " ", gradeMark(contents.grade)));
    else text.append(make("p.hint", {}, t(`play_meal_${meal.state}`)));
    return make("li.panel.card", { "data-meal": id, "data-state": meal.state }, this.#thumb(meal), text, this.#away(meal));
  }

  /** The first tap asks, the second one means it. */
  #away({ id, kind }) {
    const isAsking = this.#asking === id;
    const what = { meal: kindName(kind) };
    const button = make(`button.away${isAsking ? ".is-asking" : ""}`, { type: "button", "data-delete": id, "aria-label": t(isAsking ? "play_delete_sure_label" : "play_delete_label", what) }, t(isAsking ? "play_delete_sure" : "play_delete"));
    button.onclick = () => {
      if (isAsking) return press(button, () => this.#delete(id));
      this.#asking = id;
      this.#render();
      this.#body.querySelector(`[data-delete="${CSS.escape(id)}"]`).focus();
    };
    button.onblur = () => {
      if (!isAsking || this.#asking !== id || !button.isConnected || button.getAttribute("aria-disabled") === "true") return;
      this.#asking = null;
      button.replaceWith(this.#away({ id, kind }));
    };
    return button;
  }

  async #delete(id) {
    try {
      await this.#server.delete(`/meals/${encodeURIComponent(id)}`);
    } catch (refusal) {
      if (refusal.status !== 404) throw refusal; // it is gone already
    }
    this.#asking = null;
    await this.#load();
    find("#day-title").focus();
    tell({ note: { key: "play_deleted" } });
  }
}
