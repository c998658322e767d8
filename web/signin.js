// The page to sign in on: five views of one page. What a refusal says is in `signin/words.js`, the tokens are in `signin/tokens.js`.

import { dateAndTime, instant } from "./shared/format.js";
import { language, onLanguage, speak, t } from "./shared/language.js";
import { Api } from "./signin/api.js";
import { deviceOf, nicknameState } from "./signin/guess.js";
import { Tokens } from "./signin/tokens.js";
import { FIELDS, words } from "./signin/words.js";
import { make, say } from "./watch/dom.js";

const VIEWS = ["sign-in", "sign-up", "forgot", "reset", "signed-in"];
const TYPING_MS = 400;
/** Shorter than the time in which a spent refresh token still gets its answer again. */
const REFRESH_PATIENCE_MS = 8_000;

const PROVIDERS = { google: "Google", apple: "Apple", naver: "NAVER", line: "LINE" };

// A ticket is as good as a password: it must not stay in the address bar or in the history.
const arrival = takeFragment();

const find = (selector) => document.querySelector(selector);
const api = new Api();
const refresh = (refresh_token) => api.send("POST", "/sessions/refresh", { refresh_token }, { patience_ms: REFRESH_PATIENCE_MS });
const tokens = new Tokens(refresh, { onEnd: endedElsewhere });

/** The page of ours that this one was opened for; who signs in goes on there. */
let wayBack = pageOf(arrival.then);
let view = null;
let problem = null;
let note = null;
let sessions = null;
let again = null;

function takeFragment() {
  const text = location.hash.slice(1);
  if (text) history.replaceState(history.state, "", location.pathname + location.search);
  const values = new URLSearchParams(text);
  const then = values.get("return_to");
  return { ticket: values.get("ticket"), error: values.get("error"), then, view: VIEWS.slice(0, 4).find((name) => name === text) };
}

/** A path of ours, or null. Anybody can make a link to this page. */
function pageOf(then) {
  try {
    const there = new URL(then, location.origin);
    return then && there.origin === location.origin && there.pathname !== location.pathname ? there.pathname + there.search : null;
  } catch {
    return null;
  }
}

// ---- what is shown ----

function show(next, { focus = true, push = false } = {}) {
  const last = view;
  view = next;
  document.body.dataset.view = next;
  for (const section of document.querySelectorAll("[data-for]")) section.hidden = section.dataset.for !== next;
  tell({});
  if (last !== next) {
    forgetSecrets();
    const state = { view: next };
    if (push) history.pushState(state, "", location.pathname);
    else history.replaceState(state, "", location.pathname);
  }
  render();
  if (focus) find("#title").focus();
  if (focus && last !== next) scrollTo(0, 0);
}

/** What was typed in secret does not outlive its view. */
function forgetSecrets() {
  for (const input of document.querySelectorAll("input[name=password], input[name=new_password], input[name=code]")) input.value = "";
  for (const button of document.querySelectorAll("[data-reveals][aria-pressed=true]")) button.click();
}

function tell({ problem: newProblem = null, note: newNote = null }) {
  problem = newProblem;
  note = newNote;
  for (const input of document.querySelectorAll("[aria-invalid]")) mark(input, false);
  renderNews();
}

function mark(input, isWrong) {
  const others = (input.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== "error");
  if (isWrong) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  if (isWrong) others.unshift("error");
  if (others.length) input.setAttribute("aria-describedby", others.join(" "));
  else input.removeAttribute("aria-describedby");
}

function renderNews() {
  say(find("#error"), problem ? words(problem) : "");
  say(find("#note"), note ? t(note.key, note.values) : "");
  find("#retry").hidden = !again;
  find("#lead").hidden = view === null && Boolean(again); // it says that all is under way
}

function render() {
  const name = (view ?? "loading").replace("-", "_");
  say(find("#title"), t(`signin_title_${name}`));
  say(find("#lead"), t(`signin_lead_${name}`));
  document.title = `${t(`signin_title_${name}`)} · Lastbite`;
  renderNews();
  renderNickname();
  for (const button of document.querySelectorAll("[data-reveals]")) renderReveal(button);
  for (const link of document.querySelectorAll("[data-provider]")) say(link, t("signin_provider", { name: providerName(link.dataset.provider) }));
  if (view === "signed-in") renderMe();
}

