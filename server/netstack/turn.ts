/**
 * Connections that owe an acknowledgment once the packets at hand are taken: a turn of the event loop brings many
 * datagrams, and one acknowledgment answers them all.
 */
import type { Connection } from './connection.ts';

/** Runs `work` when the events that are at hand have been handled. */
export type AfterTurn = (work: () => void) => void;

export class TurnEnd {
  readonly #afterTurn: AfterTurn;
  #owing: Connection[] = [];

  constructor(afterTurn: AfterTurn) {
    this.#afterTurn = afterTurn;
  }

  acknowledge(connection: Connection): void {
    if (this.#owing.push(connection) === 1) this.#afterTurn(this.#run);
  }

  readonly #run = (): void => {
    const owing = this.#owing;
    this.#owing = [];
    for (const connection of owing) connection.acknowledgeIfOwed();
  };
}
