// The board of one challenge, folded from the socket's messages. Pure: no document, no clock, no socket.
//
// A message applied twice changes nothing, an old one is passed over, and a missing one shows as a gap; whoever feeds
// the model then asks for a snapshot. Two models at the same number hold the same board.

/** Compares sort keys number by number; the smaller first is the better. */
export function compareKeys(a, b) {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Best first. Equal rows are shown by player id, so that every screen shows the same order. */
export function compareRows(a, b) {
  return compareKeys(a.key, b.key) || (a.player < b.player ? -1 : a.player > b.player ? 1 : 0);
}

/** Gives sorted rows their ranks: equal keys share one, and the next is skipped (1, 2, 2, 4). */
export function rankRows(sorted) {
  let rank = 0;
  return sorted.map((row, i) => {
    if (i === 0 || compareKeys(sorted[i - 1].key, row.key) !== 0) rank = i + 1;
    return { rank, row };
  });
}

const NO_COUNTS = { players: 0, alive: 0, out: 0, left: 0 };
const CHAMPIONS_NAMED_MAX = 10;

export class BoardModel {
  /** The number of the last event seen; null before the first snapshot. */
  n = null;
  title = "";
  /** open, running, finished or cancelled; null before the first snapshot. */
  status = null;
  days = 0;
  lives = 0;
  startsAt = null;
  /** The clock of the day that is being played. */
  day = null;
  /** Clocks of days that have ended and wait for their verdict, oldest first. */
  unjudged = [];
  /** The last `day_closed`. */
  lastClosed = null;
  counts = NO_COUNTS;
  /** The `finished` event, when it was seen as it happened. */
  #finished = null;
  /** The last event known of: missed ones are told before the snapshot that moves `n`. */
  #told = 0;
  #window = 0;
  #rows = new Map();
  #ranked = null;

  /** Replaces everything. Answers the events that are new, of which a snapshot has none. */
  applySnapshot({ n, board, counts }) {
    // A board that only moved on keeps what it knows of days; another past (a restored server) does not.
    const goesOn = this.n !== null && n >= this.n;
    this.n = n;
    this.#told = goesOn ? Math.max(this.#told, n) : n;
    this.title = board.title;
    this.status = board.status;
    this.days = board.days;
    this.lives = board.lives;
    this.startsAt = board.starts_at;
    this.counts = counts;
    if (!goesOn) {
      this.unjudged = [];
      this.lastClosed = null;
      this.#finished = null;
    }
    this.#turnTo(board.status === "running" ? (board.day ?? null) : null);
    this.#window = board.window;
    this.#rows = new Map(board.rows.map((row) => [row.player, row]));
    this.#trim();
    return { outcome: "applied", events: [] };
  }

  /** Applies what changed: `applied`, or `stale` when it is older than the board, or `gap` when something is missing. */
  applyTick(tick) {
    if (this.n === null || tick.from > this.n) return { outcome: "gap", events: [] };
    if (tick.n < this.n) return { outcome: "stale", events: [] };
    const events = (tick.events ?? []).filter((event) => event.n > this.#told);
    for (const player of tick.removed ?? []) this.#rows.delete(player);
    for (const row of tick.rows ?? []) this.#rows.set(row.player, row);
    this.#trim();
    this.counts = tick.counts;
    this.n = tick.n;
    this.#told = Math.max(this.#told, tick.n, ...events.map((event) => event.n));
    for (const event of events) this.#happened(event);
    return { outcome: "applied", events };
  }

  /** Rows of the window with their ranks, best first. */
  ranked() {
    this.#ranked ??= rankRows([...this.#rows.values()].sort(compareRows));
    return this.#ranked;
  }

  /** Who is out, as far as the window tells: names by the day they fell on. */
  fallen() {
    const days = new Map();
    for (const { row } of this.ranked()) {
      if (row.status !== "eliminated" || !row.eliminated_on) continue;
      days.set(row.eliminated_on, [...(days.get(row.eliminated_on) ?? []), row.nickname]);
    }
    return days;
  }

  /** How it ended: `{champions, champions_total, survivors, more}`; `more` when the window was too small to count all. */
  ending() {
    if (this.status !== "finished") return null;
    if (this.#finished) return { ...this.#finished, more: false };
    const won = this.#winners();
    return {
      champions: won.slice(0, CHAMPIONS_NAMED_MAX).map(({ player, nickname }) => ({ player, nickname })),
      champions_total: won.length,
      survivors: this.counts.alive,
      more: won.length === this.#rows.size && this.counts.players > this.#rows.size,
    };
  }

  /** Rank 1; when nobody is left in, all who fell together on the last of the days. */
  #winners() {
    const rows = this.ranked();
    const fallen = rows.filter(({ row }) => row.status === "eliminated");
    if (this.counts.alive > 0 || fallen.length === 0) return rows.filter(({ rank }) => rank === 1).map(({ row }) => row);
    const last = Math.max(...fallen.map(({ row }) => row.eliminated_on ?? 0));
    return fallen.filter(({ row }) => row.eliminated_on === last).map(({ row }) => row);
  }

  #happened(event) {
    switch (event.event) {
      case "day_opened":
        this.status = "running";
        this.#turnTo({
          day: event.day,
          starts_at: event.starts_at,
          ends_at: event.ends_at,
          closes_at: event.closes_at,
        });
        break;
      case "day_closed":
        this.lastClosed = event;
        this.unjudged = this.unjudged.filter(({ day }) => day > event.day);
        if (this.day && this.day.day <= event.day) this.day = null;
        break;
      case "finished":
        this.status = "finished";
        this.#finished = event;
        this.#turnTo(null);
        this.unjudged = [];
        break;
      case "cancelled":
        this.status = "cancelled";
        this.#turnTo(null);
        break;
      default: // joined, left and eliminated show in rows and counts; unknown events are passed over
    }
  }

  #turnTo(day) {
    if (day && this.day && day.day > this.day.day) this.unjudged.push(this.day);
    this.day = day;
  }

  #trim() {
    this.#ranked = null;
    if (this.#rows.size <= this.#window) return;
    const best = [...this.#rows.values()].sort(compareRows).slice(0, this.#window);
    this.#rows = new Map(best.map((row) => [row.player, row]));
  }
}