function renderMe() {
  const me = tokens.user;
  if (!me) return;
  say(find("[data-nickname]"), me.nickname);
  say(find("#role"), ["moderator", "admin"].includes(me.role) ? t(`signin_role_${me.role}`) : "");
  say(find("#my-email"), me.email ?? t("signin_no_email"));
  const verified = find("#verified");
  verified.dataset.state = me.email_verified ? "verified" : "unverified";
  say(verified, me.email ? t(me.email_verified ? "signin_verified" : "signin_unverified") : "");
  say(find("#since"), t("signin_since", { date: day(me.created_at) }));
  find("#verify").hidden = !me.email || me.email_verified;
  say(find("#verify-text"), t("signin_verify_text", { email: me.email ?? "" }));
  renderSessions();
}

const day = (value) => instant(value, undefined, { year: "numeric", month: "long", day: "numeric" });

function renderSessions() {
  const list = find("#sessions");
  list.setAttribute("aria-busy", String(sessions === null));
  if (sessions === null) list.replaceChildren(make("li", {}, t("landing_loading")));
  else list.replaceChildren(...sessions.map(sessionRow));
}

function sessionRow({ id, device, last_seen_at, last_address, ends_at, current }) {
  const name = deviceOf(device) || t("signin_device_unknown");
  const head = make("p", {}, make("strong", {}, make("bdi", {}, name)));
  if (current) head.append(" ", make("span.status", { "data-state": "verified" }, t("signin_this_device")));
  const facts = [t("signin_seen", { time: dateAndTime(last_seen_at) }), last_address, t("signin_ends", { date: day(ends_at) })];
  const text = make("div", {}, head, make("ul.terms", {}, ...facts.filter(Boolean).map((fact) => make("li", {}, fact))));
  const row = make("li", { "data-session": id }, text);
  if (!current) {
    const button = make("button.end", { type: "button", "aria-label": t("signin_end_label", { device: name }) }, t("signin_end"));
    button.onclick = () => press(button, () => endSession(id, name));
    row.append(button);
  }
  return row;
}

/** Shows a refusal, and leads to the field it is about. */
function refuse(refusal, form = null) {
  if (!refusal.code) throw refusal; // a fault of this page
  tell({ problem: refusal });
  const names = [...(FIELDS[refusal.code] ?? []), refusal.field ?? ""];
  const input = form && names.map((name) => form.elements.namedItem(name)).find(Boolean);
  if (input) {
    mark(input, true);
    input.focus();
  }
  find("#error").scrollIntoView({ block: "nearest" });
}

// ---- what is done ----

/** Runs once for a button, however often it is pressed meanwhile. The button stays where the focus is. */
async function press(button, run, form = null) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  tell({});
  try {
    await run();
  } catch (refusal) {
    refuse(refusal, form);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

function onSubmit(id, run) {
  const form = find(id);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    press(
      form.querySelector("button.button"),
      async () => {
        const fields = Object.fromEntries(new FormData(form));
        for (const name of ["email", "nickname"]) if (name in fields) fields[name] = fields[name].trim().normalize("NFC");
        if ("code" in fields) fields.code = fields.code.replace(/\s/g, "");
        for (const { name, checked } of form.querySelectorAll("[type=checkbox]")) fields[name] = checked;
        for (const [field, value] of Object.entries(fields)) if (!value) throw { code: "missing", field, values: { field: `signin_${field}` } };
        await run(fields);
      },
      form,
    );
  });
}

async function enter(path, body) {
  const askedAt = Date.now();
  tokens.take(await api.send("POST", path, body), askedAt);
  if (wayBack) location.replace(wayBack);
  else welcome();
}

/** The name this device goes by in the list of sessions. */
const device = () => deviceOf(navigator.userAgent).slice(0, 64) || undefined;

