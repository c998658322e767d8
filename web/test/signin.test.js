// The tokens of tabs that share a session, and what a server's answer becomes, with a clock, locks and channels made of paper.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Api, Problem, secondsOf } from "../signin/api.js";
import { deviceOf, nicknameState } from "../signin/guess.js";
import { KEY, Tokens, earlyMs, isFinal, isNewer, keptOf, parseKept, retryMs } from "../signin/tokens.js";

const settle = async () => {
  for (let i = 0; i < 40; i++) await Promise.resolve();
};

/** A browser of some tabs, and a server that spends refresh tokens as ours does. */
function paper({ withLocks = true, withChannel = true } = {}) {
  const world = { time: 0, timers: [], channels: [], used: [], gate: null, refusal: null, good: new Set() };
  let queue = Promise.resolve();
  const locks = {
    request: (_, run) => {
      const mine = queue.then(run);
      queue = mine.catch(() => undefined);
      return mine;
    },
  };
  const answer = (n, session = "s1") => {
    world.good.add(`r${n}`);
    return { session, access_token: `a${n}`, refresh_token: `r${n}`, expires_in_s: 600, user: { nickname: "미나" } };
  };
  const refresh = async (token) => {
    world.used.push(token);
    await world.gate;
    if (world.refusal) throw world.refusal;
    if (!world.good.delete(token)) throw new Problem({ code: "refresh_reused", status: 401 });
    return answer(Number(token.slice(1)) + 1);
  };
  const channel = () => {
    const own = { onmessage: null, postMessage: (data) => world.channels.filter((one) => one !== own).forEach((one) => queueMicrotask(() => one.onmessage?.({ data: structuredClone(data) }))) };
    world.channels.push(own);
    return own;
  };
  const tab = (stored = {}) => {
    const storage = { stored, getItem: (key) => stored[key] ?? null, setItem: (key, value) => (stored[key] = value), removeItem: (key) => delete stored[key] };
    const ends = [];
    const browser = {
      storage,
      locks: withLocks ? locks : null,
      channel: withChannel ? channel() : null,
      now: () => world.time,
      setTimeout: (run, ms) => {
        const timer = { at: world.time + ms, run };
        world.timers.push(timer);
        return timer;
      },
      clearTimeout: (timer) => (world.timers = world.timers.filter((other) => other !== timer)),
    };
    return { tokens: new Tokens(refresh, { onEnd: (code) => ends.push(code) }, browser), stored, ends };
  };
  const pass = async (ms) => {
    const until = world.time + ms;
    await settle();
    for (;;) {
      const [next] = world.timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (!next) break;
      world.time = next.at;
      world.timers = world.timers.filter((other) => other !== next);
      next.run();
      await settle();
    }
    world.time = until;
  };
  return { world, tab, pass, answer };
}

const kept = (n, session = "s1") => ({ [KEY]: JSON.stringify({ session, refresh_token: `r${n}`, n }) });

test("keeps the refresh token in storage under one key, and the access token out of it", async () => {
  const { tab, answer } = paper();
  const one = tab();
  assert.equal(await one.tokens.access(), null);
  one.tokens.take(answer(0));
  assert.equal(await one.tokens.access(), "a0");
  assert.deepEqual(Object.keys(one.stored), [KEY]);
  assert.deepEqual(JSON.parse(one.stored[KEY]), { session: "s1", refresh_token: "r0", n: 0 });
  one.tokens.forget();
  assert.deepEqual(one.stored, {});
  assert.equal(await one.tokens.access(), null);
});

test("refreshes a little before the end, again and again", async () => {
  const { world, tab, pass, answer } = paper();
  const one = tab();
  one.tokens.take(answer(0));
  await pass(539_999);
  assert.deepEqual(world.used, []);
  await pass(1);
  assert.deepEqual(world.used, ["r0"]);
  assert.equal(await one.tokens.access(), "a1");
  await pass(540_000);
  assert.deepEqual(world.used, ["r0", "r1"]);
  assert.equal(parseKept(one.stored[KEY]).refresh_token, "r2");
  assert.equal(earlyMs(600_000), 60_000);
  assert.equal(earlyMs(30_000), 6_000);
});

test("counts the life of a token from when it was asked for", () => {
  const { fresh_until, ends_at } = keptOf({ session: "s", refresh_token: "r", access_token: "a", expires_in_s: 100 }, 3, 5_000);
  assert.equal(ends_at, 105_000);
  assert.equal(fresh_until, 85_000);
});

test("asks once, however many want a token at once", async () => {
  const { world, tab, answer } = paper({ withLocks: false, withChannel: false });
  answer(4);
  const one = tab(kept(4));
  assert.ok(one.tokens.isKept);
  assert.deepEqual(await Promise.all([one.tokens.access(), one.tokens.access(), one.tokens.access()]), ["a5", "a5", "a5"]);
  assert.deepEqual(world.used, ["r4"]);
  assert.equal(one.tokens.user.nickname, "미나");
});

