/**
 * Counts the bytes of bodies under way, for a progress bar that says the truth: what has crossed the tunnel, never what
 * was guessed. Small answers are not worth a bar, and a body that stands still without having said how long it is (an
 * event stream) is not under way.
 */
import type { Clock } from '../../protocol/clock.ts';
import type { Transfers as Counted } from '../api.ts';

/** Bodies below this are over before a person could read a bar. */
const worthShowingBytes = 256 * 1024;
/** A page is told at most this often. */
const tellEveryMs = 250;
/** A body of unknown length that has not moved for this long is waiting, not moving. */
const stillMs = 1_500;

/** One body. */
export interface Transfer {
  /** @param bytes the length its head told, if it told one */
  expect(bytes: number | undefined): void;
  moved(bytes: number): void;
  /** Complete, cut or given up. More calls do nothing. */
  end(): void;
}

interface Body {
  moved: number;
  length: number | undefined;
  lastMoveMs: number;
}

const none: Counted = { bodies: 0, movedBytes: 0, totalBytes: undefined };

export class Transfers {
  readonly #clock: Clock;
  readonly #tell: (counted: Counted) => void;
  readonly #bodies = new Set<Body>();
  #isWaiting = false;
  #told = none;

  /** @param tell called with every change, at most four times a second; the last one has no bodies. */
  constructor(clock: Clock, tell: (counted: Counted) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  begin(): Transfer {
    const body: Body = { moved: 0, length: undefined, lastMoveMs: this.#clock.monotonic() };
    this.#bodies.add(body);
    return {
      expect: (bytes) => {
        body.length = bytes;
      },
      moved: (bytes) => {
        body.moved += bytes;
        body.lastMoveMs = this.#clock.monotonic();
        if (isWorthShowing(body)) this.#changed();
      },
      end: () => {
        if (this.#bodies.delete(body) && isWorthShowing(body)) this.#changed();
      },
    };
  }

  /** What is under way now. */
  get counted(): Counted {
    const now = this.#clock.monotonic();
    const moving = [...this.#bodies].filter(
      (body) => isWorthShowing(body) && (body.length !== undefined || now - body.lastMoveMs < stillMs),
    );
    if (moving.length === 0) return none;
    const totals = moving.map(({ length, moved }) => (length === undefined || length < moved ? undefined : length));
    return {
      bodies: moving.length,
      movedBytes: moving.reduce((sum, { moved }) => sum + moved, 0),
      totalBytes: totals.reduce<number | undefined>(
        (sum, length) => (sum === undefined || length === undefined ? undefined : sum + length),
        0,
      ),
    };
  }

  #changed(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#clock.after(tellEveryMs, () => {
      this.#isWaiting = false;
      const counted = this.counted;
      if (counted.bodies > 0 || this.#told.bodies > 0) this.#tell(counted);
      this.#told = counted;
      // Until nothing is under way: a body of unknown length may stop to move without a word.
      if (counted.bodies > 0) this.#changed();
    });
  }
}

function isWorthShowing({ moved, length }: Body): boolean {
  return (length ?? moved) >= worthShowingBytes;
}
