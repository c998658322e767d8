// The session against a socket and a clock made of paper.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Session, backoffMs } from "../watch/socket.js";

function paper({ seen = () => null, onMessage = () => undefined } = {}) {
  const world = {
    time: 0,
    timers: [],
    sockets: [],
    random: () => 1,
    now: () => world.time,
    setTimeout: (run, ms) => {
      const timer = { at: world.time + ms, run };
      world.timers.push(timer);
      return timer;
    },
    clearTimeout: (timer) => {
      world.timers = world.timers.filter((other) => other !== timer);
    },
    connect: () => {
      const socket = { readyState: 1, sent: [], send: (text) => socket.sent.push(JSON.parse(text)), close: () => (socket.readyState = 3) };
      world.sockets.push(socket);
      return socket;
    },
    pass: (ms) => {
      const until = world.time + ms;
      for (;;) {
        const [next] = world.timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        if (!next) break;
        world.time = next.at;
        world.clearTimeout(next);
        next.run();
      }
      world.time = until;
    },
  };
  const states = [];
  const session = new Session(
    { url: "ws://test/ws", client: "test", stream: "challenge:1", seen, onMessage, onState: (state, detail) => states.push([state, detail]) },
    world,
  );
  const last = () => world.sockets.at(-1);
  const says = (message) => last().onmessage({ data: JSON.stringify(message) });
  const welcome = () => {
    last().onopen();
    says({ type: "welcome", heartbeat_ms: 25_000, server_time: "2026-01-01T00:00:00Z", clock_rate: 1 });
  };
  session.start();
  return { world, states, session, last, says, welcome };
}

test("says hello first, and comes back with the number it has seen", () => {
  let n = null;
  const play = paper({ seen: () => n });
  play.welcome();
  assert.deepEqual(play.last().sent[0], { type: "hello", client: "test", streams: [{ stream: "challenge:1" }], id: 1 });
  n = 17;
  play.last().onclose({ code: 1006 });
  play.world.pass(500);
  play.welcome();
  assert.deepEqual(play.last().sent[0].streams, [{ stream: "challenge:1", n: 17 }]);
});

test("waits as long as bye says", () => {
  const play = paper();
  play.welcome();
  play.says({ type: "bye", code: 1012, reason: "draining", reconnect: true, after_ms: 4_000 });
  play.last().onclose({ code: 1012 });
  play.world.pass(3_999);
  assert.equal(play.world.sockets.length, 1);
  play.world.pass(1);
  assert.equal(play.world.sockets.length, 2);
});

test("stays away when told so, by bye or by the code alone", () => {
  for (const [bye, code] of [[{ type: "bye", code: 1008, reason: "auth", reconnect: false, after_ms: 0 }, 1008], [null, 4505]]) {
    const play = paper();
    play.welcome();
    if (bye) play.says(bye);
    play.last().onclose({ code });
    play.world.pass(600_000);
    assert.equal(play.world.sockets.length, 1);
    assert.equal(play.states.at(-1)[0], "closed");
  }
});

test("waits longer after every failure, up to a bound, and chance spreads it", () => {
  const waits = [0, 1, 2, 3, 20].map((attempt) => backoffMs(attempt, () => 1));
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 30_000]);
  assert.equal(backoffMs(3, () => 0), 2_000);
});

test("a bye that always says at once does not make a storm", () => {
  const play = paper();
  for (let i = 0; i < 6; i += 1) {
    play.welcome();
    play.says({ type: "bye", code: 4001, reason: "age", reconnect: true, after_ms: 0 });
    play.last().onclose({ code: 4001 });
    play.world.pass(i === 0 ? 0 : backoffMs(i, () => 1));
  }
  assert.ok(play.world.time > 25_000);
});

test("an unknown stream ends it", () => {
  const play = paper();
  play.welcome();
  play.says({ type: "error", id: 1, code: "not_found", retry: false });
  assert.deepEqual(play.states.at(-1), ["closed", { reason: "not_found" }]);
});

test("a gap is asked about once with the number seen, and again when nothing comes", () => {
  const play = paper({ seen: () => 17, onMessage: ({ type }) => ({ tick: "gap", snapshot: "applied" })[type] });
  play.welcome();
  play.says({ type: "tick" });
  play.says({ type: "tick" });
  const asked = () => play.last().sent.filter(({ type }) => type === "watch").length;
  assert.equal(asked(), 1);
  assert.deepEqual(play.last().sent.at(-1), { type: "watch", stream: "challenge:1", n: 17, id: 2 });
  play.world.pass(3_000);
  assert.equal(asked(), 2);
  play.says({ type: "snapshot" });
  play.world.pass(9_000);
  assert.equal(asked(), 2);
});

test("a stream that cannot be had now is asked for again, with the number seen", () => {
  const play = paper({ seen: () => 17 });
  play.welcome();
  play.says({ type: "error", id: 1, code: "database_away", retry: true });
  play.world.pass(backoffMs(2, () => 1));
  assert.deepEqual(play.last().sent.at(-1), { type: "watch", stream: "challenge:1", n: 17, id: 2 });
});

test("a silent connection is asked, and left when it does not answer", () => {
  const play = paper();
  play.welcome();
  play.world.pass(25_000);
  assert.equal(play.last().sent.at(-1).type, "ping");
  play.world.pass(10_000);
  assert.equal(play.states.at(-1)[0], "connecting");
});
