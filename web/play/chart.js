// The energy of each day of a month as bars, with the target across them.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 190;
const EDGE = { top: 18, right: 4, bottom: 22, left: 44 };
const TICKS_MOST = 4;

/** Round numbers from 0 to the first that is not under `most`, a handful at most. */
export function ticksOf(most) {
  const rough = Math.max(1, most) / TICKS_MOST;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((times) => times * power).find((step) => step >= rough);
  const count = Math.max(1, Math.ceil(most / step));
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

/** Whether a day is as near to its target as the diary calls it kept: within a tenth. */
export const isOnTarget = (energy_kcal, target_kcal) => Boolean(target_kcal) && Math.abs(energy_kcal - target_kcal) * 10 <= target_kcal;

function draw(name, attributes, text = null) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== null) element.textContent = text;
  return element;
}

/** `days` are `{date, energy_kcal, label}` in order, energy null where nothing was logged; `width` is what it may take, px. */
export function chart(days, { target_kcal = null, width, label, targetLabel, number }) {
  const most = Math.max(target_kcal ?? 0, ...days.map(({ energy_kcal }) => energy_kcal ?? 0));
  const ticks = ticksOf(most || 2000);
  const top = ticks[ticks.length - 1];
  const inner = { width: width - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom };
  const y = (value) => EDGE.top + inner.height * (1 - value / top);
  const pace = inner.width / days.length;
  const svg = draw("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, class: "chart", role: "img", "aria-label": label });
  for (const tick of ticks) {
    svg.append(draw("line", { class: "tick", x1: EDGE.left, x2: width - EDGE.right, y1: y(tick), y2: y(tick) }));
    svg.append(draw("text", { class: "scale", x: EDGE.left - 8, y: y(tick) + 4, "text-anchor": "end" }, number(tick)));
  }
  days.forEach(({ date, energy_kcal, label: name }, index) => {
    const x = EDGE.left + index * pace;
    const day = Number(date.slice(8));
    if (day % 7 === 1) svg.append(draw("text", { class: "scale", x: x + pace / 2, y: HEIGHT - 5, "text-anchor": "middle" }, String(day)));
    if (energy_kcal === null) return;
    const bar = draw("rect", {
      class: isOnTarget(energy_kcal, target_kcal) ? "bar is-on-target" : "bar",
      x: x + pace * 0.16,
      y: y(energy_kcal),
      width: pace * 0.68,
      height: Math.max(1, y(0) - y(energy_kcal)),
      rx: Math.min(3, pace * 0.2),
    });
    bar.append(draw("title", {}, name));
    svg.append(bar);
  });
  if (target_kcal) {
    svg.append(draw("line", { class: "target", x1: EDGE.left, x2: width - EDGE.right, y1: y(target_kcal), y2: y(target_kcal) }));
    svg.append(draw("text", { class: "target-name", x: width - EDGE.right, y: y(target_kcal) - 5, "text-anchor": "end" }, targetLabel));
  }
  return svg;
}
