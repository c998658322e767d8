// One watched stream over the socket: connects, says hello with the number seen, comes back after a loss, and stops for
// good when the server says so. It knows nothing of boards and pages.

const SUBPROTOCOL = "lastbite.v1";
const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 30_000;
/** Longer than the server takes to refuse a hello. */
const WELCOME_MS_MAX = 10_000;
const PONG_MS_MAX = 10_000;
/** A session that lived this long clears the memory of failures. */
const STEADY_MS = 10_000;
/** A gap is asked about once, and again if the snapshot does not come. */
const SNAPSHOT_MS_MAX = 3_000;

/** From 4500 on a close code means: stay away. */
export const staysAway = (code) => code >= 4500 && code < 5000;

/** Before the `attempt`th try in a row, counted from 0: doubles up to a bound, half of it by chance. */
export function backoffMs(attempt, random = Math.random) {
  const full = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(attempt, 16));
  return Math.round(full / 2 + (full / 2) * random());
}

const browser = {
  connect: (url) => new WebSocket(url, SUBPROTOCOL),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  now: () => performance.now(),
  random: Math.random,
};

export class Session {
  #options;
  #world;
  #socket = null;
  #timers = new Map();
  #attempt = 0;
  #id = 0;
  /** The id of the last message that asked for the stream. */
  #asked = 0;
  #bye = null;
  #welcomedAt = null;
  #heardAt = 0;
  #heartbeatMs = 25_000;
  #stopped = false;

  /**
   * `options`: `url`, `client`, `stream`; `seen()` answers the number to resume from, or null; `onMessage(message)` may
   * answer `"gap"` to ask for what is missing, or `"applied"` when nothing is; `onState(state, {retryMs, code, reason})` with `connecting`, `live` or `closed`.
   */
  constructor(options, world = browser) {
    this.#options = options;
    this.#world = world;
  }

  start() {
    this.#stopped = false;
    this.#connect();
  }

  /** Ends it for good. */
  stop(reason = "stopped") {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#drop();
    this.#options.onState("closed", { reason });
  }

  /** Tries at once instead of waiting, for example when the network is back. */
  hurry() {
    if (!this.#stopped && this.#timers.has("retry")) this.#connect();
  }

  #connect() {
    this.#drop();
    this.#bye = null;
    this.#welcomedAt = null;
    this.#options.onState("connecting", {});
    const socket = this.#world.connect(this.#options.url);
    this.#socket = socket;
    socket.onopen = () => this.#sayHello();
    socket.onmessage = ({ data }) => this.#hear(data);
    socket.onclose = ({ code }) => this.#lost(code);
    this.#after("welcome", WELCOME_MS_MAX, () => this.#lost(1006));
  }

  #sayHello() {
    this.#asked = this.#send({ type: "hello", client: this.#options.client, streams: [this.#wish()] });
  }

  /** The stream, with the number seen: what happened since is told, whatever was missed. */
  #wish() {
    const n = this.#options.seen();
    return n === null ? { stream: this.#options.stream } : { stream: this.#options.stream, n };
  }

  #send(message) {
    this.#id += 1;
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify({ ...message, id: this.#id }));
    return this.#id;
  }

  #hear(data) {
    this.#heardAt = this.#world.now();
    this.#cancel("pong");
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return; // not of this protocol; the next one may be
    }
    switch (message.type) {
      case "welcome":
        this.#cancel("welcome");
        this.#welcomedAt = this.#heardAt;
        this.#heartbeatMs = message.heartbeat_ms || this.#heartbeatMs;
        this.#options.onState("live", {});
        this.#listenForSilence();
        break;
      case "bye":
        this.#bye = message;
        break;
      case "error":
        this.#refused(message);
        break;
      default:
    }
    const outcome = this.#options.onMessage(message);
    if (outcome === "gap") this.#askSnapshot();
    else if (outcome === "applied") this.#cancel("snapshot");
  }

  /** A browser cannot see the server's pings, so a silent connection is asked whether it still lives. */
  #listenForSilence() {
    this.#after("silence", this.#heartbeatMs, () => {
      if (this.#world.now() - this.#heardAt >= this.#heartbeatMs) {
        this.#send({ type: "ping" });
        this.#after("pong", PONG_MS_MAX, () => this.#lost(1006));
      }
      this.#listenForSilence();
    });
  }

  #askSnapshot() {
    if (this.#timers.has("snapshot")) return;
    this.#asked = this.#send({ type: "watch", ...this.#wish() });
    this.#after("snapshot", SNAPSHOT_MS_MAX, () => this.#askSnapshot());
  }

  /** Only what was asked about the stream itself matters: refused for good, or to be asked again. */
  #refused({ id, code, retry }) {
    if (id !== this.#asked) return;
    if (!retry) this.stop(code);
    else this.#after("snapshot", backoffMs(2, this.#world.random), () => this.#askSnapshot());
  }

  #lost(code) {
    if (this.#stopped) return;
    const lived = this.#welcomedAt === null ? 0 : this.#world.now() - this.#welcomedAt;
    const bye = this.#bye;
    this.#drop();
    if (staysAway(code) || (bye && !bye.reconnect)) {
      this.#stopped = true;
      this.#options.onState("closed", { code, reason: bye?.reason });
      return;
    }
    if (lived >= STEADY_MS) this.#attempt = 0;
    // The server spreads its `after_ms` over its clients, so the first return takes it as it is.
    const own = bye && this.#attempt === 0 ? 0 : backoffMs(this.#attempt, this.#world.random);
    const retryMs = Math.max(bye?.after_ms ?? 0, own);
    this.#attempt += 1;
    this.#options.onState("connecting", { retryMs, code, reason: bye?.reason });
    this.#after("retry", retryMs, () => this.#connect());
  }

  #drop() {
    for (const name of [...this.#timers.keys()]) this.#cancel(name);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #after(name, ms, run) {
    this.#cancel(name);
    const timer = this.#world.setTimeout(() => {
      this.#timers.delete(name);
      run();
    }, ms);
    this.#timers.set(name, timer);
  }

  #cancel(name) {
    if (!this.#timers.has(name)) return;
    this.#world.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}
