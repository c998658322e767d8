// Movement that helps the eye follow a change. Nothing here decides what is shown; with reduced motion, or in a page
// nobody looks at, everything is at its place at once.

const reduced = matchMedia("(prefers-reduced-motion: reduce)");
export const still = () => reduced.matches || document.hidden;

const COUNT_MS = 600;
const MOVE_MS = 520;
const EASE = "cubic-bezier(.2, .8, .2, 1)";
/** More rows falling at once than this are not told apart anyway. */
const FALLING_MAX = 12;

/** Where each element stands now, movement included. */
export function places(elements) {
  if (still()) return new Map();
  return new Map([...elements].map((element) => [element, element.getBoundingClientRect().top]));
}

/** Lets elements glide from their former `places` to where they are now. */
export function glide(former) {
  for (const [element, top] of former) {
    if (!element.isConnected) continue;
    element.getAnimations().filter(({ id }) => id === "glide").forEach((animation) => animation.cancel());
    const distance = top - element.getBoundingClientRect().top;
    if (Math.abs(distance) < 1) continue;
    // Those who climb pass over those who sink.
    const zIndex = distance > 0 ? 2 : 1;
    element.animate(
      [
        { transform: `translateY(${distance}px)`, zIndex },
        { transform: "none", zIndex },
      ],
      { id: "glide", duration: MOVE_MS, easing: EASE },
    );
  }
}

/** Lets an element that was not there before come in. */
export function appear(element, delayMs = 0) {
  if (still()) return;
  element.animate([{ opacity: 0, transform: "translateY(8px)" }, { opacity: 1, transform: "none" }], {
    duration: 320,
    delay: delayMs,
    easing: EASE,
    fill: "backwards",
  });
}

/** Lets pictures of `rows` fall off the board from where they are; the rows themselves may go where they like. */
export function fall(rows, container) {
  if (still()) return;
  rows.slice(0, FALLING_MAX).forEach((row, i) => {
    const picture = row.cloneNode(true);
    for (const name of picture.getAttributeNames()) if (/^(data-|role|id)/.test(name)) picture.removeAttribute(name);
    picture.setAttribute("aria-hidden", "true");
    picture.classList.add("falling");
    picture.style.top = `${row.offsetTop}px`;
    picture.style.height = `${row.offsetHeight}px`;
    container.append(picture);
    const lean = i % 2 ? -3 : 3;
    const fallen = picture.animate(
      [
        { transform: "none", opacity: 1, easing: "ease-out" },
        { transform: "translateX(-5px)", opacity: 1, offset: 0.08 },
        { transform: "translateX(5px)", opacity: 1, offset: 0.16 },
        { transform: "translateX(-3px)", opacity: 1, offset: 0.24 },
        { transform: "none", opacity: 1, offset: 0.36, easing: "cubic-bezier(.5, 0, .9, .4)" },
        { transform: `translateY(260px) rotate(${lean}deg)`, opacity: 0 },
      ],
      { duration: 1400, delay: i * 90, fill: "both" },
    );
    fallen.onfinish = fallen.oncancel = () => picture.remove();
  });
}

/** A short swelling, for a number that has just changed. */
export function bump(element) {
  if (still()) return;
  element.animate([{ transform: "scale(1)" }, { transform: "scale(1.08)" }, { transform: "scale(1)" }], {
    duration: 420,
    easing: EASE,
  });
}

const counting = new Map();

/** Counts the number an element shows up or down to `value`; `show` turns a number into text. */
export function countTo(element, from, value, show) {
  if (still() || from === value) {
    counting.delete(element);
    element.textContent = show(value);
    return;
  }
  const shown = counting.get(element)?.shown ?? from;
  if (counting.size === 0) requestAnimationFrame(step);
  counting.set(element, { from: shown, value, shown, show, since: performance.now() });
}

function step(now) {
  for (const [element, count] of counting) {
    const part = Math.min(1, Math.max(0, (now - count.since) / COUNT_MS));
    count.shown = Math.round(count.from + (count.value - count.from) * (1 - (1 - part) ** 3));
    element.textContent = count.show(count.shown);
    if (part === 1 || !element.isConnected) counting.delete(element);
  }
  if (counting.size > 0) requestAnimationFrame(step);
}

/** Crumbs thrown from the middle of `over`, for a winner. */
export function crumbs(over) {
  if (still()) return;
  for (let i = 0; i < 44; i += 1) {
    const crumb = document.createElement("i");
    crumb.className = `crumb crumb-${i % 4}`;
    over.append(crumb);
    const angle = (i / 44) * 2 * Math.PI;
    const reach = 90 + ((i * 53) % 130);
    const x = Math.cos(angle) * reach * 1.5;
    const y = Math.sin(angle) * reach * 0.7 - 70;
    const thrown = crumb.animate(
      [
        { transform: "translate(0, 0) scale(0)", opacity: 1 },
        { transform: `translate(${x}px, ${y}px) rotate(${i * 40}deg)`, opacity: 1, offset: 0.35, easing: "ease-in" },
        { transform: `translate(${x * 1.15}px, ${y + 300}px) rotate(${i * 90}deg)`, opacity: 0 },
      ],
      { duration: 2200 + (i % 7) * 160, easing: "cubic-bezier(.1, .8, .3, 1)" },
    );
    thrown.onfinish = thrown.oncancel = () => crumb.remove();
  }
}
