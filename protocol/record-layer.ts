/**
 * The records of a whole session: hands each stream its {@link RecordLink}, counts, and notices when the keys of an
 * epoch have worked enough (docs/protocol.md, "Records": limits; "Rekey": after N bytes). One file below it seals,
 * one above it decides what to do about a worn epoch.
 */
import type { Channel } from './carrier.ts';
import type { Clock } from './clock.ts';
import type { Crypto } from './crypto.ts';
import { type KeyPlace, other, RecordOpener, RecordSealer, type Role } from './record.ts';
import { type LinkKeys, RecordLink } from './record-link.ts';
import type { EpochSecrets } from './schedule.ts';
import { SessionEpochs } from './session-epochs.ts';
import type { RecordLimits } from './session-limits.ts';

export type RecordLayerOptions = {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly role: Role;
  readonly first: EpochSecrets;
  readonly rejectAfterMs: number;
  /** Both ways together, headers and tags included. */
  readonly rekeyAfterBytes: number;
  readonly limits: RecordLimits;
  /** Called once for each epoch that should be replaced before its time. */
  readonly onWorn: () => void;
  readonly onExpired: () => void;
  readonly onSwept: () => void;
  /** A record that could not be sealed ends the session. */
  readonly onFatal: (error: unknown) => void;
};

/** Totals of a session; plain numbers, since 2^53 records or bytes are out of reach. */
export type RecordCounts = { sealed: number; opened: number; bytesIn: number; bytesOut: number };

/** Whoever has keys of epochs: a stream's {@link RecordLink}, a flow of datagrams. */
export type KeyHolder = {
  /** True while records of this old epoch would still be taken. */
  mayReceive(epoch: number): boolean;
  /** The session seals under a later epoch from now on. */
  stopSealing(): void;
  /** The keys of `epoch` are gone for good. */
  retire(epoch: number): void;
  wipe(): void;
};

export class RecordLayer implements LinkKeys {
  readonly epochs: SessionEpochs;
  readonly counts: RecordCounts = { sealed: 0, opened: 0, bytesIn: 0, bytesOut: 0 };
  readonly #options: RecordLayerOptions;
  readonly #links = new Set<KeyHolder>();
  #epochBytes = 0;
  #isWorn = false;
  #isWiped = false;
  /** When the last authentic record came, on the monotonic clock. */
  #heardAt: number;

  constructor(options: RecordLayerOptions) {
    this.#options = options;
    this.#heardAt = options.clock.monotonic();
    this.epochs = new SessionEpochs(options.first, options.clock, options.rejectAfterMs, {
      onExpired: options.onExpired,
      onSwept: options.onSwept,
      inUse: (epoch) => Array.from(this.#links).some((link) => link.mayReceive(epoch)),
      onRetired: (epoch) => {
        for (const link of this.#links) link.retire(epoch);
      },
    });
  }

  get heardAt(): number {
    return this.#heardAt;
  }

  get isWiped(): boolean {
    return this.#isWiped;
  }

  /** The keys of one stream, from its first record to {@link RecordLayer.unlink}. */
  link(channel: Channel): RecordLink {
    const link = new RecordLink(this, channel);
    this.hold(link);
    return link;
  }

  unlink(link: RecordLink): void {
    this.release(link);
  }

  /** Tells it when keys come and go, until {@link RecordLayer.release}. */
  hold(keys: KeyHolder): void {
    this.#links.add(keys);
  }

  release(keys: KeyHolder): void {
    keys.wipe();
    this.#links.delete(keys);
  }

  /** Seals under the newest epoch from here on; the keys we sealed with are gone at once. */
  promote(): void {
    this.epochs.promote();
    for (const link of this.#links) link.stopSealing();
    this.#epochBytes = 0;
    this.#isWorn = false;
  }

  sealer(streamId: bigint): RecordSealer {
    const epoch = this.epochs.sending;
    return new RecordSealer(this.#options.crypto, this.#place(this.#options.role, streamId, epoch), this.#maxRecords);
  }

  opener(streamId: bigint, number: number): RecordOpener {
    const place = this.#place(other[this.#options.role], streamId, this.epochs.opening(number));
    return new RecordOpener(this.#options.crypto, place, this.#maxRecords);
  }

  get #maxRecords(): number {
    return this.#options.limits.maxRecordsPerKey;
  }

  #place(role: Role, streamId: bigint, epoch: EpochSecrets): KeyPlace {
    return { role, streamId, epoch: epoch.number, secret: epoch[role] };
  }

  fail(error: unknown): void {
    this.#options.onFatal(error);
  }

  /** @param keyCount records of the key that sealed it */
  sealed(bytes: number, keyCount: number): void {
    this.counts.sealed++;
    this.counts.bytesOut += bytes;
    this.#wear(bytes, keyCount);
  }

  opened(bytes: number, keyCount: number): void {
    this.counts.opened++;
    this.counts.bytesIn += bytes;
    this.#heardAt = this.#options.clock.monotonic();
    this.#wear(bytes, keyCount);
  }

  #wear(bytes: number, keyCount: number): void {
    this.#epochBytes += bytes;
    if (this.#isWorn) return;
    if (this.#epochBytes < this.#options.rekeyAfterBytes && keyCount < this.#options.limits.rekeyAtRecords) return;
    this.#isWorn = true;
    this.#options.onWorn();
  }

  wipe(): void {
    this.#isWiped = true;
    for (const link of this.#links) link.wipe();
    this.epochs.wipe();
  }
}
