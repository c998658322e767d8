// The server's clock of play, carried on between messages. In a demo it runs faster than the wall clock.

export class PlayClock {
  #server = Date.now();
  #local = 0;
  rate = 1;

  /** `local` is a monotonic reading in milliseconds, taken when the server's time arrived. */
  set(serverTime, rate, local) {
    this.#server = Date.parse(serverTime);
    this.#local = local;
    this.rate = rate;
  }

  /** Milliseconds since the epoch, on the clock of play. */
  now(local) {
    return this.#server + (local - this.#local) * this.rate;
  }
}
