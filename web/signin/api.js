// Asking the server, and what it refuses as one kind of error. Who asks is in `tokens.js`; the words are the page's.

/** A request is given up after so long; a server that is well answers within one. */
const PATIENCE_MS = 15_000;

/** A refusal, a failure, or no answer at all. `status` is 0 and `code` `network` for the last. */
export class Problem extends Error {
  constructor({ code, status = 0, detail = "", field = null, retry_after = null }) {
    super(detail || code);
    this.name = "Problem";
    Object.assign(this, { code, status, detail, field, retry_after });
  }
}

/** The seconds of a `Retry-After`, which may also be a date; null when it is neither. */
export function secondsOf(header, now = Date.now()) {
  if (header === null || header === undefined || String(header).trim() === "") return null;
  if (/^\s*\d+\s*$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - now) / 1000));
}

/** What stands in the way when the body does not say so: a proxy answered, or the server could not. */
function codeOf(status) {
  if (status === 429) return "too_many_requests";
  return [502, 503, 504].includes(status) ? "overloaded" : "internal";
}

function objectOf(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" ? value : {};
  } catch {
    return {}; // a page of some proxy
  }
}

export class Api {
  #fetch;
  #now;

  constructor({ fetch = (...request) => globalThis.fetch(...request), now = Date.now } = {}) {
    this.#fetch = fetch;
    this.#now = now;
  }

  /** The body of the answer, null when it has none. Throws a `Problem`, and nothing else. */
  async send(method, path, body, { token, patience_ms = PATIENCE_MS } = {}) {
    const headers = { accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (token) headers.authorization = `Bearer ${token}`;
    let answer, text;
    try {
      answer = await this.#fetch(`/api/v1${path}`, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: "no-store",
        signal: AbortSignal.timeout(patience_ms),
      });
      text = await answer.text();
    } catch (cause) {
      throw new Problem({ code: "network", detail: String(cause?.message ?? "") });
    }
    if (!answer.ok) throw this.#problem(answer, objectOf(text));
    if (text === "") return null;
    try {
      return JSON.parse(text);
    } catch {
      throw new Problem({ code: "internal", status: answer.status, detail: "the answer is no JSON" });
    }
  }

  /** The same as who is signed in. A token that the server does not like any more is renewed, once. */
  async sendAs(tokens, method, path, body) {
    const token = await tokens.access();
    if (!token) throw new Problem({ code: "session_ended", status: 401 });
    try {
      return await this.send(method, path, body, { token });
    } catch (problem) {
      // A wrong code may be a 401 as well, and must not be tried twice.
      if (problem.status !== 401 || !/^(token_|session_|account_gone$)/.test(problem.code)) throw problem;
      const next = await tokens.access({ refused: token });
      if (!next) throw new Problem({ code: "session_ended", status: 401 });
      return this.send(method, path, body, { token: next });
    }
  }

  #problem(answer, body) {
    const text = (value) => (typeof value === "string" && value ? value : null);
    const seconds = secondsOf(answer.headers.get("retry-after"), this.#now());
    return new Problem({
      status: answer.status,
      code: text(body.code) ?? codeOf(answer.status),
      detail: text(body.detail) ?? "",
      field: text(body.field),
      retry_after: seconds ?? (Number.isFinite(body.retry_after) ? body.retry_after : null),
    });
  }
}