test("renews a token that the server refused, but not one that is newer", async () => {
  const { world, tab, answer } = paper();
  const one = tab();
  one.tokens.take(answer(0));
  assert.equal(await one.tokens.access({ refused: "a0" }), "a1");
  assert.equal(await one.tokens.access({ refused: "a0" }), "a1");
  assert.deepEqual(world.used, ["r0"]);
});

test("a tab and its copy never spend the same token, and both hold the next one", async () => {
  const { world, tab, pass, answer } = paper();
  const one = tab();
  one.tokens.take(answer(0));
  const copy = tab({ ...one.stored });
  assert.equal(await copy.tokens.access(), "a0"); // the first one told
  for (let n = 1; n < 5; n++) {
    await pass(540_000);
    assert.deepEqual([await one.tokens.access(), await copy.tokens.access()], [`a${n}`, `a${n}`]);
    assert.deepEqual(one.stored, copy.stored);
  }
  assert.deepEqual(world.used, ["r0", "r1", "r2", "r3"]);
  assert.deepEqual([one.ends, copy.ends], [[], []]);
});

test("a tab that slept through refreshes asks the others before it shows a spent token", async () => {
  const { world, tab, pass, answer } = paper();
  const one = tab();
  one.tokens.take(answer(0));
  const old = { ...one.stored };
  await pass(1_080_000);
  const woken = tab(old);
  assert.equal(await woken.tokens.access(), "a2");
  assert.deepEqual(world.used, ["r0", "r1"]);
});

test("a tab that is alone waits only a moment for others", async () => {
  const { world, tab, pass, answer } = paper();
  answer(7);
  const one = tab(kept(7));
  const access = one.tokens.access();
  await pass(79);
  assert.deepEqual(world.used, []);
  await pass(1);
  assert.equal(await access, "a8");
});

test("a refusal ends the session here, and is told", async () => {
  const { tab, pass } = paper();
  const one = tab(kept(3)); // r3 was never good
  const access = assert.rejects(one.tokens.access(), { code: "refresh_reused" });
  await pass(80);
  await access;
  assert.deepEqual(one.ends, ["refresh_reused"]);
  assert.deepEqual(one.stored, {});
  assert.equal(one.tokens.isKept, false);
});

test("no answer ends nothing: it is asked again, soon at first, and what is still good is used", async () => {
  const { world, tab, pass, answer } = paper();
  const one = tab();
  one.tokens.take(answer(0));
  world.refusal = new Problem({ code: "network" });
  await pass(544_000);
  assert.deepEqual(world.used, ["r0", "r0", "r0", "r0"]); // 540.0, 540.5, 541.5, 543.5
  assert.equal(await one.tokens.access(), "a0");
  await pass(60_000);
  await assert.rejects(one.tokens.access(), { code: "network" });
  assert.ok(one.tokens.isKept);
  world.refusal = null;
  await pass(60_000);
  assert.equal(await one.tokens.access(), "a1");
  assert.deepEqual(one.ends, []);
});

test("a server that says when to come again is believed", () => {
  assert.equal(retryMs(0), 500);
  assert.equal(retryMs(2), 2_000);
  assert.equal(retryMs(99), 60_000);
  assert.equal(retryMs(0, 30), 30_000);
  for (const status of [0, 408, 425, 429, 500, 503]) assert.equal(isFinal({ status }), false);
  for (const status of [400, 401, 403, 422]) assert.equal(isFinal({ status }), true);
});

test("logging out reaches the copy, and not another session", async () => {
  const { tab, answer } = paper();
  const [one, other] = [tab(), tab()];
  one.tokens.take(answer(0));
  other.tokens.take(answer(0, "s2"));
  const copy = tab({ ...one.stored });
  one.tokens.forget();
  await settle();
  assert.deepEqual([one.ends, copy.ends, other.ends], [[], ["signed_out"], []]);
  assert.deepEqual([copy.tokens.isKept, other.tokens.isKept], [false, true]);
});

test("an answer that comes after logging out is dropped", async () => {
  const { world, tab, answer } = paper();
  const one = tab();
  one.tokens.take(answer(0));
  let open;
  world.gate = new Promise((resolve) => (open = resolve));
  const access = one.tokens.access({ refused: "a0" });
  await settle();
  one.tokens.forget();
  open();
  assert.equal(await access, null);
  assert.deepEqual(one.stored, {});
});

test("works without storage, locks and channel, and does not trust what it finds", async () => {
  const broken = { getItem: () => { throw new Error("denied"); }, setItem: () => { throw new Error("full"); }, removeItem: () => { throw new Error("denied"); } };
  const world = { storage: broken, locks: { request: async () => { throw new Error("denied"); } }, channel: null, now: () => 0, setTimeout: () => 0, clearTimeout: () => undefined };
  const { answer } = paper();
  const tokens = new Tokens(async () => answer(1), {}, world);
  tokens.take(answer(0));
  assert.equal(await tokens.access({ refused: "a0" }), "a1");
  for (const text of [null, "", "x", "null", "[]", '{"session":1,"refresh_token":"r"}', '{"session":"s","refresh_token":""}']) assert.equal(parseKept(text), null);
  assert.equal(isNewer({ session: "s2", n: 9 }, { session: "s1", n: 0 }), false);
  assert.equal(isNewer({ session: "s1", n: 1 }, { session: "s1", n: 2 }), false);
});

