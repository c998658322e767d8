// Korean or English: which one, how to switch, and how to put words and names into an element.
//
// Names come from the wire and only ever become text nodes.

import { STRINGS } from "./strings.js";

const KEY = "lastbite.language";
const listeners = new Set();

let current = chosen();

function chosen() {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept in STRINGS) return kept;
  } catch {
    // Storage may be forbidden; then the browser's language decides every time.
  }
  const wanted = navigator.languages?.length ? navigator.languages : [navigator.language ?? "ko"];
  const known = wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag in STRINGS);
  return known ?? "ko";
}

export const language = () => current;
export const locale = () => (current === "ko" ? "ko-KR" : "en-GB");

/** The words for `key`, with `{name}` replaced by text. */
export function t(key, values = {}) {
  const entry = STRINGS[current][key] ?? STRINGS.ko[key] ?? key;
  const template = typeof entry === "function" ? entry(values) : entry;
  return template.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** The same as nodes; the `{nickname}` is set apart by an element of its own, so that its direction stays its own. */
export function nodes(key, values = {}) {
  const entry = STRINGS[current][key] ?? key;
  const template = typeof entry === "function" ? entry(values) : entry;
  const fragment = document.createDocumentFragment();
  for (const part of template.split(/(\{\w+\})/)) {
    const name = part.match(/^\{(\w+)\}$/)?.[1];
    if (name === "nickname") {
      const own = document.createElement("bdi");
      own.textContent = values.nickname;
      fragment.append(own);
    } else if (part) {
      fragment.append(name ? String(values[name] ?? "") : part);
    }
  }
  return fragment;
}

/** Runs at every switch. */
export function onLanguage(listener) {
  listeners.add(listener);
}

/** Fills every `[data-t]` with its words and wires the buttons `[data-language]`. */
export function speak(root = document) {
  document.documentElement.lang = current;
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel));
  }
  for (const button of root.querySelectorAll("button[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === current));
    button.onclick = () => switchTo(button.dataset.language);
  }
}

function switchTo(next) {
  if (next === current) return;
  current = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Not remembered, and still switched.
  }
  speak();
  for (const listener of listeners) listener();
}
