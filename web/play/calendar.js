// Dates of the diary as `2026-03-01`, its months as `2026-03`, and the hours of meals. No clock: the time is handed in.

export const KINDS = ["breakfast", "lunch", "snack", "dinner"];
/** A meal can be logged so long after it was eaten. */
export const LATE_MS_MOST = 48 * 3_600_000;

const DAY_MS = 86_400_000;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const MONTH = /^\d{4}-\d{2}$/;

const two = (value) => String(value).padStart(2, "0");
const isoOf = (ms) => new Date(ms).toISOString().slice(0, 10);
const msOf = (date) => Date.parse(`${date}T00:00:00Z`);

/** Which meal it is likely to be at an hour of the wall clock. */
export function kindAt(hour) {
  if (hour >= 4 && hour < 11) return "breakfast";
  if (hour >= 11 && hour < 15) return "lunch";
  if (hour >= 18 && hour < 23) return "dinner";
  return "snack"; // of the afternoon, and of the night
}

/** Whether it is a date that is in the calendar. */
export const isDate = (text) => DATE.test(text) && !Number.isNaN(msOf(text)) && isoOf(msOf(text)) === text;
export const isMonth = (text) => MONTH.test(text) && isDate(`${text}-01`);

/** The date of an instant on this device's wall clock. */
export const dateOf = (instant) => `${instant.getFullYear()}-${two(instant.getMonth() + 1)}-${two(instant.getDate())}`;
/** The same with its minute, as `input type="datetime-local"` has it. */
export const minuteOf = (instant) => `${dateOf(instant)}T${two(instant.getHours())}:${two(instant.getMinutes())}`;

export const addDays = (date, days) => isoOf(msOf(date) + days * DAY_MS);
export const monthOf = (date) => date.slice(0, 7);

export function addMonths(month, months) {
  const count = Number(month.slice(0, 4)) * 12 + Number(month.slice(5)) - 1 + months;
  return `${String(Math.floor(count / 12)).padStart(4, "0")}-${two((count % 12) + 1)}`;
}

export const lastOf = (month) => addDays(`${addMonths(month, 1)}-01`, -1);

/** All dates of a month. */
export function datesOf(month) {
  const count = Number(lastOf(month).slice(8));
  return Array.from({ length: count }, (_, index) => `${month}-${two(index + 1)}`);
}

/** The weeks of a month from Monday to Sunday; null stands for days of its neighbours. */
export function weeksOf(month) {
  const dates = datesOf(month);
  const before = (new Date(msOf(dates[0])).getUTCDay() + 6) % 7;
  const places = [...Array(before).fill(null), ...dates];
  while (places.length % 7) places.push(null);
  return Array.from({ length: places.length / 7 }, (_, week) => places.slice(week * 7, week * 7 + 7));
}

/** What an address asks for: `#day/2026-03-01`, `#month/2026-03`, `#log`; null when it is none of them. */
export function placeOf(hash) {
  const [view, when] = hash.replace(/^#/, "").split("/");
  if (view === "log") return { view };
  if (view === "day") return { view, date: isDate(when ?? "") ? when : null };
  if (view === "month") return { view, date: isMonth(when ?? "") ? `${when}-01` : null };
  return null;
}

/** The address of a view on a date. */
export function hashOf(view, date) {
  if (view === "day") return `#day/${date}`;
  return view === "month" ? `#month/${monthOf(date)}` : "#log";
}
