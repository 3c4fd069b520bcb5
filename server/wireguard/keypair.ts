/**
 * The transport keys of one session (paper sections 5.4.5, 5.4.6) and the three that a peer holds at a time (6.3):
 * `current` sends; `previous` still opens what is on its way; `next` is a responder's, which may not send with it before
 * the initiator has shown, by a first packet, that it has it too.
 */
import { ReplayWindow } from '../../protocol/replay-window.ts';
import type { TransportKey } from './keys.ts';
import { PADDING_MULTIPLE, REJECT_AFTER_MESSAGES, REJECT_AFTER_TIME_MS, REPLAY_WINDOW, TAG_BYTES } from './limits.ts';
import { TRANSPORT_HEADER_BYTES, writeTransportHeader } from './messages.ts';
import { openPacket, sealPacket } from './packet-aead.ts';

export interface KeypairParts {
  readonly sendKey: TransportKey;
  readonly receiveKey: TransportKey;
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly isInitiator: boolean;
  /** On the monotonic clock. */
  readonly createdAt: number;
  /** Where the sending counter begins; not zero only in a test of the message limits. */
  readonly firstCounter?: number;
}

export type OpenResult = Uint8Array | 'tagWrong' | 'counterReplayed' | 'keyExpired';

/** Owns its counters: no caller can seal twice with one. */
export class Keypair {
  readonly localIndex: number;
  readonly isInitiator: boolean;
  readonly createdAt: number;
  readonly #remoteIndex: number;
  readonly #sendKey: TransportKey;
  readonly #receiveKey: TransportKey;
  readonly #window = new ReplayWindow(REPLAY_WINDOW);
  #counter: number;
  #wiped = false;

  constructor(parts: KeypairParts) {
    this.localIndex = parts.localIndex;
    this.isInitiator = parts.isInitiator;
    this.createdAt = parts.createdAt;
    this.#remoteIndex = parts.remoteIndex;
    this.#sendKey = parts.sendKey;
    this.#receiveKey = parts.receiveKey;
    this.#counter = parts.firstCounter ?? 0;
  }

  /** Messages sealed so far. */
  get counter(): number {
    return this.#counter;
  }

  maySend(now: number): boolean {
    return !this.#wiped && now - this.createdAt < REJECT_AFTER_TIME_MS && this.#counter < REJECT_AFTER_MESSAGES;
  }

  /**
   * @param mtu bounds the padding: a full packet must not outgrow the path because of it.
   * @returns a whole transport message, its memory the caller's.
   */
  seal(packet: Uint8Array, mtu: number): Uint8Array {
    if (this.#wiped) throw new TypeError('this keypair was wiped');
    const padded = paddedLength(packet.length, mtu);
    const message = Buffer.allocUnsafe(TRANSPORT_HEADER_BYTES + padded + TAG_BYTES);
    const counter = this.#counter++;
    writeTransportHeader(message, this.#remoteIndex, counter);
    message.set(packet, TRANSPORT_HEADER_BYTES);
    message.fill(0, TRANSPORT_HEADER_BYTES + packet.length, TRANSPORT_HEADER_BYTES + padded);
    sealPacket(message.subarray(TRANSPORT_HEADER_BYTES), this.#sendKey, counter);
    return message;
  }

  /** @returns the padded packet, in the memory of `sealed`, or the name of the counter (counters.ts) of why not. */
  open(counter: number, sealed: Uint8Array, now: number): OpenResult {
    if (this.#wiped || now - this.createdAt >= REJECT_AFTER_TIME_MS) return 'keyExpired';
    if (counter >= REJECT_AFTER_MESSAGES) return 'keyExpired';
    if (!this.#window.mayTake(counter)) return 'counterReplayed';
    const packet = openPacket(this.#receiveKey, counter, sealed);
    if (packet === null) return 'tagWrong';
    this.#window.take(counter);
    return packet;
  }

  wipe(): void {
    this.#wiped = true;
    this.#sendKey.fill(0);
    this.#receiveKey.fill(0);
  }
}

function paddedLength(length: number, mtu: number): number {
  const padded = Math.ceil(length / PADDING_MULTIPLE) * PADDING_MULTIPLE;
  return length <= mtu ? Math.min(padded, mtu) : padded;
}

/** The rotation of a peer's keypairs; `release` frees the index of one that is gone. */
export class Keypairs {
  readonly #release: (localIndex: number) => void;
  current: Keypair | null = null;
  previous: Keypair | null = null;
  next: Keypair | null = null;

  constructor(release: (localIndex: number) => void) {
    this.#release = release;
  }

  /** As initiator: the answer proves that both have the key, so it sends at once. */
  installInitiated(keypair: Keypair): void {
    if (this.next !== null) {
      // A session the other side began meanwhile: it may already send with it.
      this.#replacePrevious(this.next);
      this.#drop(this.current);
      this.next = null;
    } else {
      this.#replacePrevious(this.current);
    }
    this.current = keypair;
  }

  /** As responder: waits for the initiator's first packet. */
  installResponded(keypair: Keypair): void {
    this.#drop(this.next);
    this.#replacePrevious(null);
    this.next = keypair;
  }

  /** Tells that a packet opened with `keypair`; true when that made it current. */
  confirm(keypair: Keypair): boolean {
    if (keypair !== this.next) return false;
    this.#replacePrevious(this.current);
    this.current = keypair;
    this.next = null;
    return true;
  }

  wipe(): void {
    for (const keypair of [this.current, this.previous, this.next]) this.#drop(keypair);
    this.current = this.previous = this.next = null;
  }

  #replacePrevious(keypair: Keypair | null): void {
    this.#drop(this.previous);
    this.previous = keypair;
  }

  #drop(keypair: Keypair | null): void {
    if (keypair === null) return;
    keypair.wipe();
    this.#release(keypair.localIndex);
  }
}
