/** Which apps want a window of their own: their pages lead this tab away again when they are in its frame once more. */

/** A slow page on a slow machine takes its time until its script runs; one that does so later has another reason. */
const rowMs = 60_000;

export class LedAways {
  #last = Number.NEGATIVE_INFINITY;

  /**
   * A page has led the tab away, by no click of a person's: what they clicked in the last seconds may do so too.
   * @param now any clock's, ms
   * @returns true when its pages do not stay in a frame
   */
  again(now: number): boolean {
    const isAgain = now - this.#last < rowMs;
    this.#last = now;
    return isAgain;
  }

  forget(): void {
    this.#last = Number.NEGATIVE_INFINITY;
  }
}
