// Foods, weights, energies and grades in the reader's words, and the small marks that stand for them.

import { locale, language, t } from "../shared/language.js";
import { number } from "../shared/format.js";
import { make } from "../watch/dom.js";

export const GRADES = ["A", "B", "C", "D", "E"];

/** A name in the reader's language, or else in the other one. */
const named = ({ name_ko, name_en }) => (language() === "ko" ? (name_ko ?? name_en) : (name_en ?? name_ko)) ?? "";

/** The name of a food, of an item of a meal, or of a serving. */
export const nameOf = (thing) => named(thing) || thing.food || thing.id || "";

export const kcal = (value) => t("play_kcal", { count: number(Math.round(value)) });

/** Decigrams as grams; a decimal only where there is one. */
export const grams = (grams_dg) => t("play_grams", { count: number(grams_dg / 10) });

/** Milligrams as grams, coarser the more it is. `+` says that more is in it than is known. */
export function macro({ amount, isWhole }) {
  const value = amount / 1000;
  const shown = number(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
  return t(isWhole ? "play_grams" : "play_grams_least", { count: shown });
}

const GRADE_NAMES = { UNKNOWN: "play_grade_unknown" };

/** What a grade is called aloud. */
export const gradeInWords = (grade) => (GRADE_NAMES[grade] ? t(GRADE_NAMES[grade]) : t("play_grade", { grade }));

/** A grade as a small coloured letter. */
export function gradeMark(grade) {
  return make("span.grade", { "data-grade": grade, role: "img", "aria-label": gradeInWords(grade) }, GRADES.includes(grade) ? grade : "–");
}

/** The grade among the five it could be. */
export function gradeStrip(grade) {
  const letters = GRADES.map((letter) => make(letter === grade ? "span.is-it" : "span", { "data-grade": letter }, letter));
  return make("span.grades", { role: "img", "aria-label": gradeInWords(grade), "data-grade": grade }, ...letters);
}

/** `3월 1일 일요일`, `Sunday 1 March`. */
export function dateInWords(date, options = { month: "long", day: "numeric", weekday: "long" }) {
  return new Intl.DateTimeFormat(locale(), { ...options, timeZone: "UTC" }).format(new Date(`${date}T00:00:00Z`));
}

export const kindName = (kind) => t(`play_kind_${kind}`);
