// In which order answers count, and how a write is done once. Who asks is in `server.js`.

/** Of answers that overtake each other only the last one asked for counts. */
export class Latest {
  #asked = 0;

  /** Begins one; the answer to whether it is still the last one. */
  begin() {
    const mine = ++this.#asked;
    return () => mine === this.#asked;
  }

  /** Whatever is under way does not count any more. */
  drop() {
    this.#asked++;
  }
}

/** Whether nobody knows if a request was done, or it is being done. All else is an answer. */
export const isLost = ({ status, code }) => status === 0 || status === 408 || status >= 500 || code === "idempotency_in_flight";

/** 32 hexadecimal digits. */
export function newKey(random = (bytes) => crypto.getRandomValues(bytes)) {
  return [...random(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A write whose answer may be lost: what is sent again is the same with the same key, until there is an answer. */
export class Once {
  #pending = null;
  #makeKey;

  constructor(makeKey = newKey) {
    this.#makeKey = makeKey;
  }

  /** What to send for `wish`. One that is wished for again is sent as it was, its time included; another one is new. */
  take(wish, make = (it) => it) {
    const text = JSON.stringify(wish);
    if (this.#pending?.text !== text) this.#pending = { text, key: this.#makeKey(), body: make(wish) };
    const { key, body } = this.#pending;
    return { key, body };
  }

  /** There is an answer; the next wish is a new one, even if it is the same. */
  settle() {
    this.#pending = null;
  }
}
