// Sums, dates, shares and the order of answers, as the page to play on has them, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Latest, Once, isLost, newKey } from "../play/asking.js";
import { KINDS, addDays, addMonths, dateOf, datesOf, hashOf, isDate, isMonth, kindAt, lastOf, minuteOf, placeOf, weeksOf } from "../play/calendar.js";
import { isOnTarget, ticksOf } from "../play/chart.js";
import { arcsOf } from "../play/ring.js";
import { PORTION_DG_MOST, decigramsOf, energyIn, energyOf, portionOf, sharesOf, stepOf, stepped, totals, usualOf } from "../play/sums.js";

const rice = { id: "ko:ssalbap", per_100g: { energy_kcal: 152, carbohydrate_mg: 33_388, protein_mg: 2479, fat_mg: 592 }, servings: [{ grams_dg: 2100 }, { grams_dg: 1050 }] };
const salt = { id: "salt", per_100g: { carbohydrate_mg: 0 }, servings: [] };

test("so much of a food holds so much", () => {
  assert.equal(portionOf(152, 2100), 319.2);
  assert.equal(portionOf(undefined, 2100), null, "what is unknown stays unknown");
  assert.equal(portionOf(0, 2100), 0);
  assert.equal(energyIn({ food: rice, grams_dg: 1000 }), 152);
  assert.equal(energyIn({ food: rice, grams_dg: null }), 0, "a weight that cannot be is none yet");
  assert.equal(energyIn({ food: salt, grams_dg: 10 }), null);
});

test("energy that is not declared is that of the macros, if all are known", () => {
  assert.equal(energyOf({ carbohydrate_mg: 10_000, protein_mg: 5000, fat_mg: 2000 }), 78);
  assert.equal(energyOf({ carbohydrate_mg: 10_000, protein_mg: 5000 }), null);
  assert.equal(energyOf({ energy_kcal: 0, carbohydrate_mg: 10_000, protein_mg: 0, fat_mg: 0 }), 0, "what is declared counts");
});

test("a meal is the sum of its items, and says when it is not all", () => {
  const meal = totals([{ food: rice, grams_dg: 2100 }, { food: rice, grams_dg: 1050 }]);
  assert.ok(Math.abs(meal.energy_kcal.amount - 478.8) < 1e-9);
  assert.ok(meal.energy_kcal.isWhole && meal.fat_mg.isWhole);
  const salted = totals([{ food: rice, grams_dg: 1000 }, { food: salt, grams_dg: 10 }]);
  assert.deepEqual([salted.energy_kcal.amount, salted.energy_kcal.isWhole], [152, false]);
  assert.ok(salted.carbohydrate_mg.isWhole);
  assert.deepEqual(totals([{ food: salt, grams_dg: null }]).energy_kcal, { amount: 0, isWhole: true });
  assert.deepEqual(totals([]).energy_kcal, { amount: 0, isWhole: true });
});

test("shares of energy add up", () => {
  assert.equal(sharesOf({ carbohydrate_mg: 0, protein_mg: 0, fat_mg: 0 }), null);
  assert.deepEqual(sharesOf({ carbohydrate_mg: 9000, protein_mg: 0, fat_mg: 4000 }), { carbohydrate_mg: 500, protein_mg: 0, fat_mg: 500 });
  for (let i = 1; i < 400; i++) {
    const shares = sharesOf({ carbohydrate_mg: (i * 7919) % 1000, protein_mg: (i * 104_729) % 777, fat_mg: i % 50 });
    if (!shares) continue;
    assert.equal(Object.values(shares).reduce((sum, share) => sum + share, 0), 1000);
    assert.ok(Object.values(shares).every((share) => share >= 0));
  }
});

test("weights are what somebody eats", () => {
  assert.deepEqual(["210", " 0.1 ", "12,5", "5000"].map(decigramsOf), [2100, 1, 125, PORTION_DG_MOST]);
  assert.deepEqual(["", "0", "0.01", "-5", "5000.1", "rice", "1e9", "NaN"].map(decigramsOf), Array(8).fill(null));
  assert.deepEqual([usualOf(rice), usualOf(salt)], [2100, 1000]);
  assert.deepEqual([stepOf(rice), stepOf(salt)], [1050, 500]);
  assert.equal(stepped(2100, rice, 1), 3150);
  assert.equal(stepped(1050, rice, -1), 1050, "a step never takes all");
  assert.equal(stepped(PORTION_DG_MOST - 10, rice, 1), PORTION_DG_MOST);
  assert.equal(stepped(null, rice, -1), 1050);
  assert.equal(stepped(null, rice, 1), 1050);
});

test("the hour says which meal it is likely to be", () => {
  const kinds = Array.from({ length: 24 }, (_, hour) => kindAt(hour));
  assert.ok(kinds.every((kind) => KINDS.includes(kind)));
  assert.deepEqual([6, 10, 11, 14, 15, 17, 18, 22].map((hour) => kinds[hour]), ["breakfast", "breakfast", "lunch", "lunch", "snack", "snack", "dinner", "dinner"]);
  assert.deepEqual([23, 0, 3].map((hour) => kinds[hour]), ["snack", "snack", "snack"]);
});

