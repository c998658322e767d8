// The foods of a meal in the making: how much of each, and what they hold together. When and which meal it is stands in `meal.js`.

import { onLanguage, t } from "../shared/language.js";
import { make, say } from "../watch/dom.js";
import { macroBar } from "./bars.js";
import { ITEMS_MOST, PORTION_DG_MOST, decigramsOf, energyIn, stepped, totals, usualOf } from "./sums.js";
import { grams, kcal, nameOf } from "./terms.js";

const SERVINGS_SHOWN = 4;

const find = (selector) => document.querySelector(selector);

export class Items {
  #list = find("#proposal");
  #items = [];

  constructor() {
    onLanguage(() => this.#render());
    this.#render();
  }

  get isEmpty() {
    return !this.#items.length;
  }

  /** As a meal names them. */
  get asTold() {
    return this.#items.map(({ food, grams_dg }) => ({ food: food.id, grams_dg, weighed: false }));
  }

  /** More of a food that is there already, or a new one; `leads` to it with the focus. */
  add(food, grams_dg = null, { leads = false } = {}) {
    const more = grams_dg ?? usualOf(food);
    const there = this.#items.find((item) => item.food.id === food.id);
    if (there) {
      this.#weigh(there, Math.min(PORTION_DG_MOST, (there.grams_dg ?? 0) + more));
    } else if (this.#items.length < ITEMS_MOST) {
      this.#items.push({ food, grams_dg: more });
      this.#render();
    }
    const row = this.#row(food.id);
    row?.classList.add("is-new");
    if (leads) row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  }

  /** A food that a photo shows, unless it is there. */
  propose(food, grams_dg) {
    if (!this.#items.some((item) => item.food.id === food.id)) this.add(food, grams_dg);
  }

  clear() {
    this.#items = [];
    this.#render();
  }

  /** Leads to the first weight that cannot be. Whether there is one. */
  leadToFault() {
    const wrong = this.#items.find(({ grams_dg }) => grams_dg === null);
    if (wrong) this.#row(wrong.food.id).querySelector("input").focus();
    return Boolean(wrong);
  }

  #row(id) {
    return this.#list.querySelector(`[data-item="${CSS.escape(id)}"]`);
  }

  #render() {
    this.#list.replaceChildren(...this.#items.map((item) => this.#made(item)));
    find("#proposal-empty").hidden = !this.isEmpty;
    this.#renderTotal();
  }

  #made(item) {
    const { food } = item;
    const name = nameOf(food);
    const input = make("input", { type: "number", inputmode: "decimal", min: "0.1", max: "5000", step: "any", value: String(item.grams_dg / 10), "aria-label": t("play_grams_of", { food: name }) });
    input.addEventListener("input", () => this.#weigh(item, decigramsOf(input.value), { isTyped: true }));
    const step = (direction, label) => {
      const button = make("button.step", { type: "button", "aria-label": t(label, { food: name }) }, direction < 0 ? "−" : "+");
      button.onclick = () => this.#weigh(item, stepped(item.grams_dg, food, direction));
      return button;
    };
    const away = make("button.round", { type: "button", "aria-label": t("play_item_remove", { food: name }) }, make("i.icon.cross", { "aria-hidden": "true" }));
    away.onclick = () => this.#remove(item);
    const servings = (food.servings ?? []).slice(0, SERVINGS_SHOWN).map((serving) => {
      const chip = make("button.chip", { type: "button", "aria-pressed": "false", "data-grams": String(serving.grams_dg) }, nameOf(serving), " ", make("small", {}, grams(serving.grams_dg)));
      chip.onclick = () => this.#weigh(item, serving.grams_dg);
      return chip;
    });
    const weight = make("span.weight", {}, step(-1, "play_less"), make("span.amount", {}, input, make("span", { "aria-hidden": "true" }, "g")), step(1, "play_more"));
    const head = make("div.item-head", {}, make("strong", {}, name), make("span.energy", { "aria-live": "off" }), away);
    const row = make("li", { "data-item": food.id, tabindex: "-1" }, head, make("div.item-weight", {}, weight, make("div.chips", {}, ...servings)));
    this.#renderRow(row, item);
    return row;
  }

  #renderRow(row, item) {
    const energy = energyIn(item);
    say(row.querySelector(".energy"), energy === null ? t("play_energy_unknown") : kcal(energy));
    const input = row.querySelector("input");
    if (item.grams_dg === null) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    for (const chip of row.querySelectorAll("[data-grams]")) chip.setAttribute("aria-pressed", String(Number(chip.dataset.grams) === item.grams_dg));
  }

  #weigh(item, grams_dg, { isTyped = false } = {}) {
    item.grams_dg = grams_dg;
    const row = this.#row(item.food.id);
    if (!isTyped) row.querySelector("input").value = String(grams_dg / 10);
    this.#renderRow(row, item);
    this.#renderTotal();
  }

  #remove(item) {
    const at = this.#items.indexOf(item);
    this.#items.splice(at, 1);
    this.#render();
    const next = this.#items[Math.min(at, this.#items.length - 1)];
    (next ? this.#row(next.food.id).querySelector("button.round") : find("#food-search")).focus();
  }

  #renderTotal() {
    const total = find("#total");
    total.hidden = this.isEmpty;
    const sums = totals(this.#items);
    const { amount, isWhole } = sums.energy_kcal;
    const words = isWhole ? kcal(amount) : t("play_at_least", { amount: kcal(amount) });
    total.replaceChildren(make("p.total-energy", {}, make("span", {}, t("play_total")), " ", make("output", {}, words)), macroBar(sums));
  }
}
