// The landing page: what can be watched, by status.

import { dateAndTime, number, termsInWords } from "./shared/format.js";
import { onLanguage, speak, t } from "./shared/language.js";
import { make } from "./watch/dom.js";

const SHOWN_AT_ONCE = 12;

/** One status of challenges, page after page. */
class Shelf {
  #section;
  #status;
  #items = [];
  #next = null;
  #state = "loading";

  constructor(section) {
    this.#section = section;
    this.#status = section.dataset.shelf;
  }

  async load(after = null) {
    this.#state = "loading";
    this.show();
    try {
      const query = new URLSearchParams({ status: this.#status, limit: String(SHOWN_AT_ONCE) });
      if (after) query.set("after", after);
      const answer = await fetch(`/api/v1/challenges?${query}`, { headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const page = await answer.json();
      this.#items.push(...page.items);
      this.#next = page.next ?? null;
      this.#state = "loaded";
    } catch {
      this.#state = "failed";
      this.#next = after;
    }
    this.show();
  }

  show() {
    const shown = [this.#section.querySelector("h2")];
    if (this.#items.length) shown.push(make("ul.cards", {}, ...this.#items.map(card)));
    if (this.#state === "loading" && !this.#items.length) shown.push(make("p.empty", {}, t("landing_loading")));
    const empty = this.#state !== "failed" && !this.#items.length;
    // What runs is what visitors come for, so its absence is told; the other shelves are only there when they hold something.
    this.#section.hidden = empty && this.#status !== "running";
    if (this.#state === "loaded" && empty) shown.push(make("p.empty", {}, t("landing_none_running")));
    if (this.#state === "failed") shown.push(make("p.empty", { role: "alert" }, t("landing_failed")));
    if (this.#state === "failed" || (this.#state === "loaded" && this.#next)) {
      const button = make("button.button", { type: "button" }, t(this.#state === "failed" ? "try_again" : "more"));
      button.onclick = () => this.load(this.#next);
      shown.push(button);
    }
    this.#section.replaceChildren(...shown);
  }
}

function card(challenge) {
  const { id, title, status, terms, today, seats_taken: taken } = challenge;
  const link = make("a.card", { href: `/watch/${encodeURIComponent(id)}`, "data-challenge": id });
  const when = make("p.when");
  if (status === "running") when.append(today ? `${t("day_of", { day: number(today.day) })} ` : "", make("small", {}, t("day_total", { days: number(terms.days) })));
  else if (status === "open") when.append(t("starts_at", { time: dateAndTime(challenge.starts_at, terms.zone) }));
  else when.append(t("ended_at", { time: dateAndTime(challenge.ends_at, terms.zone) }));
  const seats = status === "open" ? t("seats", { taken: number(taken), seats: number(terms.seats) }) : t("seats_final", { taken: number(taken) });
  link.append(make("h3", {}, title), when, make("ul.terms", {}, ...termsInWords(terms).map((phrase) => make("li", {}, phrase))), make("p.seats", {}, seats));
  return make("li", {}, link);
}

const shelves = [...document.querySelectorAll("[data-shelf]")].map((section) => new Shelf(section));
onLanguage(() => shelves.forEach((shelf) => shelf.show()));
speak();
shelves.forEach((shelf) => shelf.load());
