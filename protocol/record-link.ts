/**
 * One channel with the keys of its stream: frames below, opened records above. Follows the epochs on both directions
 * (docs/protocol.md, "Rekey": each stream's receiver takes old records until the first new one, then never again).
 * A key is made when it is first needed and never a second time: its epoch only rises.
 */
import type { Channel } from './carrier.ts';
import { recordHeaderBytes, recordType } from './limits.ts';
import type { OpenedRecord, RecordOpener, RecordSealer } from './record.ts';
import type { SessionEpochs } from './session-epochs.ts';
import { SessionError } from './session-error.ts';

/** An opened record and the epoch that vouches for it. */
export type LinkRecord = OpenedRecord & { readonly epoch: number };

/** Where the keys of a stream come from, and who is told what was done with them. */
export type LinkKeys = {
  readonly epochs: Pick<SessionEpochs, 'sending' | 'resolve' | 'opening'>;
  sealer(streamId: bigint): RecordSealer;
  opener(streamId: bigint, epoch: number): RecordOpener;
  /** @param keyCount records of the key that sealed it */
  sealed(bytes: number, keyCount: number): void;
  opened(bytes: number, keyCount: number): void;
  /** A record could not be sealed: that ends the session. */
  fail(error: unknown): void;
};

export class RecordLink {
  readonly channel: Channel;
  readonly #keys: LinkKeys;
  #sealer: RecordSealer | undefined;
  #opener: RecordOpener | undefined;
  /** The epoch of the last record received; no earlier one is taken. */
  #receiving = 0;
  #lastSent: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(keys: LinkKeys, channel: Channel) {
    this.#keys = keys;
    this.channel = channel;
  }

  get streamId(): bigint {
    return this.channel.streamId;
  }

  /**
   * Seals now, so the order of calls is the order of records; `content` is the caller's again at once.
   * @returns resolves when the transport takes more; rejects with what the channel says. A key that may not seal ends
   * the session, and the promise rejects with that.
   */
  send(kind: number, content: Uint8Array): Promise<void> {
    try {
      const { sealer, frame } = this.#seal(kind, content);
      const sent = this.channel.send(frame);
      // Only now: keys that are worn by it may make the session send on this very channel.
      this.#keys.sealed(frame.length, sealer.count);
      const release = () => sealer.release(frame);
      this.#lastSent = sent.then(release, release); // until then the bytes are the channel's
      return sent;
    } catch (error) {
      this.#keys.fail(error);
      return Promise.reject(error);
    }
  }

  #seal(kind: number, content: Uint8Array): { sealer: RecordSealer; frame: Uint8Array<ArrayBuffer> } {
    // A second sealer for this place would start again at counter 0 under the same key.
    if (this.#isOver) throw new SessionError('internal', 'sealing on a stream that is over');
    const epoch = this.#keys.epochs.sending; // one past its time throws here
    if (this.#sealer?.epoch !== epoch.number) this.#sealer = this.#keys.sealer(this.streamId);
    const sealer = this.#sealer;
    return { sealer, frame: sealer.seal(kind, content) };
  }

  /** @param frame hostile. The content is a view that the next open may overwrite. @throws SessionError */
  open(frame: Uint8Array): LinkRecord {
    if (frame.length < recordHeaderBytes || frame[0] !== recordType) throw new SessionError('decode', 'not a record');
    const epoch = this.#keys.epochs.resolve(frame[1]!);
    if (epoch >= 0 && epoch < this.#receiving) throw new SessionError('replay', 'record of an earlier epoch');
    const opener = this.#openerOf(epoch);
    let record: OpenedRecord;
    try {
      record = opener.open(frame);
    } catch (error) {
      if (opener !== this.#opener) opener.wipe();
      throw error;
    }
    this.#receiveFrom(opener);
    this.#keys.opened(frame.length, opener.count);
    return { kind: record.kind, content: record.content, epoch };
  }

  #openerOf(epoch: number): RecordOpener {
    if (this.#opener?.epoch !== epoch) return this.#keys.opener(this.streamId, epoch);
    this.#keys.epochs.opening(epoch); // an epoch past its time refuses to open
    return this.#opener;
  }

  /** Only an authentic record moves the stream: the epoch byte alone is the network's. */
  #receiveFrom(opener: RecordOpener): void {
    if (opener === this.#opener) return;
    this.#opener?.wipe();
    this.#opener = opener;
    this.#receiving = opener.epoch;
  }

  /** The transport has taken all that was sent until now, or will never take it. */
  get delivered(): Promise<void> {
    return this.#lastSent;
  }

  /** True while records of this old epoch would still be taken. */
  mayReceive(epoch: number): boolean {
    return this.#receiving <= epoch;
  }

  /** The session seals under a later epoch from now on. */
  stopSealing(): void {
    this.#sealer?.wipe();
    this.#sealer = undefined;
  }

  /** The keys of `epoch` are gone for good. */
  retire(epoch: number): void {
    if (this.#opener?.epoch !== epoch) return;
    this.#opener.wipe();
    this.#opener = undefined;
  }

  wipe(): void {
    this.#isOver = true;
    this.stopSealing();
    this.#opener?.wipe();
    this.#opener = undefined;
  }
}
