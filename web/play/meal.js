// A meal in the making: which one, when, of what; and how it is sent. What came of it is in `result.js`.

import { onLanguage, t } from "../shared/language.js";
import { make } from "../watch/dom.js";
import { Once, isLost } from "./asking.js";
import { KINDS, LATE_MS_MOST, kindAt, minuteOf } from "./calendar.js";
import { Items } from "./items.js";
import { press } from "./news.js";
import { Photo } from "./photo.js";
import { Search } from "./search.js";
import { kindName } from "./terms.js";

const MINUTE_MS = 60_000;

const find = (selector) => document.querySelector(selector);

/** Where the user is, as far as the browser knows. */
const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

export class Meal {
  #server;
  #onSaved;
  #items;
  #search;
  #photo;
  #once = new Once();
  #kind = null;
  #isNow = true;

  /** `onSaved(outcome)` hears what the server made of it. */
  constructor(server, onSaved) {
    this.#server = server;
    this.#onSaved = onSaved;
    this.#items = new Items();
    this.#search = new Search(server, (food, how) => this.#items.add(food, null, how));
    this.#photo = new Photo(server, this);
    this.#renderKinds();
    this.#tick();
    setInterval(() => this.#tick(), MINUTE_MS / 4);
    onLanguage(() => this.#renderKinds());
    find("#eaten-at").addEventListener("input", () => {
      this.#isNow = false;
      this.#tick();
    });
    find("#eaten-now").addEventListener("click", () => {
      this.#isNow = true;
      this.#tick();
      find("#eaten-at").focus();
    });
    find("#meal").addEventListener("submit", (event) => {
      event.preventDefault();
      press(find("#save"), () => this.#save());
    });
  }

  add(food, grams_dg = null) {
    this.#items.add(food, grams_dg);
  }

  propose(food, grams_dg) {
    this.#items.propose(food, grams_dg);
  }

  lookFor(text) {
    this.#search.lookFor(text);
  }

  /** Begins another one. */
  clear() {
    this.#items.clear();
    this.#search.clear();
    this.#photo.forget();
    find("#note-text").value = "";
    [this.#kind, this.#isNow] = [null, true];
    this.#tick();
  }

  #eatenAt() {
    return this.#isNow ? new Date() : new Date(find("#eaten-at").value);
  }

  /** The time goes on, and what is likely goes with it, until the user has said otherwise. */
  #tick() {
    const now = new Date();
    const input = find("#eaten-at");
    input.min = minuteOf(new Date(now.getTime() - LATE_MS_MOST));
    input.max = minuteOf(now);
    if (this.#isNow) input.value = minuteOf(now);
    find("#eaten-now").hidden = this.#isNow;
    const at = this.#eatenAt();
    if (!this.#kind && !Number.isNaN(at.getTime())) this.#check(kindAt(at.getHours()));
  }

  #check(kind) {
    find(`#kinds [value=${kind}]`).checked = true;
  }

  #renderKinds() {
    const checked = find("#kinds :checked")?.value ?? kindAt(new Date().getHours());
    find("#kinds").replaceChildren(
      ...KINDS.map((kind) => {
        const input = make("input", { type: "radio", name: "kind", value: kind });
        input.addEventListener("change", () => (this.#kind = kind));
        return make("label", {}, input, make(`i.icon.${kind}`, { "aria-hidden": "true" }), make("span", {}, kindName(kind)));
      }),
    );
    this.#check(checked);
  }

  /** What the meal says apart from its hour, which goes on while one waits for a lost answer. */
  #wish() {
    const analysis = this.#photo.analysis;
    return {
      kind: find("#kinds :checked").value,
      at: this.#isNow ? null : this.#eatenAt().toISOString(),
      zone: zone(),
      note: find("#note-text").value.trim().normalize("NFC"),
      items: this.#items.asTold,
      ...(analysis ? { analysis } : {}),
    };
  }

  async #save() {
    if (this.#items.isEmpty) {
      this.#search.focus();
      throw { code: "meal_empty" };
    }
    if (this.#items.leadToFault()) throw { code: "grams_wrong" };
    if (Number.isNaN(this.#eatenAt().getTime())) {
      find("#eaten-at").focus();
      throw { code: "eaten_at_out_of_range" };
    }
    const write = this.#once.take(this.#wish(), ({ at, ...meal }) => ({ ...meal, eaten_at: at ?? new Date().toISOString() }));
    find("#save").textContent = t("play_saving");
    let outcome;
    try {
      outcome = await this.#server.log(write, this.#photo.analysis ? null : this.#photo.unseen);
      this.#once.settle();
    } catch (problem) {
      if (!isLost(problem)) this.#once.settle();
      if (problem.code === "analysis_unknown") this.#photo.forget(); // it goes without
      if (problem.code === "eaten_at_out_of_range") find("#eaten-at").focus();
      throw problem;
    } finally {
      find("#save").textContent = t("play_save");
    }
    this.clear();
    this.#onSaved(outcome);
  }
}
