// The few lines that building elements needs.

/** `make("span.name", {role: "cell"}, child, "text")`: an element with classes, attributes and children. */
export function make(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Text that is only written when it differs, so that nothing is announced or laid out for nothing. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Runs of the id pick a plate's colour: the same player has the same one on every screen. */
export function hueOf(player) {
  let hash = 0;
  for (const letter of player) hash = (hash * 31 + letter.charCodeAt(0)) >>> 0;
  return hash % 8;
}

/** A player's plate: the first letter of the name on a colour; bites are taken out of it by `data-bites`. */
export function plate(player, nickname) {
  return make("span.plate", { "aria-hidden": "true", "data-hue": hueOf(player) }, [...nickname][0] ?? "·");
}
