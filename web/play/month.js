// A month of the diary: a calendar coloured by how good the days were, the energy of each, and what is usual.

import { number } from "../shared/format.js";
import { onLanguage, t } from "../shared/language.js";
import { make, say } from "../watch/dom.js";
import { Latest } from "./asking.js";
import { gradeBar } from "./bars.js";
import { KINDS, addDays, addMonths, dateOf, datesOf, lastOf, monthOf, weeksOf } from "./calendar.js";
import { chart } from "./chart.js";
import { press, refuse } from "./news.js";
import { dateInWords, gradeInWords, gradeMark, kcal, kindName } from "./terms.js";

const find = (selector) => document.querySelector(selector);
const CHART_PX_MIN = 160;
/** A Monday, and six days after it, for the names of weekdays. */
const WEEK = Array.from({ length: 7 }, (_, index) => addDays("2024-01-01", index));

export class Month {
  #server;
  #go;
  #body = find("#month-body");
  #latest = new Latest();
  #month = null;
  #days = null;
  #range = null;
  #target_kcal = null;
  #hasFailed = false;

  /** `go(view, date)` shows a day, or another month. */
  constructor(server, go) {
    this.#server = server;
    this.#go = go;
    find("#month-prev").addEventListener("click", () => this.#turn(-1));
    find("#month-next").addEventListener("click", () => this.#turn(1));
    find("#month-today").addEventListener("click", () => this.#go("month", dateOf(new Date())));
    onLanguage(() => this.#render());
    new ResizeObserver(() => this.#renderChart()).observe(this.#body);
  }

  async show(month) {
    if (month !== this.#month) [this.#days, this.#range] = [null, null];
    this.#month = month;
    this.#hasFailed = false;
    this.#render();
    const isLast = this.#latest.begin();
    try {
      const [glance, range, today] = await Promise.all([
        this.#server.get("/diary/month", { month }),
        this.#server.get("/diary/range", { from: `${month}-01`, to: lastOf(month) }),
        this.#server.get("/diary/day", { date: dateOf(new Date()) }), // it knows the target
      ]);
      if (!isLast()) return;
      this.#days = new Map(glance.days.map((day) => [day.date, day]));
      [this.#range, this.#target_kcal] = [range, today.target_kcal ?? null];
      this.#render();
    } catch (refusal) {
      if (!isLast()) return;
      this.#hasFailed = !this.#days;
      this.#render();
      refuse(refusal);
    }
  }

  #turn(months) {
    const next = addMonths(this.#month, months);
    if (months < 0 || next <= monthOf(dateOf(new Date()))) this.#go("month", `${next}-01`);
  }

  #render() {
    if (!this.#month) return;
    const now = monthOf(dateOf(new Date()));
    say(find("#month-title"), dateInWords(`${this.#month}-01`, { year: "numeric", month: "long" }));
    find("#month-today").hidden = this.#month === now;
    find("#month-next").setAttribute("aria-disabled", String(this.#month >= now));
    this.#body.setAttribute("aria-busy", String(!this.#days && !this.#hasFailed));
    if (this.#hasFailed) return this.#body.replaceChildren(this.#failed());
    this.#body.replaceChildren(this.#calendar(), ...(this.#range ? [this.#sides()] : []));
    this.#renderChart();
  }

  #failed() {
    const again = make("button.button", { type: "button" }, t("try_again"));
    again.onclick = () => press(again, () => this.show(this.#month));
    return make("div.panel.nothing", {}, make("p", {}, t("play_load_failed")), again);
  }

  #calendar() {
    const names = WEEK.map((date) => make("th", { scope: "col", abbr: dateInWords(date, { weekday: "long" }) }, dateInWords(date, { weekday: "short" })));
    const weeks = weeksOf(this.#month).map((week) => make("tr", {}, ...week.map((date) => make("td", {}, ...(date ? [this.#cell(date)] : [])))));
    const table = make("table.calendar", { "aria-labelledby": "month-title" }, make("thead", {}, make("tr", {}, ...names)), make("tbody", {}, ...weeks));
    return make("div.panel.calendar-box", {}, table);
  }

  #cell(date) {
    const day = this.#days?.get(date);
    const cell = make("button", { type: "button", "data-day": date, "aria-label": this.#dayInWords(date, day) });
    if (date === dateOf(new Date())) cell.setAttribute("aria-current", "date");
    const hidden = { "aria-hidden": "true" };
    cell.append(make("span.number", hidden, String(Number(date.slice(8)))));
    if (day?.meals) {
      cell.dataset.grade = day.grade;
      const dots = KINDS.map((kind) => make(`i${day.kinds.includes(kind) ? ".is-there" : ""}`));
      cell.append(make("span.letter", hidden, day.grade === "UNKNOWN" ? "–" : day.grade), make("span.energy", hidden, number(day.energy_kcal)), make("span.dots", hidden, ...dots));
    }
    const verdict = this.#verdictOf(day);
    if (verdict) cell.append(make(`i.mark.icon.${verdict === "missed" ? "cross" : "check"}`, { ...hidden, "data-verdict": verdict }));
    cell.onclick = () => this.#go("day", date);
    return cell;
  }

  /** Of several challenges the worst. */
  #verdictOf(day) {
    if (!day?.verdicts.length) return null;
    return ["missed", "void", "cheat"].find((worst) => day.verdicts.some(({ verdict }) => verdict === worst)) ?? "kept";
  }

  #dayInWords(date, day) {
    const words = [dateInWords(date)];
    if (!day?.meals) words.push(t("play_nothing_logged"));
    else words.push(kcal(day.energy_kcal), gradeInWords(day.grade), day.kinds.map(kindName).join(", "));
    const verdict = this.#verdictOf(day);
    if (verdict) words.push(t(verdict));
    return words.join(", ");
  }

  #sides() {
    const { days_logged } = this.#range;
    if (!days_logged) return make("div.panel.nothing", {}, make("i.icon.calendar", { "aria-hidden": "true" }), make("p", {}, t("play_month_empty")), make("button.button", { type: "button", "data-go": "log" }, t("play_to_log")));
    const chartBox = make("section.panel", {}, make("h2", {}, t("play_energy_by_day")), this.#legend(), make("div", { id: "month-chart" }), this.#table());
    return make("div.sides", {}, this.#figures(), chartBox, this.#grades());
  }

  #figures() {
    const { days_logged, average_energy_kcal, days_on_target, trend_kcal_per_week } = this.#range;
    const days = (raw) => t("play_days", { raw, count: number(raw) });
    const figures = [[t("play_days_logged"), days(days_logged)]];
    if (Number.isFinite(average_energy_kcal)) figures.push([t("play_average"), kcal(average_energy_kcal)]);
    if (Number.isFinite(days_on_target)) figures.push([t("play_days_on_target"), days(days_on_target)]);
    if (Number.isFinite(trend_kcal_per_week)) figures.push([t("play_trend"), t("play_kcal", { count: new Intl.NumberFormat("en", { signDisplay: "exceptZero" }).format(trend_kcal_per_week) })]);
    return make("dl.figures", {}, ...figures.map(([name, value]) => make("div.panel", {}, make("dt", {}, name), make("dd", {}, value))));
  }

  #legend() {
    return make("p.hint", {}, this.#target_kcal ? t("play_chart_legend", { target: kcal(this.#target_kcal) }) : t("play_chart_no_target"));
  }

  #logged() {
    return datesOf(this.#month).map((date) => {
      const day = this.#days?.get(date);
      const energy_kcal = day?.meals ? day.energy_kcal : null;
      return { date, energy_kcal, label: energy_kcal === null ? "" : `${dateInWords(date, { month: "short", day: "numeric" })}: ${kcal(energy_kcal)}` };
    });
  }

  #renderChart() {
    const box = find("#month-chart");
    if (!box || box.clientWidth < CHART_PX_MIN || !this.#range) return; // it is not laid out yet
    const targetLabel = this.#target_kcal ? t("play_target", { amount: kcal(this.#target_kcal) }) : "";
    box.replaceChildren(chart(this.#logged(), { target_kcal: this.#target_kcal, width: box.clientWidth, label: t("play_energy_by_day"), targetLabel, number }));
  }

  /** The same for those who do not see the bars. */
  #table() {
    const rows = this.#logged().filter(({ energy_kcal }) => energy_kcal !== null);
    const row = ({ date, energy_kcal }) => make("tr", {}, make("th", { scope: "row" }, dateInWords(date, { month: "long", day: "numeric" })), make("td", {}, kcal(energy_kcal)));
    return make("div.unseen", {}, make("table", {}, make("caption", {}, t("play_energy_by_day")), make("tbody", {}, ...rows.map(row))));
  }

  #grades() {
    const { grades, best, worst } = this.#range;
    const box = make("section.panel", {}, make("h2", {}, t("play_grades")), gradeBar(grades));
    const link = (date, key) => {
      const button = make("button.go", { type: "button" }, dateInWords(date, { month: "long", day: "numeric" }));
      button.onclick = () => this.#go("day", date);
      return make("p", {}, t(key), " ", button, " ", gradeMark(this.#days?.get(date)?.grade ?? "UNKNOWN"));
    };
    if (best && worst && best !== worst) box.append(make("div.ends-of", {}, link(best, "play_best"), link(worst, "play_worst")));
    return box;
  }
}
