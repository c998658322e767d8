// Shares drawn as widths: the macros of a meal or a day, and how many days had which grade.

import { number } from "../shared/format.js";
import { t } from "../shared/language.js";
import { make } from "../watch/dom.js";
import { MACROS, sharesOf } from "./sums.js";
import { GRADES, macro } from "./terms.js";

function stripe(name, share) {
  const part = make("i", { "data-part": name });
  part.style.flexGrow = String(share);
  return part;
}

/** The macros by their energy, with their grams under it. `of` holds `{amount, isWhole}` by name. */
export function macroBar(of) {
  const shares = sharesOf(Object.fromEntries(MACROS.map((name) => [name, of[name].amount])));
  const bar = make("div.stripes", { "aria-hidden": "true" });
  bar.append(...MACROS.filter((name) => shares?.[name]).map((name) => stripe(name, shares[name])));
  const legend = MACROS.map((name) =>
    make("li", { "data-part": name }, make("span", {}, t(`play_${name}`)), " ", make("b", {}, macro(of[name]))),
  );
  return make("div.macros", {}, bar, make("ul", {}, ...legend));
}

/** The macros that an answer of the server tells; what it does not tell is unknown. */
export const knownMacros = (nutrients) =>
  Object.fromEntries(MACROS.map((name) => [name, { amount: nutrients[name] ?? 0, isWhole: Number.isFinite(nutrients[name]) }]));

/** Days by their grade. `counts` is `{A: 3, …, UNKNOWN: 1}`. */
export function gradeBar(counts) {
  const there = [...GRADES, "UNKNOWN"].filter((grade) => counts[grade] > 0);
  const parts = there.map((grade) => {
    const part = make("span", { "data-grade": grade }, grade === "UNKNOWN" ? "–" : grade);
    part.style.flexGrow = String(counts[grade]);
    return part;
  });
  const words = there.map((grade) => make("li", { "data-grade": grade }, grade === "UNKNOWN" ? t("play_grade_unknown_short") : grade, " ", make("b", {}, t("play_days", { raw: counts[grade], count: number(counts[grade]) }))));
  return make("div.spread", {}, make("div.spread-bar", { "aria-hidden": "true" }, ...parts), make("ul", {}, ...words));
}
