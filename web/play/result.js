// What came of a meal: its grade, its energy with how sure that is, and what it means where the user plays.

import { number } from "../shared/format.js";
import { onLanguage, t } from "../shared/language.js";
import { make } from "../watch/dom.js";
import { knownMacros, macroBar } from "./bars.js";
import { gradeInWords, gradeStrip, kcal, kindName, nameOf } from "./terms.js";

/** Energy with the bounds it is likely within; one number where nothing is in doubt. */
export function energyInWords(kcal_low, kcal_high) {
  return kcal_low === kcal_high ? "" : t("play_energy_between", { low: number(kcal_low), high: number(kcal_high) });
}

export class Result {
  #server;
  #root = document.querySelector("#result");
  #outcome = null;
  #titles = new Map();

  constructor(server) {
    this.#server = server;
    onLanguage(() => this.#render());
  }

  get isShown() {
    return this.#outcome !== null;
  }

  show(outcome) {
    this.#outcome = outcome;
    this.#render();
    this.#root.querySelector("h2").focus();
    scrollTo(0, 0);
    this.#name(outcome);
  }

  hide() {
    this.#outcome = null;
    this.#render();
  }

  /** The answer names challenges by their ids; who plays there may read the titles. */
  async #name(outcome) {
    const asked = outcome.effects.map(async ({ challenge }) => {
      const { title } = await this.#server.get(`/challenges/${encodeURIComponent(challenge)}`);
      this.#titles.set(challenge, title);
    });
    await Promise.allSettled(asked);
    if (this.#outcome === outcome && asked.length) this.#render({ onlyEffects: true });
  }

  #render({ onlyEffects = false } = {}) {
    document.querySelector("#made").hidden = this.isShown;
    this.#root.hidden = !this.isShown;
    if (!this.isShown) {
      this.#root.replaceChildren();
      delete this.#root.dataset.grade;
      return;
    }
    const { meal, effects } = this.#outcome;
    if (onlyEffects) return this.#root.querySelector(".effects").replaceWith(this.#effects(effects));
    const { contents } = meal;
    this.#root.dataset.grade = contents.grade;
    const energy = contents.nutrients.energy_kcal ?? meal.amounts.energy_kcal;
    const again = make("button.button.quiet", { type: "button", "data-again": "" }, t("play_again"));
    again.onclick = () => {
      this.hide();
      document.querySelector("#log-title").focus();
    };
    const day = make("button.button", { type: "button", "data-go": "day", "data-date": meal.local_date }, t("play_to_day"));
    const names = contents.items.map(nameOf).join(", ");
    this.#root.replaceChildren(
      make("div.look.is-saved", {}, make("h2", { tabindex: "-1" }, t("play_saved")), make("p", {}, `${kindName(meal.kind)} · ${names}`)),
      make(
        "div.panel",
        {},
        make("div.score", {}, gradeStrip(contents.grade), make("p.hint", {}, this.#gradeWords(contents))),
        make("p.result-energy", {}, make("strong", {}, kcal(energy)), " ", make("span.hint", {}, energyInWords(contents.energy_kcal_low, contents.energy_kcal_high))),
        macroBar(knownMacros(contents.nutrients)),
        ...this.#remarks(meal),
      ),
      this.#effects(effects),
      make("div.ends", {}, day, again),
    );
  }

  #gradeWords({ grade, grade_estimated }) {
    if (grade === "UNKNOWN") return t("play_grade_why_unknown");
    return `${gradeInWords(grade)}. ${t(`play_grade_means_${grade}`)}${grade_estimated ? ` ${t("play_grade_estimated")}` : ""}`;
  }

  #remarks({ photo, contents }) {
    const remarks = [];
    if (photo?.seen_before) remarks.push(t(`play_seen_${photo.seen_before}`));
    if (contents.warnings?.some(({ code }) => code === "implausible")) remarks.push(t("play_implausible"));
    return remarks.map((words) => make("p.remark", {}, words));
  }

  #effects(effects) {
    const rows = effects.map((effect) => {
      const title = make("strong", {}, this.#titles.get(effect.challenge) ?? t("play_a_challenge"));
      const link = make("a", { href: `/watch/${encodeURIComponent(effect.challenge)}` }, title);
      if (effect.counts !== "for_day") return make("li", {}, link, make("span", {}, t("play_not_judged")));
      const progress = make("span.status", { "data-progress": effect.progress }, t(`play_progress_${effect.progress}`));
      const words = t("play_for_day", { day: number(effect.day), raw: effect.points, points: number(effect.points) });
      return make("li", { "data-effect": effect.challenge }, make("p", {}, link, " ", progress), make("span", {}, words));
    });
    const nowhere = make("p.hint", {}, t("play_no_challenge"), " ", make("a", { href: "/" }, t("all_challenges")));
    return make("div.panel.effects", {}, make("h3", {}, t("play_effects")), rows.length ? make("ul", {}, ...rows) : nowhere);
  }
}