// ---- asking ----

const problem = (status, body, headers = {}) => new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });

function server(...answers) {
  const asked = [];
  const fetch = async (url, { method, headers, body }) => {
    asked.push({ method, url, token: headers.authorization, body });
    const next = answers.shift();
    if (next instanceof Error) throw next;
    return next;
  };
  return { api: new Api({ fetch, now: () => Date.parse("2026-01-01T00:00:00Z") }), asked };
}

test("sends JSON and answers the body, or null", async () => {
  const { api, asked } = server(Response.json({ a: 1 }, { status: 201 }), new Response(null, { status: 204 }), new Response("", { status: 202 }));
  assert.deepEqual(await api.send("POST", "/sessions", { email: "a@b.c" }), { a: 1 });
  assert.equal(await api.send("DELETE", "/sessions/current", undefined, { token: "t" }), null);
  assert.equal(await api.send("POST", "/password/forgot", {}), null);
  assert.deepEqual(asked[0], { method: "POST", url: "/api/v1/sessions", token: undefined, body: '{"email":"a@b.c"}' });
  assert.deepEqual(asked[1], { method: "DELETE", url: "/api/v1/sessions/current", token: "Bearer t", body: undefined });
});

test("a problem document becomes code, detail, field and the wait", async () => {
  const { api } = server(problem(422, { code: "email_invalid", detail: "no address", field: "email" }), problem(429, { code: "too_many_attempts" }, { "retry-after": "30" }));
  await assert.rejects(api.send("POST", "/accounts", {}), { name: "Problem", status: 422, code: "email_invalid", detail: "no address", field: "email", retry_after: null });
  await assert.rejects(api.send("POST", "/accounts", {}), { code: "too_many_attempts", retry_after: 30 });
});

test("whatever else comes has a code as well", async () => {
  const { api } = server(problem(502, "<html>"), problem(500, "null"), problem(429, ""), new TypeError("failed to fetch"), new Response("<html>", { status: 200 }));
  for (const code of ["overloaded", "internal", "too_many_requests", "network", "internal"]) {
    await assert.rejects(api.send("GET", "/sign-ins"), (error) => error instanceof Problem && error.code === code);
  }
});

test("reads seconds and dates of Retry-After", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(secondsOf("12"), 12);
  assert.equal(secondsOf("Thu, 01 Jan 2026 00:01:00 GMT", now), 60);
  assert.equal(secondsOf("Wed, 31 Dec 2025 00:00:00 GMT", now), 0);
  for (const nothing of [null, undefined, "", "soon"]) assert.equal(secondsOf(nothing), null);
});

test("asks again with a new token when the old one is refused, once, and never for a wrong code", async () => {
  const tokens = { access: async ({ refused } = {}) => (refused ? "new" : "old") };
  const one = server(problem(401, { code: "token_expired" }), Response.json({ items: [] }));
  assert.deepEqual(await one.api.sendAs(tokens, "GET", "/sessions"), { items: [] });
  assert.deepEqual(one.asked.map(({ token }) => token), ["Bearer old", "Bearer new"]);
  const two = server(problem(401, { code: "token_invalid" }), problem(401, { code: "token_invalid" }));
  await assert.rejects(two.api.sendAs(tokens, "GET", "/sessions"), { code: "token_invalid" });
  const three = server(problem(401, { code: "code_wrong" }));
  await assert.rejects(three.api.sendAs(tokens, "POST", "/accounts/me/email/verify", { code: "1" }), { code: "code_wrong" });
  assert.equal(three.asked.length, 1);
  await assert.rejects(server().api.sendAs({ access: async () => null }, "GET", "/sessions"), { code: "session_ended" });
});

// ---- guessing ----

test("names a device by what its browser calls itself, cut short or not", () => {
  assert.equal(deviceOf("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"), "Chrome, Linux");
  assert.equal(deviceOf("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit"), "iPhone");
  assert.equal(deviceOf("Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 Chrome/126 Mobile Safari/537.36 SamsungBrowser/27"), "Samsung Internet, Android");
  assert.equal(deviceOf("미나의 폰"), "미나의 폰");
});

test("says nothing of a nickname that is still being typed", () => {
  for (const name of ["", "미", "두ㄹ", "미나ㅏ"]) assert.equal(nicknameState(name), "quiet");
  for (const name of ["a!", "미 나", "x".repeat(51), "ㄱ나"]) assert.equal(nicknameState(name), "invalid");
  for (const name of ["미나", "mina_2", "x".repeat(50)]) assert.equal(nicknameState(name), "checking");
});
