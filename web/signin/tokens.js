// The tokens of a session: the access token in memory alone, the refresh token in this tab's storage.
//
// A refresh token is good once, and a spent one that comes again ends the session. A duplicated tab has a copy of the
// storage, so tabs refresh one at a time and tell each other what they got. Talking to the server is the caller's.

export const KEY = "lastbite.session";
const LOCK = "lastbite.refresh";
const CHANNEL = "lastbite.session";

/** So long a tab that was just opened waits for another one that holds the same session. */
const ASKING_MS = 80;
const EARLY_MS_MOST = 60_000;
const RETRY_MS_MOST = 60_000;
const TIMER_MS_MOST = 2 ** 31 - 1;

/** How long before its end an access token is renewed: a fifth of its life, a minute at most. */
export const earlyMs = (lifetimeMs) => Math.min(EARLY_MS_MOST, lifetimeMs / 5);

/** The pause after the nth refresh in a row that got no answer. The first come soon: a lost answer is given again only for seconds. */
export function retryMs(failures, retryAfterS = null) {
  const own = Math.min(RETRY_MS_MOST, 500 * 2 ** Math.min(failures, 16));
  return retryAfterS === null ? own : Math.max(own, retryAfterS * 1000);
}

/** Whether a refresh was refused for good. No answer, a full server and a dead database are not the token's fault. */
export const isFinal = ({ status }) => status >= 400 && status < 500 && ![408, 425, 429].includes(status);

/** What storage holds, if it is what was put there. */
export function parseKept(text) {
  try {
    const { session, refresh_token, n } = JSON.parse(text);
    if (typeof session !== "string" || typeof refresh_token !== "string" || !refresh_token) return null;
    return { session, refresh_token, n: Number.isInteger(n) ? n : 0 };
  } catch {
    return null;
  }
}

/** What an answer of the server is to a page that asked for it at `askedAt`. `n` counts the refreshes of the session. */
export function keptOf(signedIn, n, askedAt) {
  const { session, refresh_token, access_token, expires_in_s, user } = signedIn;
  const lifetimeMs = expires_in_s * 1000;
  return { session, refresh_token, n, access_token, user, fresh_until: askedAt + lifetimeMs - earlyMs(lifetimeMs), ends_at: askedAt + lifetimeMs };
}

/** Whether `theirs`, of another tab, is the same session further on. */
export const isNewer = (theirs, ours) =>
  theirs.session === ours.session && (theirs.n > ours.n || (theirs.n === ours.n && !ours.access_token && Boolean(theirs.access_token)));

/** What the browser gives; any of it may be missing or forbidden. */
export function browser() {
  const had = (get) => {
    try {
      return get() ?? null;
    } catch {
      return null;
    }
  };
  return {
    storage: had(() => sessionStorage),
    locks: had(() => navigator.locks),
    channel: had(() => new BroadcastChannel(CHANNEL)),
    now: () => Date.now(),
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer),
  };
}

export class Tokens {
  #refresh;
  #onEnd;
  #world;
  #kept;
  #flight = null;
  #timer = null;
  #failures = 0;
  #answered = () => undefined;

  /** `refresh(refresh_token)` answers the next tokens or throws a `Problem`; `onEnd(code)` hears of an end that came from elsewhere. */
  constructor(refresh, { onEnd = () => undefined } = {}, world = browser()) {
    this.#refresh = refresh;
    this.#onEnd = onEnd;
    this.#world = world;
    this.#kept = parseKept(this.#read());
    if (world.channel) world.channel.onmessage = ({ data }) => this.#hear(data);
  }

  /** Whether there is a session, as far as this tab knows. */
  get isKept() {
    return this.#kept !== null;
  }

  /** Whose it is; null until the first tokens arrive. */
  get user() {
    return this.#kept?.user ?? null;
  }

