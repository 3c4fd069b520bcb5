/** Which apps want a window of their own: their pages lead this tab away again as soon as they are in its frame. */

/** Two in a row within this time are a script's doing, not a person's. */
const rowMs = 10_000;
/** What a person clicks may lead the tab to a page of the app too, and twice. */
const mostClicks = 3;

export class LedAways {
  readonly #times: number[] = [];

  /**
   * A page has led the tab away.
   * @param now any clock's, ms
   * @param isClicked whether a person has just clicked or typed in the app
   * @returns true when its pages do not stay in a frame
   */
  again(now: number, isClicked: boolean): boolean {
    this.#times.push(now);
    const inRow = this.#times.filter((time) => now - time < rowMs).length;
    return inRow >= (isClicked ? mostClicks : 2);
  }

  forget(): void {
    this.#times.length = 0;
  }
}
