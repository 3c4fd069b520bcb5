/**
 * Moves events from the spool to the control plane: one batch under way at a time, the next when it was acknowledged,
 * everything unacknowledged again after a reconnect. Order is the spool's.
 */
import type { FromPeer } from '../../channel/messages.ts';
import { eventsUnderWay } from '../limits.ts';
import type { Spool } from './spool.ts';

export class SpoolSender {
  readonly #spool: Spool;
  readonly #send: (message: FromPeer) => boolean;
  #underWay = new Set<string>();

  /** @param send returns false when there is no connection. */
  constructor(spool: Spool, send: (message: FromPeer) => boolean) {
    this.#spool = spool;
    this.#send = send;
    spool.onAppended = () => this.#next();
  }

  /** The channel came or went: what was under way may be lost. */
  connectionChanged(connected: boolean): void {
    this.#underWay.clear();
    if (connected) this.#next();
  }

  acknowledged(ids: readonly string[]): void {
    this.#spool.acknowledge(ids);
    for (const id of ids) this.#underWay.delete(id);
    this.#next();
  }

  #next(): void {
    if (this.#underWay.size > 0) return;
    const events = this.#spool.oldest(eventsUnderWay);
    if (events.length === 0 || !this.#send({ t: 'events', events })) return;
    this.#underWay = new Set(events.map((event) => event.id));
  }
}
