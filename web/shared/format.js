// Numbers, times and terms of play in the reader's language.

import { locale, t } from "./language.js";

export const number = (value) => value.toLocaleString(locale());

/** An instant on the wall clock of `zone`, or of the reader when the zone is not known. */
export function instant(value, zone, options = { weekday: "short", hour: "2-digit", minute: "2-digit" }) {
  const format = (timeZone) => new Intl.DateTimeFormat(locale(), { ...options, hour12: false, timeZone });
  try {
    return format(zone).format(new Date(value));
  } catch {
    return format(undefined).format(new Date(value)); // a zone this browser does not know
  }
}

export const timeOfDay = (value, zone) => instant(value, zone, { hour: "2-digit", minute: "2-digit" });
export const dateAndTime = (value, zone) =>
  instant(value, zone, { month: "short", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit" });

/** `2d 03:12:44`, `03:12:44`; never below zero. */
export function countdown(ms, withSeconds = true) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const two = (value) => String(value).padStart(2, "0");
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map(two);
  const shown = withSeconds ? clock : clock.slice(0, 2);
  return (days ? `${days}${locale() === "ko-KR" ? "일" : "d"} ` : "") + shown.join(":");
}

function macroInWords(asked) {
  const weight = (mg) => (asked.nutrient === "sodium" ? `${number(mg)} mg` : `${number(mg / 1000)} g`);
  // Either kind of bound, never both.
  const bound = (mg, permille) => (Number.isFinite(permille) ? `${number(permille / 10)} %` : Number.isFinite(mg) && weight(mg));
  const low = bound(asked.at_least_mg, asked.at_least_permille);
  const high = bound(asked.at_most_mg, asked.at_most_permille);
  const nutrient = t(`nutrient_${asked.nutrient}`);
  if (low && high) return t("rule_macro_between", { nutrient, low, high });
  return low ? t("rule_macro_least", { nutrient, low }) : t("rule_macro_most", { nutrient, high });
}

/** What a day asks for, a phrase each; kinds this page does not know are left out. */
export function termsInWords(terms) {
  const phrases = terms.requirements.map((asked) => {
    if (asked.kind === "calories") {
      return t("rule_calories", {
        low: number(asked.target_kcal - asked.tolerance_kcal),
        high: number(asked.target_kcal + asked.tolerance_kcal),
      });
    }
    if (asked.kind === "meals") {
      return t("rule_meals", { raw: asked.at_least, count: number(asked.at_least), cutoff: asked.cutoff });
    }
    if (asked.kind === "macro") return macroInWords(asked);
    if (asked.kind === "grade") return t("rule_grade", { grade: asked.at_worst });
    if (asked.kind === "photo") return t("rule_photo");
    return "";
  });
  phrases.push(terms.lives ? t("rule_lives", { raw: terms.lives, count: number(terms.lives) }) : t("rule_lives_none"));
  phrases.push(t("rule_days", { raw: terms.days, count: number(terms.days) }));
  return phrases.filter(Boolean);
}
