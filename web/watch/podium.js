// The end: who won, alone or with others, who came next, and how many survived.

import { number } from "../shared/format.js";
import { t } from "../shared/language.js";
import { make, plate } from "./dom.js";
import { appear, crumbs } from "./motion.js";

const NAMED_A_STEP = 3;

/** Fills `section` with the ending of `model`; `live` when it has just happened. */
export function showPodium(section, model, live) {
  const ending = model.ending();
  section.hidden = !ending;
  if (!ending) return;
  const was = section.dataset.champions;
  section.dataset.champions = ending.champions_total;
  section.dataset.survivors = ending.survivors;
  section.replaceChildren(
    make("p.podium-kicker", {}, headline(ending)),
    champions(model, ending),
    steps(model, ending),
    make("p.podium-survivors", {}, survivors(model, ending)),
  );
  if (live && was === undefined) {
    appear(section);
    crumbs(section);
  }
}

function headline({ champions_total: total, more }) {
  if (total === 0) return t("no_champion");
  if (total === 1) return t("champion");
  return t(more ? "champions_at_least" : "champions", { count: number(total) });
}

function champions(model, { champions: named, champions_total: total }) {
  const size = named.length === 1 ? "one" : named.length <= 3 ? "few" : "many";
  const list = make("ul.champions", { "data-size": size });
  for (const { player, nickname } of named) {
    const item = make("li", { "data-champion": player }, plate(player, nickname), make("bdi", {}, nickname));
    const own = named.length === 1 && model.ranked().find(({ row }) => row.player === player);
    if (own) item.append(make("span.score", {}, t("score", { points: number(own.row.points) })));
    list.append(item);
  }
  if (total > named.length) list.append(make("li.more", {}, t("and_more", { count: number(total - named.length) })));
  return list;
}

function steps(model, { champions_total: total }) {
  const list = make("ol.steps");
  for (const rank of [2, 3]) {
    const rows = total < rank ? model.ranked().filter((ranked) => ranked.rank === rank) : [];
    if (rows.length === 0) continue;
    const names = rows.slice(0, NAMED_A_STEP).map(({ row }) => make("bdi", {}, row.nickname));
    if (rows.length > NAMED_A_STEP) names.push(make("span.more", {}, t("and_more", { count: number(rows.length - NAMED_A_STEP) })));
    list.append(
      make("li", { "data-place": rank }, make("b", {}, t("place", { rank })), make("span.names", {}, ...names), make("span.number", {}, number(rows[0].row.points))),
    );
  }
  return list;
}

function survivors(model, { survivors: count }) {
  const values = { players: number(model.counts.players), survivors: number(count) };
  return t(count > 0 ? "survivors" : "everyone_out", values);
}