test("dates go on over months, years and leap days", () => {
  assert.equal(addDays("2026-02-28", 1), "2026-03-01");
  assert.equal(addDays("2028-02-28", 1), "2028-02-29");
  assert.equal(addDays("2026-01-01", -1), "2025-12-31");
  assert.deepEqual([addMonths("2026-12", 1), addMonths("2026-01", -1), addMonths("2026-03", -14)], ["2027-01", "2025-12", "2025-01"]);
  assert.deepEqual([lastOf("2026-02"), lastOf("2028-02"), lastOf("2026-12")], ["2026-02-28", "2028-02-29", "2026-12-31"]);
  assert.equal(datesOf("2026-03").length, 31);
  assert.ok(isDate("2028-02-29") && isMonth("2026-12"));
  assert.ok(!["2026-02-29", "2026-13-01", "2026-3-1", "", "tomorrow"].some(isDate));
  assert.ok(!["2026-13", "2026", "2026-1"].some(isMonth));
  const late = new Date(2026, 2, 1, 23, 5);
  assert.deepEqual([dateOf(late), minuteOf(late)], ["2026-03-01", "2026-03-01T23:05"], "on the wall clock, not in UTC");
});

test("weeks begin on Monday and hold every day once", () => {
  const march = weeksOf("2026-03"); // its first is a Sunday
  assert.deepEqual(march[0], [null, null, null, null, null, null, "2026-03-01"]);
  assert.equal(march.length, 6);
  const february = weeksOf("2027-02"); // four weeks to the day
  assert.deepEqual([february.length, february[0][0], february[3][6]], [4, "2027-02-01", "2027-02-28"]);
  for (let month = "2025-01"; month < "2029-01"; month = addMonths(month, 1)) {
    const weeks = weeksOf(month);
    assert.ok(weeks.every((week) => week.length === 7 && week.some(Boolean)));
    assert.deepEqual(weeks.flat().filter(Boolean), datesOf(month));
    const monday = weeks[1][0];
    assert.equal(new Date(`${monday}T00:00:00Z`).getUTCDay(), 1);
  }
});

test("an address is a view and a date, or nothing", () => {
  assert.deepEqual(placeOf("#day/2026-03-01"), { view: "day", date: "2026-03-01" });
  assert.deepEqual(placeOf("#month/2026-03"), { view: "month", date: "2026-03-01" });
  assert.deepEqual(placeOf("#log"), { view: "log" });
  assert.deepEqual([placeOf("#day"), placeOf("#day/2026-02-30"), placeOf("#month/x")].map(({ date }) => date), [null, null, null]);
  assert.deepEqual(["", "#", "#x", "#toString"].map(placeOf), [null, null, null, null]);
  for (const view of ["log", "day", "month"]) assert.equal(placeOf(hashOf(view, "2026-03-15")).view, view);
});

test("of answers that overtake each other the last one asked for counts", () => {
  const latest = new Latest();
  const first = latest.begin();
  assert.ok(first());
  const second = latest.begin();
  assert.ok(!first() && second());
  latest.drop();
  assert.ok(!second());
});

test("a write whose answer was lost is sent again as it was", () => {
  let n = 0;
  const once = new Once(() => `key-${++n}`);
  let clock = 0;
  const make = (wish) => ({ ...wish, at: ++clock });
  const first = once.take({ food: "rice" }, make);
  assert.deepEqual(first, { key: "key-1", body: { food: "rice", at: 1 } });
  assert.deepEqual(once.take({ food: "rice" }, make), first, "with its time");
  assert.equal(once.take({ food: "soup" }, make).key, "key-2", "another wish is another write");
  once.settle();
  assert.equal(once.take({ food: "soup" }, make).key, "key-3", "the same again, after an answer");
});

test("a key is one that the server takes", () => {
  assert.match(newKey(), /^[0-9a-f]{32}$/);
  assert.notEqual(newKey(), newKey());
});

test("a lost answer is told from a refusal", () => {
  const lost = [{ status: 0, code: "network" }, { status: 503, code: "busy" }, { status: 500, code: "internal" }, { status: 409, code: "idempotency_in_flight" }];
  assert.ok(lost.every(isLost));
  assert.ok(![{ status: 422, code: "json_invalid" }, { status: 409, code: "too_many_meals" }, { status: 429, code: "analysis_budget" }].some(isLost));
});

test("the rim of a day is its energy against the target", () => {
  const macros = { carbohydrate_mg: 100_000, protein_mg: 100_000, fat_mg: 0 };
  const half = arcsOf(1000, 2000, macros);
  assert.deepEqual(half, { arcs: [{ part: "carbohydrate_mg", begin: 0, length: 250 }, { part: "protein_mg", begin: 250, length: 250 }], over: 0 });
  assert.equal(arcsOf(2500, 2000, macros).over, 250);
  assert.equal(arcsOf(9000, 2000, macros).over, 1000, "once around is enough");
  assert.deepEqual(arcsOf(0, 2000, { carbohydrate_mg: 0, protein_mg: 0, fat_mg: 0 }), { arcs: [], over: 0 });
  assert.deepEqual(arcsOf(700, null, { carbohydrate_mg: 0, protein_mg: 0, fat_mg: 0 }).arcs, [{ part: "energy", begin: 0, length: 1000 }]);
});

test("the chart's scale holds the highest bar in round numbers", () => {
  assert.deepEqual(ticksOf(2000), [0, 500, 1000, 1500, 2000]);
  assert.deepEqual(ticksOf(2001), [0, 1000, 2000, 3000]);
  for (const most of [1, 37, 555, 1800, 2400, 9999, 12_345]) {
    const ticks = ticksOf(most);
    assert.ok(ticks[ticks.length - 1] >= most && ticks.length <= 6, `${most}: ${ticks}`);
  }
  assert.deepEqual([1800, 1799, 2200, 2201].map((energy) => isOnTarget(energy, 2000)), [true, false, true, false]);
  assert.equal(isOnTarget(0, null), false);
});
