/** The tail loss probe that is out (RFC 8985 section 7): at most one, until it is answered or everything is taken for lost. */
import { after, before } from './sequence.ts';

export class TailLossProbe {
  /** SND.NXT when it went, and whether it repeated something. */
  #out: { readonly end: number; readonly repeated: boolean } | null = null;

  get isOut(): boolean {
    return this.#out !== null;
  }

  sent(end: number, repeated: boolean): void {
    this.#out = { end, repeated };
  }

  forget(): void {
    this.#out = null;
  }

  /** The peer had a segment twice. @returns whether that was the probe, which then was not needed and tells nothing else */
  wasRepeated(end: number): boolean {
    if (this.#out?.end !== end) return false;
    this.#out = null;
    return true;
  }

  /** Section 7.4.2. @returns whether the probe mended a loss: it repeated, and was acknowledged with more */
  settle(ack: number): boolean {
    const probe = this.#out;
    if (probe === null || before(ack, probe.end)) return false;
    this.#out = null;
    return probe.repeated && after(ack, probe.end);
  }
}