  set user(user) {
    if (this.#kept) this.#kept = { ...this.#kept, user };
  }

  get session() {
    return this.#kept?.session ?? null;
  }

  /** Begins with what signing in answered. `askedAt` is when it was asked, on the clock of the world. */
  take(signedIn, askedAt = this.#world.now()) {
    this.#failures = 0;
    this.#keep(keptOf(signedIn, 0, askedAt));
  }

  /** A good access token, null when there is no session. `refused` is one that the server did not take. */
  async access({ refused = null } = {}) {
    if (!this.#kept) return null;
    if (!this.#isFresh(refused)) {
      try {
        await this.#renew(refused);
      } catch (problem) {
        // Early is not late: what is good for a little longer is used.
        const { access_token: token, ends_at: end } = this.#kept ?? {};
        if (!token || token === refused || this.#world.now() >= end) throw problem;
      }
    }
    return this.#kept?.access_token ?? null;
  }

  /** Drops the session here and in the tabs that share it. */
  forget() {
    if (!this.#kept) return;
    this.#world.channel?.postMessage({ kind: "gone", session: this.#kept.session });
    this.#drop();
  }

  #isFresh(refused) {
    const { access_token: token, fresh_until: until } = this.#kept ?? {};
    return Boolean(token) && token !== refused && this.#world.now() < until;
  }

  #renew(refused = null) {
    this.#flight ??= this.#alone(() => this.#exchange(refused))
      .catch((problem) => {
        if (this.#kept) this.#plan(retryMs(this.#failures++, problem.retry_after ?? null));
        throw problem;
      })
      .finally(() => (this.#flight = null));
    return this.#flight;
  }

  async #alone(run) {
    let isRunning = false;
    const once = () => {
      isRunning = true;
      return run();
    };
    try {
      return this.#world.locks ? await this.#world.locks.request(LOCK, once) : await once();
    } catch (error) {
      if (isRunning) throw error;
      return once(); // locks are there and forbidden
    }
  }

  async #exchange(refused) {
    if (this.#kept && !this.#kept.access_token) await this.#ask();
    if (!this.#kept || this.#isFresh(refused)) return; // another tab was first
    const before = this.#kept;
    const askedAt = this.#world.now();
    const isSame = () => this.#kept?.session === before.session && this.#kept.n === before.n;
    let answer;
    try {
      answer = await this.#refresh(before.refresh_token);
    } catch (problem) {
      if (isSame() && isFinal(problem)) {
        this.#drop();
        this.#onEnd(problem.code);
      }
      throw problem;
    }
    if (!isSame()) return; // signed out, or in anew, meanwhile
    this.#failures = 0;
    this.#keep(keptOf(answer, before.n + 1, askedAt));
    this.#tell();
  }

  #ask() {
    const { channel, setTimeout: later, clearTimeout: never } = this.#world;
    if (!channel) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = later(resolve, ASKING_MS);
      this.#answered = () => {
        never(timer);
        resolve();
      };
      channel.postMessage({ kind: "ask", session: this.#kept.session });
    });
  }

  #tell() {
    this.#world.channel?.postMessage({ kind: "next", session: this.#kept.session, kept: this.#kept });
  }

  #hear(said) {
    if (!this.#kept || said?.session !== this.#kept.session) return;
    if (said.kind === "ask" && this.#kept.access_token) {
      this.#tell();
    } else if (said.kind === "next" && isNewer(said.kept, this.#kept)) {
      this.#keep(said.kept);
      this.#answered();
    } else if (said.kind === "gone") {
      this.#drop();
      this.#onEnd("signed_out");
    }
  }

  #keep(kept) {
    this.#kept = kept;
    const { session, refresh_token, n } = kept;
    this.#write(JSON.stringify({ session, refresh_token, n }));
    this.#plan(kept.fresh_until - this.#world.now());
  }

  #drop() {
    this.#kept = null;
    this.#world.clearTimeout(this.#timer);
    this.#write(null);
    this.#answered();
  }

  #plan(ms) {
    this.#world.clearTimeout(this.#timer);
    const run = () => this.#renew().catch(() => undefined); // it has planned the next one
    this.#timer = this.#world.setTimeout(run, Math.min(Math.max(0, ms), TIMER_MS_MOST));
  }

  #read() {
    try {
      return this.#world.storage?.getItem(KEY) ?? null;
    } catch {
      return null;
    }
  }

  #write(text) {
    try {
      if (text === null) this.#world.storage?.removeItem(KEY);
      else this.#world.storage?.setItem(KEY, text);
    } catch {
      // A full or forbidden storage: the session lasts as long as the page.
    }
  }
}
