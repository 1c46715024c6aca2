/** Keep the screen on while files are sent: a phone that sleeps sends nothing. */

export class Wake {
  #wanted = false;
  /** @type {WakeLockSentinel | null} */
  #lock = null;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#renew());
  }

  /** @param {boolean} wanted */
  hold(wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#renew();
  }

  async #renew() {
    if (!this.#wanted) {
      this.#lock?.release();
      this.#lock = null;
    } else if (!document.hidden && (this.#lock === null || this.#lock.released)) {
      try {
        this.#lock = (await navigator.wakeLock?.request("screen")) ?? null;
      } catch {
        this.#lock = null; // a low battery says no
      }
    }
  }
}