function welcome() {
  sessions = null;
  again = null;
  for (const form of document.forms) form.reset();
  nicknameIs("quiet");
  show("signed-in");
  loadSessions();
}

async function loadSessions() {
  const asked = tokens.session;
  try {
    const { items } = await api.sendAs(tokens, "GET", "/sessions");
    if (tokens.session !== asked) return;
    sessions = items;
    again = null;
    renderSessions();
  } catch (refusal) {
    if (tokens.session !== asked || view !== "signed-in") return;
    again = loadSessions;
    refuse(refusal);
  }
}

async function endSession(id, name) {
  try {
    await api.sendAs(tokens, "DELETE", `/sessions/${encodeURIComponent(id)}`);
  } catch (refusal) {
    if (refusal.status !== 404) throw refusal; // that one has ended by itself
  }
  sessions = (sessions ?? []).filter((session) => session.id !== id);
  renderSessions();
  tell({ note: { key: "signin_note_ended", values: { device: name } } });
  find("#sessions-title").focus();
}

async function leave(path, key) {
  try {
    await api.sendAs(tokens, "DELETE", path);
  } catch (refusal) {
    if (refusal.status !== 401) throw refusal; // signed out already
  }
  tokens.forget();
  find("#verify").reset();
  show("sign-in");
  tell({ note: { key } });
}

function endedElsewhere(code) {
  again = null;
  show("sign-in", { focus: view !== null });
  tell(code === "signed_out" ? { note: { key: "signin_note_out" } } : { problem: { code } });
}

function copyEmail(from, to) {
  const email = find(`#${from} [name=email]`)?.value.trim();
  const input = find(`#${to} [name=email]`);
  if (email && input) input.value = email;
}

onSubmit("#sign-in", ({ email, password }) => enter("/sessions", { email, password, device: device() }));
onSubmit("#sign-up", ({ email, password, nickname }) => enter("/accounts", { email, password, nickname, at_least_14: true, language: language(), device: device() }));
onSubmit("#forgot", async ({ email }) => {
  await api.send("POST", "/password/forgot", { email });
  copyEmail("forgot", "reset");
  show("reset", { push: true });
  tell({ note: { key: "signin_note_code_sent", values: { email } } });
});
onSubmit("#reset", async ({ email, code, new_password }) => {
  await api.send("POST", "/password/reset", { email, code, new_password });
  copyEmail("reset", "sign-in");
  show("sign-in");
  tell({ note: { key: "signin_note_reset" } });
});
onSubmit("#verify", async ({ code }) => {
  tokens.user = await api.sendAs(tokens, "POST", "/accounts/me/email/verify", { code });
  find("#verify").reset();
  render();
  tell({ note: { key: "signin_note_verified" } });
  find("#title").focus();
});

const onPress = (id, run) => find(id).addEventListener("click", ({ currentTarget }) => press(currentTarget, run));
onPress("#resend", async () => {
  await api.sendAs(tokens, "POST", "/accounts/me/email/code");
  tell({ note: { key: "signin_note_verify_sent" } });
});
onPress("#log-out", () => leave("/sessions/current", "signin_note_out"));
onPress("#log-out-everywhere", () => leave("/sessions", "signin_note_out_everywhere"));
onPress("#retry", () => again?.());

for (const button of document.querySelectorAll("[data-go]")) {
  button.onclick = () => {
    copyEmail(view, button.dataset.go);
    show(button.dataset.go, { push: true });
  };
}

function renderReveal(button) {
  const isShown = find(`#${button.dataset.reveals}`).type === "text";
  say(button, t(isShown ? "signin_hide" : "signin_show"));
  button.setAttribute("aria-label", t("signin_show_label"));
  button.setAttribute("aria-pressed", String(isShown));
}

for (const button of document.querySelectorAll("[data-reveals]")) {
  button.onclick = () => {
    const input = find(`#${button.dataset.reveals}`);
    input.type = input.type === "text" ? "password" : "text";
    renderReveal(button);
  };
}

// ---- is the nickname free? ----

let nickname = { state: "quiet" };
let typing = null;

