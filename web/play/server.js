// The server as who is signed in meets it: their meals, foods and diary. Tokens and refusals are those of the page to sign in on.

import { Api, Problem } from "../signin/api.js";
import { Tokens } from "../signin/tokens.js";
import { isLost } from "./asking.js";

/** Shorter than the time in which a spent refresh token still gets its answer again. */
const REFRESH_PATIENCE_MS = 8_000;
/** A photo on a slow line, and whoever looks at it. */
const PHOTO_PATIENCE_MS = 75_000;
/** So long after a lost answer it is asked for once more. */
const AGAIN_AFTER_MS = [600, 2_000];

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Server {
  #api = new Api();
  #tokens;

  /** `onEnd(code)` hears of the end of the session, wherever it came from. */
  constructor(onEnd) {
    const refresh = (refresh_token) => this.#api.send("POST", "/sessions/refresh", { refresh_token }, { patience_ms: REFRESH_PATIENCE_MS });
    this.#tokens = new Tokens(refresh, { onEnd });
  }

  get isSignedIn() {
    return this.#tokens.isKept;
  }

  /** Whether the session is good. Throws when nobody can tell. */
  async enter() {
    return Boolean(await this.#tokens.access());
  }

  get(path, query = {}) {
    const text = new URLSearchParams(query).toString();
    return this.#api.sendAs(this.#tokens, "GET", text ? `${path}?${text}` : path);
  }

  delete(path) {
    return this.#api.sendAs(this.#tokens, "DELETE", path);
  }

  /** Has a photo looked at. */
  analyze(photo) {
    const form = new FormData();
    form.append("photo", photo, "photo");
    return this.#with({ body: form }, PHOTO_PATIENCE_MS).sendAs(this.#tokens, "POST", "/meals/analyze");
  }

  /** Logs a meal, with a photo if there is one that nobody has looked at. However often it is sent, it is logged once. */
  async log({ key, body }, photo = null) {
    const form = new FormData();
    if (photo) {
      form.append("meal", JSON.stringify(body));
      form.append("photo", photo, "photo");
    }
    const headers = { "idempotency-key": key };
    const api = photo ? this.#with({ headers, body: form }, PHOTO_PATIENCE_MS) : this.#with({ headers });
    for (let tries = 0; ; tries++) {
      try {
        return await api.sendAs(this.#tokens, "POST", "/meals", photo ? undefined : body);
      } catch (problem) {
        if (!isLost(problem) || tries >= AGAIN_AFTER_MS.length) throw problem;
        await pause(AGAIN_AFTER_MS[tries]);
      }
    }
  }

  /** A picture of one's own as a `data:` address; nobody sees it without the token, and the page's policy knows no other. */
  async picture(path) {
    let blob = null;
    const asked = async (_, init) => {
      const answer = await fetch(path, { ...init, headers: { ...init.headers, accept: "image/jpeg" } });
      if (!answer.ok) return answer;
      blob = await answer.blob();
      return new Response(null, { status: 204 });
    };
    await new Api({ fetch: asked }).sendAs(this.#tokens, "GET", "");
    return new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => reject(new Problem({ code: "network" }));
      reader.readAsDataURL(blob);
    });
  }

  /** The same API for requests that are more than JSON. */
  #with({ headers = {}, body }, patience_ms = null) {
    const more = (init) => ({
      ...init,
      headers: { ...init.headers, ...headers },
      body: body ?? init.body,
      signal: patience_ms ? AbortSignal.timeout(patience_ms) : init.signal,
    });
    return new Api({ fetch: (path, init) => fetch(path, more(init)) });
  }
}
