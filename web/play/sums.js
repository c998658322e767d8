// What so much of foods holds together. What is unknown is unknown, never zero; the server's sums are the ones that count.

const DG_PER_100G = 1000;
const KCAL_PER_G = { carbohydrate_mg: 4, protein_mg: 4, fat_mg: 9 };

export const MACROS = Object.keys(KCAL_PER_G);
/** A meal has no more of one food, in decigrams. */
export const PORTION_DG_MOST = 50_000;
/** A meal has no more foods. */
export const ITEMS_MOST = 50;

/** Energy of 100 g, kcal: as declared, or that of the macros; null when neither is known. */
export function energyOf(per_100g) {
  if (Number.isFinite(per_100g.energy_kcal)) return per_100g.energy_kcal;
  if (!MACROS.every((name) => Number.isFinite(per_100g[name]))) return null;
  return MACROS.reduce((sum, name) => sum + (per_100g[name] / 1000) * KCAL_PER_G[name], 0);
}

/** An amount in 100 g, in so many decigrams; null stays null. */
export const portionOf = (per_100g, grams_dg) => (Number.isFinite(per_100g) ? (per_100g * grams_dg) / DG_PER_100G : null);

/** Energy of so much of a food, kcal; null when it is not known. */
export const energyIn = ({ food, grams_dg }) => portionOf(energyOf(food.per_100g), grams_dg ?? 0);

/** What items hold: of each amount the sum of what is known, and whether that is all. Items without a weight count as none. */
export function totals(items) {
  const weighed = items.filter(({ grams_dg }) => grams_dg > 0);
  const sum = (amount) => {
    const parts = weighed.map(({ food, grams_dg }) => portionOf(amount(food.per_100g), grams_dg));
    return { amount: parts.reduce((all, part) => all + (part ?? 0), 0), isWhole: parts.every((part) => part !== null) };
  };
  const macros = MACROS.map((name) => [name, sum((per_100g) => per_100g[name])]);
  return { energy_kcal: sum(energyOf), ...Object.fromEntries(macros) };
}

/** How the energy of the macros is shared out, in permille that add up to 1,000; null when there is none. */
export function sharesOf(amounts) {
  const energies = MACROS.map((name) => Math.max(0, amounts[name] ?? 0) * KCAL_PER_G[name]);
  const all = energies.reduce((sum, energy) => sum + energy, 0);
  if (all <= 0) return null;
  const shares = energies.map((energy) => Math.round((energy * 1000) / all));
  shares[shares.indexOf(Math.max(...shares))] += 1000 - shares.reduce((sum, share) => sum + share, 0);
  return Object.fromEntries(MACROS.map((name, index) => [name, shares[index]]));
}

/** The decigrams that somebody typed as grams; null when nobody eats that. */
export function decigramsOf(text) {
  const grams = Number(String(text).trim().replace(",", ".") || NaN);
  const grams_dg = Math.round(grams * 10);
  return grams_dg >= 1 && grams_dg <= PORTION_DG_MOST ? grams_dg : null;
}

/** One step of a food's weight: half of its usual serving, 50 g where none is known. */
export function stepOf(food) {
  const serving = food.servings?.[0]?.grams_dg;
  return serving ? Math.max(10, Math.round(serving / 20) * 10) : 500;
}

/** The weight a step up or down, which stays one that somebody eats. */
export function stepped(grams_dg, food, direction) {
  const step = stepOf(food);
  const next = (grams_dg ?? 0) + direction * step;
  return next <= 0 ? (grams_dg ?? step) : Math.min(PORTION_DG_MOST, next);
}

/** So much of a food to begin with. */
export const usualOf = (food) => food.servings?.[0]?.grams_dg ?? 1000;
