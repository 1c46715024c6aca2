/** How fast something goes, and how long it still takes: told only when it can be known. */

const TELL_AFTER_MS = 3000;
const STALLED_AFTER_MS = 10_000;
const SMOOTHING_MS = 5000;

export class Pace {
  /** @param {number} now milliseconds */
  constructor(now) {
    this.began = now;
    this.at = now;
    this.moved = now;
    /** @type {number | null} */
    this.amount = null;
    this.rate = 0;
  }

  /**
   * Note that so much is done by now; what there was at the first call is no work of this pace.
   * @param {number} amount
   * @param {number} now milliseconds
   */
  note(amount, now) {
    if (this.amount === null) {
      this.amount = amount;
      this.began = this.at = this.moved = now;
      return;
    }
    const ms = now - this.at;
    if (amount <= this.amount || ms <= 0) return;
    const latest = ((amount - this.amount) * 1000) / ms;
    const weight = this.rate === 0 ? 1 : 1 - Math.exp(-ms / SMOOTHING_MS);
    this.rate += weight * (latest - this.rate);
    this.amount = amount;
    this.at = this.moved = now;
  }

  /**
   * Return the amount a second, or null while it is not known.
   * @param {number} now
   */
  perSecond(now) {
    return this.rate > 0 && now - this.began >= TELL_AFTER_MS ? this.rate : null;
  }

  /**
   * Return the seconds until `total`, or null while they are not known.
   * @param {number} total
   * @param {number} now
   */
  secondsLeft(total, now) {
    const rate = this.perSecond(now);
    if (rate === null || this.amount === null) return null;
    return Math.max(0, (total - this.amount) / rate - (now - this.at) / 1000);
  }

  /**
   * Tell whether nothing has moved for long.
   * @param {number} now
   */
  stalled(now) {
    return now - this.moved >= STALLED_AFTER_MS;
  }
}
