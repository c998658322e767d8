// The field that foods are looked for in. Answers that come out of order are let go; what is found is put into the meal.

import { onLanguage, t } from "../shared/language.js";
import { number } from "../shared/format.js";
import { make, say } from "../watch/dom.js";
import { Latest } from "./asking.js";
import { refuse, tell } from "./news.js";
import { energyOf } from "./sums.js";
import { gradeMark, kcal, nameOf } from "./terms.js";

const TYPING_MS = 200;
const FOUND_MOST = 12;

export class Search {
  #server;
  #add;
  #input = document.querySelector("#food-search");
  #list = document.querySelector("#foods");
  #state = document.querySelector("#food-state");
  #latest = new Latest();
  #typing = null;
  #found = null;
  #wanted = "";
  /** What was typed for what was found. */
  #answered = null;

  /** `add(food, {leads})` is called with each food that is chosen, and whether it is to have the focus. */
  constructor(server, add) {
    this.#server = server;
    this.#add = add;
    this.#input.addEventListener("input", () => this.#typed());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    onLanguage(() => this.#render());
    this.#render();
  }

  focus() {
    this.#input.focus();
  }

  lookFor(text) {
    this.#input.value = text;
    this.#input.focus();
    this.#typed();
  }

  clear() {
    this.#input.value = "";
    this.#typed();
  }

  #typed() {
    clearTimeout(this.#typing);
    this.#wanted = this.#input.value.trim().normalize("NFC");
    if (this.#wanted) {
      this.#typing = setTimeout(() => this.#ask(this.#wanted), TYPING_MS);
      return;
    }
    this.#latest.drop();
    [this.#found, this.#answered] = [null, null];
    this.#render();
  }

  async #ask(text) {
    const isLast = this.#latest.begin();
    this.#list.setAttribute("aria-busy", "true");
    try {
      const { items } = await this.#server.get("/foods", { q: text, limit: FOUND_MOST });
      if (!isLast()) return;
      [this.#found, this.#answered] = [items, text];
      this.#list.setAttribute("aria-busy", "false");
      this.#render();
    } catch (refusal) {
      if (!isLast()) return;
      this.#list.setAttribute("aria-busy", "false");
      refuse(refusal);
    }
  }

  #render() {
    this.#input.placeholder = t("play_search_hint");
    this.#list.hidden = !this.#found?.length;
    this.#list.replaceChildren(...(this.#found ?? []).map((food) => this.#row(food)));
    const words = this.#found === null ? "" : this.#found.length ? t("play_found", { raw: this.#found.length, count: number(this.#found.length) }) : t("play_found_none", { text: this.#wanted });
    this.#state.classList.toggle("unseen", Boolean(this.#found?.length)); // the list shows it
    say(this.#state, words);
  }

  #row(food) {
    const energy = energyOf(food.per_100g);
    const text = make("span.food-name", {}, nameOf(food));
    if (food.own) text.append(" ", make("span.status", {}, t("play_food_own")));
    const facts = make("small", {}, energy === null ? t("play_energy_unknown") : t("play_per_100g", { energy: kcal(energy) }));
    const button = make("button", { type: "button", "data-food": food.id }, gradeMark(food.grade), text, facts);
    // By keys one goes on with the next food; a finger sees to how much it is.
    button.onclick = ({ detail: clicks }) => {
      tell();
      this.clear();
      this.#add(food, { leads: clicks > 0 });
      say(this.#state, t("play_added", { food: nameOf(food) }));
      if (!clicks) this.#input.focus();
    };
    return make("li", {}, button);
  }

  /** Arrows go through what was found, Escape clears, Enter takes the first. */
  #key(event) {
    const buttons = [...this.#list.querySelectorAll("button")];
    const places = [this.#input, ...buttons];
    const at = places.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && buttons.length) {
      event.preventDefault();
      places[Math.min(places.length - 1, Math.max(0, at + step))].focus();
    } else if (event.key === "Escape" && (this.#input.value || this.#found)) {
      event.preventDefault();
      this.clear();
      this.#input.focus();
    } else if (event.key === "Enter" && at === 0 && !event.isComposing) {
      event.preventDefault();
      if (this.#answered === this.#wanted) buttons[0]?.click();
    }
  }
}
