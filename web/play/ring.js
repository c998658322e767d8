// The day as a plate: energy against the target, in the colours of the macros. What is over the target lies on top.

import { sharesOf } from "./sums.js";

const SVG = "http://www.w3.org/2000/svg";
/** The rim is so long, whatever its radius. */
const WHOLE = 1000;
const GAP = 6;

/** Where the arcs of a day begin and how long they are, in thousandths of the rim. Without a target the day is the rim. */
export function arcsOf(energy_kcal, target_kcal, amounts) {
  const filled = target_kcal ? Math.min(WHOLE, Math.round((energy_kcal * WHOLE) / target_kcal)) : energy_kcal > 0 ? WHOLE : 0;
  const over = target_kcal ? Math.min(WHOLE, Math.max(0, Math.round((energy_kcal * WHOLE) / target_kcal) - WHOLE)) : 0;
  const shares = sharesOf(amounts);
  const arcs = [];
  let begin = 0;
  for (const [part, share] of Object.entries(shares ?? { energy: WHOLE })) {
    const length = Math.round((share * filled) / WHOLE);
    if (length > 0) arcs.push({ part, begin, length });
    begin += length;
  }
  return { arcs, over };
}

function circle(attributes) {
  const element = document.createElementNS(SVG, "circle");
  for (const [name, value] of Object.entries({ cx: 100, cy: 100, r: 86, pathLength: WHOLE, ...attributes })) element.setAttribute(name, value);
  return element;
}

const dashes = (length, begin) => ({ "stroke-dasharray": `${length} ${WHOLE}`, "stroke-dashoffset": -begin, transform: "rotate(-90 100 100)" });

/** The picture; the numbers in it are the caller's. */
export function ring(energy_kcal, target_kcal, amounts) {
  const { arcs, over } = arcsOf(energy_kcal, target_kcal, amounts);
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ viewBox: "0 0 200 200", class: "ring", "aria-hidden": "true", focusable: "false" })) svg.setAttribute(name, value);
  svg.append(circle({ class: "rim" }));
  for (const { part, begin, length } of arcs) svg.append(circle({ "data-part": part, ...dashes(Math.max(1, length - GAP), begin) }));
  if (over) svg.append(circle({ class: "over", r: 71, ...dashes(over, 0) }));
  return svg;
}
