// A photo on its way in: shown, made smaller, sent to be looked at, and what was seen. Which items a meal has is in `meal.js`.

import { onLanguage, t } from "../shared/language.js";
import { make, say } from "../watch/dom.js";
import { Latest, isLost } from "./asking.js";
import { refuse, tell } from "./news.js";
import { grams, nameOf } from "./terms.js";

/** The server keeps no more pixels a side than this, less some room. */
const SIDE_PX_MAX = 2048;
/** Smaller files are sent as they are. */
const BYTES_AS_IT_IS = 1_500_000;
const PREVIEW_PX = 640;
const JPEG_QUALITY = 0.9;

const find = (selector) => document.querySelector(selector);
const nextTask = () => new Promise((resolve) => setTimeout(resolve));

/** A canvas with the picture, upright, no longer than `side` pixels. */
function drawn(bitmap, side, canvas = document.createElement("canvas")) {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** What is sent: a large photo goes smaller, and without what a camera writes into it. */
async function lighter(file, bitmap) {
  if (!bitmap || (file.size <= BYTES_AS_IT_IS && Math.max(bitmap.width, bitmap.height) <= 2 * SIDE_PX_MAX)) return file;
  const canvas = drawn(bitmap, SIDE_PX_MAX);
  const smaller = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
  return smaller && smaller.size < file.size ? smaller : file;
}

export class Photo {
  #server;
  #meal;
  #latest = new Latest();
  #state = "empty";
  #seen = null;
  /** Sent with the meal where nobody could look at it. */
  #unseen = null;

  constructor(server, meal) {
    this.#server = server;
    this.#meal = meal;
    for (const input of [find("#photo"), find("#camera")]) {
      input.addEventListener("change", () => {
        const [file] = input.files;
        if (file) this.take(file);
        input.value = ""; // so that the same one can be chosen again
      });
    }
    find("#drop-photo").addEventListener("click", () => {
      this.forget();
      find("#photo").focus();
    });
    this.#takeDrops();
    onLanguage(() => this.#render());
    this.#render();
  }

  /** The analysis that the meal comes from, if there is one. */
  get analysis() {
    return this.#seen?.id ?? null;
  }

  get unseen() {
    return this.#unseen;
  }

  /** Where a meal has used it, or it is gone. */
  forget() {
    this.#latest.drop();
    [this.#seen, this.#unseen] = [null, null];
    this.#is("empty");
  }

  async take(file) {
    const isLast = this.#latest.begin();
    [this.#seen, this.#unseen] = [null, null];
    tell();
    this.#is("looking");
    const bitmap = await createImageBitmap(file).catch(() => null); // the server says what is wrong with it
    if (!isLast()) return;
    find(".look-photo").hidden = !bitmap;
    if (bitmap) drawn(bitmap, PREVIEW_PX, find("#preview"));
    await nextTask();
    const sent = await lighter(file, bitmap);
    bitmap?.close();
    let seen;
    try {
      if (isLast()) seen = await this.#server.analyze(sent);
    } catch (refusal) {
      if (!isLast()) return;
      if (isLost(refusal) || refusal.code === "analysis_budget") this.#unseen = sent;
      this.#is(this.#unseen && bitmap ? "kept" : "refused");
      return refuse(refusal);
    }
    if (!isLast()) return;
    this.#seen = seen;
    for (const { proposed, food, grams_dg } of seen.guesses) if (proposed && food) this.#meal.propose(food, grams_dg);
    this.#is(seen.known ? "seen" : "unknown");
  }

  #is(state) {
    this.#state = state;
    this.#render();
  }

  #render() {
    const isShown = !["empty", "refused"].includes(this.#state);
    find("#look").dataset.state = this.#state;
    find("#look").setAttribute("aria-busy", String(this.#state === "looking"));
    if (!isShown) find(".look-photo").hidden = true;
    say(find("#look-text"), this.#words());
    const guesses = this.#seen?.guesses ?? [];
    this.#chips("#others", guesses.filter(({ proposed }) => !proposed).map((guess) => this.#guess(guess)));
    this.#chips("#usual", this.#state === "unknown" ? this.#seen.usual.map((food) => this.#chip(food)) : []);
    find("#guesses").hidden = find("#others").hidden && find("#usual").hidden;
  }

  #words() {
    if (this.#state === "seen") {
      const names = this.#seen.guesses.filter(({ proposed }) => proposed).map(({ food }) => nameOf(food));
      return names.length ? t("play_look_seen", { foods: names.join(", ") }) : t("play_look_maybe");
    }
    if (this.#state === "unknown" && !this.#seen.provider) return t("play_look_nobody");
    return t(`play_look_${this.#state}`);
  }

  #chips(selector, chips) {
    find(`${selector} .chips`).replaceChildren(...chips);
    find(selector).hidden = !chips.length;
  }

  /** A guess without a food is a word to look for. */
  #guess({ name, food, grams_dg }) {
    return food ? this.#chip(food, grams_dg) : this.#button(make("button.chip.is-word", { type: "button" }, make("i.icon.glass", { "aria-hidden": "true" }), name), () => this.#meal.lookFor(name));
  }

  #chip(food, grams_dg = null) {
    const shown = [nameOf(food), ...(grams_dg ? [make("small", {}, grams(grams_dg))] : [])];
    return this.#button(make("button.chip", { type: "button", "data-food": food.id }, ...shown), () => this.#meal.add(food, grams_dg));
  }

  #button(button, run) {
    button.onclick = run;
    return button;
  }

  /** A desktop's ways: drop it on the panel, or paste it anywhere. */
  #takeDrops() {
    const look = find("#look");
    const isPicture = ({ type }) => type.startsWith("image/");
    look.addEventListener("dragover", (event) => {
      event.preventDefault();
      look.classList.add("is-over");
    });
    for (const name of ["dragleave", "drop"]) look.addEventListener(name, () => look.classList.remove("is-over"));
    look.addEventListener("drop", (event) => {
      event.preventDefault();
      const [file] = event.dataTransfer.files;
      if (file) this.take(file);
    });
    addEventListener("paste", (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find(isPicture);
      if (file && document.body.dataset.view === "log" && find("#result").hidden) this.take(file);
    });
  }
}
