// The board's model under loss, doubling and reordering, and the ranks of equal rows.

import assert from "node:assert/strict";
import { test } from "node:test";

import { BoardModel, compareRows, rankRows } from "../watch/board.js";

const row = (player, points, more = {}) => ({
  player,
  nickname: player,
  status: "alive",
  lives_left: 2,
  points,
  days_kept: 0,
  days_missed: 0,
  streak: 0,
  recent: "",
  key: [0, 0, -points, 0, 0, 0],
  ...more,
});

const counts = (players) => ({ players, alive: players, out: 0, left: 0 });

const snapshot = (n, rows, board = {}) => ({
  type: "snapshot",
  n,
  counts: counts(rows.length),
  board: {
    title: "t",
    status: "running",
    days: 5,
    lives: 2,
    starts_at: "2026-01-01T00:00:00Z",
    window: 50,
    rows,
    ...board,
  },
});

const tick = (from, n, rows, events = [], more = {}) => ({ type: "tick", from, n, rows, events, counts: counts(3), ...more });

/** A generator of chance that repeats itself: a failing case can be run again. */
function chance(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

const shown = (model) => model.ranked().map(({ rank, row: { player, points } }) => [rank, player, points]);

test("equal keys share a rank and the next is skipped", () => {
  const rows = [row("d", 10), row("c", 20), row("a", 30), row("b", 20)].sort(compareRows);
  assert.deepEqual(rankRows(rows).map(({ rank, row: { player } }) => [rank, player]), [[1, "a"], [2, "b"], [2, "c"], [4, "d"]]);
});

test("keys are compared as numbers, not as text", () => {
  const rows = [row("nine", 9), row("hundred", 100)].sort(compareRows);
  assert.equal(rows[0].player, "hundred");
});

test("the window keeps the best rows only", () => {
  const model = new BoardModel();
  model.applySnapshot(snapshot(1, [row("a", 30), row("b", 20)], { window: 2 }));
  model.applyTick(tick(1, 2, [row("c", 25)]));
  assert.deepEqual(shown(model), [[1, "a", 30], [2, "c", 25]]);
});

test("a missing tick is a gap, and a snapshot closes it", () => {
  const model = new BoardModel();
  model.applySnapshot(snapshot(5, [row("a", 1)]));
  assert.equal(model.applyTick(tick(6, 7, [row("a", 9)])).outcome, "gap");
  assert.deepEqual(shown(model), [[1, "a", 1]]);
  model.applySnapshot(snapshot(7, [row("a", 9)]));
  assert.equal(model.applyTick(tick(7, 8, [row("a", 10)])).outcome, "applied");
});

test("an old tick does not bring back old rows", () => {
  const model = new BoardModel();
  model.applySnapshot(snapshot(5, [row("a", 50)]));
  assert.equal(model.applyTick(tick(2, 4, [row("a", 40)])).outcome, "stale");
  assert.deepEqual(shown(model), [[1, "a", 50]]);
});

test("an overlapping tick gives only its new events", () => {
  const model = new BoardModel();
  model.applySnapshot(snapshot(5, []));
  const joined = (n) => ({ n, event: "joined", player: `p${n}`, nickname: `p${n}`, at: "" });
  const { events } = model.applyTick(tick(3, 7, [], [joined(4), joined(5), joined(6), joined(7)]));
  assert.deepEqual(events.map(({ n }) => n), [6, 7]);
});

test("days turn, wait for their verdict, and end", () => {
  const model = new BoardModel();
  const opened = (n, day) => ({ n, event: "day_opened", day, starts_at: "s", ends_at: "e", closes_at: "c", at: "" });
  model.applySnapshot(snapshot(1, [row("a", 5), row("b", 5)], { status: "open" }));
  model.applyTick(tick(1, 2, [], [opened(2, 1)]));
  assert.equal(model.status, "running");
  model.applyTick(tick(2, 3, [], [opened(3, 2)]));
  assert.deepEqual(model.unjudged.map(({ day }) => day), [1]);
  model.applyTick(tick(3, 4, [], [{ n: 4, event: "day_closed", day: 1, kept: 2, missed: 0, eliminated: 0, alive: 2, at: "" }]));
  assert.deepEqual(model.unjudged, []);
  assert.equal(model.day.day, 2);
  const champions = [{ player: "a", nickname: "a" }, { player: "b", nickname: "b" }];
  model.applyTick(tick(4, 5, [], [{ n: 5, event: "finished", champions, champions_total: 2, survivors: 2, at: "" }]));
  assert.equal(model.status, "finished");
  assert.equal(model.ending().champions_total, 2);
});

test("a board opened after the end names the same champions", () => {
  const model = new BoardModel();
  model.applySnapshot(snapshot(9, [row("a", 5), row("b", 5), row("c", 1)], { status: "finished" }));
  const { champions, champions_total, survivors, more } = model.ending();
  assert.deepEqual([champions.map(({ player }) => player), champions_total, survivors, more], [["a", "b"], 2, 3, false]);
});

test("when nobody is left in, all who fell on the last day have won, whatever their points", () => {
  const model = new BoardModel();
  const fell = (player, points, day) => ({ ...row(player, points), status: "eliminated", eliminated_on: day });
  const rows = [fell("a", 90, 3), fell("b", 40, 3), fell("c", 60, 2)];
  const counts = { players: 3, alive: 0, out: 3, left: 0 };
  model.applySnapshot({ ...snapshot(9, rows, { status: "finished" }), counts });
  const { champions, champions_total } = model.ending();
  assert.deepEqual([champions.map(({ player }) => player).sort(), champions_total], [["a", "b"], 2]);
});

test("under loss, doubling and reordering the board converges and tells no event twice", () => {
  for (let seed = 1; seed <= 300; seed += 1) converge(chance(seed), `seed ${seed}`);
});

const WINDOW = 5;
const LAST = 60;

/** A challenge of 60 events among 9 players, told in ticks that come broken, to a board of 5 rows. */
function converge(random, name) {
  const players = Array.from({ length: 9 }, (_, i) => `p${i}`);
  const history = [new Map(players.map((player) => [player, row(player, random(6) * 10)]))];
  const ends = [0];
  for (let n = 1; n <= LAST; n += 1) {
    const player = players[random(players.length)];
    history.push(new Map(history[n - 1]).set(player, row(player, random(6) * 10)));
    if (n === LAST || random(3) === 0) ends.push(n);
  }
  const windowAt = (n) => [...history[n].values()].sort(compareRows).slice(0, WINDOW);
  const whole = (n) => snapshot(n, windowAt(n), { window: WINDOW });
  const ticks = ends.slice(1).map((n, i) => {
    const from = ends[i];
    const before = new Set(windowAt(from).map(({ player }) => player));
    const after = new Set(windowAt(n).map(({ player }) => player));
    const rows = [...history[n].values()].filter(({ player }) => {
      const changed = history[from].get(player) !== history[n].get(player);
      return changed ? before.has(player) || after.has(player) : after.has(player) && !before.has(player);
    });
    const events = [];
    for (let i = from + 1; i <= n; i += 1) events.push({ n: i, event: "joined", player: "x", nickname: "x", at: "" });
    return tick(from, n, rows, events);
  });

  const broken = ticks.filter(() => random(5) > 0).flatMap((sent) => (random(4) ? [sent] : [sent, sent]));
  for (let i = broken.length - 1; i > 0; i -= 1) {
    const j = Math.max(0, i - random(4));
    [broken[i], broken[j]] = [broken[j], broken[i]];
  }

  const model = new BoardModel();
  const told = [];
  const take = ({ events }) => told.push(...events.map(({ n }) => n));
  take(model.applySnapshot(whole(0)));
  for (const sent of broken) {
    const taken = model.applyTick(sent);
    take(taken);
    if (taken.outcome === "gap" && random(2)) take(model.applySnapshot(whole(sent.n)));
  }
  for (const sent of ticks.filter(({ n }) => n > model.n)) take(model.applyTick(sent));

  assert.equal(model.n, LAST, name);
  assert.deepEqual(told, [...new Set(told)].sort((a, b) => a - b), name);
  assert.deepEqual(shown(model), rankRows(windowAt(LAST)).map(({ rank, row: { player, points } }) => [rank, player, points]), name);
}
