/**
 * What becomes of a page that leads the whole tab away. A person's click may do so (`target="_top"`); a page that does it
 * by itself, and once more where it is in the frame again, will not be framed: it gets a window of its own.
 */

/** A slow page on a slow machine takes its time until its script runs; one that does so later has another reason. */
const rowMs = 60_000;
/** As long as a browser takes a click for the reason of what a page does (HTML, "transient activation duration"). */
const clickMs = 5_000;

export interface LedAway {
  /** Where the tab was to go, in the app. */
  readonly path: string;
  /** Whether the frame is there already. */
  readonly isThere: boolean;
  /** Whether a person has clicked in the last seconds. */
  readonly clicked: boolean;
  /** Any clock's, ms. */
  readonly now: number;
}

/** `go`: the frame goes there, and back by the browser's button. `anew`: a new frame does, where that would load nothing. */
export type LedTo = 'go' | 'anew' | 'own-window';

export class LedAways {
  #last = { path: '', at: Number.NEGATIVE_INFINITY };

  next({ path, isThere, clicked, now }: LedAway): LedTo {
    const last = this.#last;
    this.#last = { path, at: now };
    // A click may lead to one place twice, by a second click; only the page that was put there leads to itself.
    const isItself = isThere && path === last.path && now - last.at < clickMs;
    const isAgain = clicked ? isItself : now - last.at < rowMs;
    if (isAgain) return 'own-window';
    return clicked && !isThere ? 'go' : 'anew';
  }

  forget(): void {
    this.#last = { path: '', at: Number.NEGATIVE_INFINITY };
  }
}
