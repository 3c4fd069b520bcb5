/**
 * Moves events from the spool to the control plane: one batch under way at a time, the next when it was acknowledged
 * and a while has passed, everything unacknowledged again after a reconnect. Order is the spool's.
 */
import type { Clock } from '../../../protocol/clock.ts';
import type { FromPeer } from '../../channel/messages.ts';
import { eventsPauseMs, eventsUnderWay } from '../limits.ts';
import type { Spool } from './spool.ts';

export class SpoolSender {
  readonly #spool: Spool;
  readonly #send: (message: FromPeer) => boolean;
  readonly #clock: Pick<Clock, 'after'>;
  #underWay = new Set<string>();
  /** Ends the pause, while there is one. */
  #resume: (() => void) | undefined;

  /** @param send returns false when there is no connection. */
  constructor(spool: Spool, send: (message: FromPeer) => boolean, clock: Pick<Clock, 'after'>) {
    this.#spool = spool;
    this.#send = send;
    this.#clock = clock;
    spool.onAppended = () => this.#next();
  }

  /** The channel came or went: what was under way may be lost. */
  connectionChanged(connected: boolean): void {
    this.#underWay.clear();
    this.#resume?.();
    if (connected) this.#next();
  }

  /** Sends no more; before the spool closes. */
  close(): void {
    this.#spool.onAppended = undefined;
    this.#resume?.();
  }

  acknowledged(ids: readonly string[]): void {
    this.#spool.acknowledge(ids);
    for (const id of ids) this.#underWay.delete(id);
    this.#next();
  }

  #next(): void {
    if (this.#underWay.size > 0 || this.#resume !== undefined) return;
    const events = this.#spool.oldest(eventsUnderWay);
    if (events.length === 0 || !this.#send({ t: 'events', events })) return;
    this.#underWay = new Set(events.map((event) => event.id));
    // A full one is followed by the next at once, or a gateway that was long alone would not catch up.
    if (events.length < eventsUnderWay) this.#pause();
  }

  #pause(): void {
    const cancel = this.#clock.after(eventsPauseMs, () => {
      this.#resume = undefined;
      this.#next();
    });
    this.#resume = () => {
      this.#resume = undefined;
      cancel();
    };
  }
}