function renderNickname() {
  const keys = { checking: "signin_nickname_checking", free: "signin_nickname_free", taken: "problem_nickname_taken", invalid: "problem_nickname_invalid" };
  const element = find("#nickname-state");
  element.dataset.state = nickname.state === "free" ? "free" : ["taken", "invalid"].includes(nickname.state) ? "refused" : "quiet";
  say(element, keys[nickname.state] ? t(keys[nickname.state]) : "");
  find("#nickname-hint").hidden = nickname.state === "invalid"; // it says the same
}

function nicknameIs(state) {
  nickname = { ...nickname, state };
  renderNickname();
}

find("#sign-up [name=nickname]").addEventListener("input", ({ target }) => {
  const name = target.value.trim().normalize("NFC");
  clearTimeout(typing);
  nickname = { name, state: "quiet" };
  renderNickname();
  typing = setTimeout(() => checkNickname(name), TYPING_MS);
});

async function checkNickname(name) {
  const guess = nicknameState(name);
  if (guess !== "checking") return nicknameIs(guess);
  nicknameIs("checking");
  let state;
  try {
    const { available } = await api.send("GET", `/nicknames/${encodeURIComponent(name)}`);
    state = available ? "free" : "taken";
  } catch ({ code }) {
    state = code === "nickname_invalid" ? "invalid" : "quiet"; // signing up will tell
  }
  if (nickname.name === name) nicknameIs(state);
}

// ---- other ways in ----

const providerName = (name) => PROVIDERS[name] ?? name.charAt(0).toUpperCase() + name.slice(1);

async function loadProviders() {
  let names;
  try {
    const { items } = await api.send("GET", "/sign-ins");
    names = items.map(({ name }) => name);
  } catch {
    return; // e-mail and password remain
  }
  find("#kakao").hidden = !names.includes("kakao");
  const link = (name) => make("a.button.quiet", { "data-provider": name });
  find("#others").replaceChildren(...names.filter((name) => name !== "kakao").map(link));
  find("#providers").hidden = !names.length;
  renderProviders();
  render();
}

function renderProviders() {
  const start = (name) => `/oidc/${encodeURIComponent(name)}/start?return_to=${encodeURIComponent(wayBack ?? "/signin")}&at_least_14=true`;
  find("#kakao").href = start("kakao");
  for (const link of document.querySelectorAll("[data-provider]")) link.href = start(link.dataset.provider);
}

// ---- arriving ----

async function arrive({ ticket, error, then, view: wanted }) {
  wayBack = pageOf(then) ?? wayBack;
  renderProviders();
  if (ticket !== null) {
    try {
      return await enter("/sessions/ticket", { ticket });
    } catch (refusal) {
      if (!refusal.code) throw refusal;
      const isPlain = ["network", "busy", "overloaded", "database_away", "account_blocked"].includes(refusal.code) || refusal.status === 429;
      return showRefused(isPlain ? refusal : { code: refusal.code, isAtTheDoor: true });
    }
  }
  if (error !== null) return showRefused({ code: error, isAtTheDoor: true });
  if (tokens.isKept) return comeBack();
  show(wanted ?? VIEWS.slice(0, 4).find((name) => name === history.state?.view) ?? "sign-in", { focus: false });
}

async function showRefused(refusal) {
  if (tokens.isKept) await comeBack();
  else show("sign-in", { focus: false });
  tell({ problem: refusal });
}

/** The page was reloaded: the refresh token is there, all else is to be had again. */
async function comeBack() {
  again = null;
  try {
    if (await tokens.access()) welcome();
    else if (view === null) show("sign-in", { focus: false });
  } catch (refusal) {
    if (!tokens.isKept) return; // told already
    again = comeBack;
    refuse(refusal);
  }
}

addEventListener("popstate", ({ state }) => {
  if (location.hash) return; // `hashchange` follows
  if (tokens.isKept) history.replaceState({ view }, "", location.pathname);
  else show(VIEWS.slice(0, 4).find((name) => name === state?.view) ?? "sign-in");
});
addEventListener("hashchange", () => {
  if (location.hash) arrive(takeFragment());
});

onLanguage(render);
speak();
render();
loadProviders();
arrive(arrival);
