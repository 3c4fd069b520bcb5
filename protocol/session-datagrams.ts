/**
 * The datagrams of a session: one flow for each UDP stream, under its stream's number, on a transport that has them
 * (docs/protocol.md, "Records": Datagrams). Whatever is wrong with one is dropped and counted; it never ends a session,
 * since anybody on the path can repeat, lose and make up datagrams.
 */
import type { Datagrams } from './carrier.ts';
import type { Crypto } from './crypto.ts';
import { type DatagramDrop, DatagramOpener, DatagramSealer, datagramBytes, readHeader } from './datagram.ts';
import { maxRecordBytes, oldDatagramMs } from './limits.ts';
import { other, type Role } from './record.ts';
import type { KeyHolder, RecordLayer } from './record-layer.ts';
import type { RecordLimits } from './session-limits.ts';

export type DatagramsHost = {
  readonly crypto: Crypto;
  readonly layer: RecordLayer;
  readonly role: Role;
  readonly transport: Datagrams;
  readonly limits: RecordLimits;
  /** A flow's key has ended before its epoch. */
  readonly onEnded: () => void;
};

/** How many were dropped, by reason. */
export type DatagramDrops = { readonly [Reason in DatagramDrop]: number };

export class SessionDatagrams {
  readonly host: DatagramsHost;
  readonly #flows = new Map<number, DatagramFlow>();
  readonly #drops = { malformed: 0, unknown: 0, late: 0, replayed: 0, forged: 0, ended: 0, full: 0 };

  constructor(host: DatagramsHost) {
    this.host = host;
    host.transport.onDatagram = (datagram) => this.#arrived(datagram);
  }

  get drops(): DatagramDrops {
    return this.#drops;
  }

  /**
   * The flow of this stream, until it is closed. Undefined for a stream whose number is no flow's.
   * @param take gets each content, a view; false when there is no room for it
   */
  open(streamId: bigint, take: (content: Uint8Array) => boolean): DatagramFlow | undefined {
    const number = Number(streamId);
    if (number > 0xffff_ffff) return undefined;
    const flow = new DatagramFlow(number, this, take);
    this.#flows.set(number, flow);
    this.host.layer.hold(flow);
    return flow;
  }

  close(flow: DatagramFlow): void {
    this.#flows.delete(flow.number);
    this.host.layer.release(flow);
  }

  /** @param datagram hostile */
  #arrived(datagram: Uint8Array): void {
    const drop = this.#take(datagram);
    if (drop !== undefined) this.#drops[drop]++;
  }

  #take(datagram: Uint8Array): DatagramDrop | undefined {
    const header = readHeader(datagram);
    if (header === undefined) return 'malformed';
    const flow = this.#flows.get(header.flow);
    if (flow === undefined) return 'unknown';
    const { epochs } = this.host.layer;
    const epoch = epochs.resolve(header.epochByte);
    if (!epochs.canOpen(epoch) || epochs.supersededForMs(epoch) > oldDatagramMs) return 'late';
    const opener = flow.openerOf(epoch);
    const wasEnded = opener.isEnded;
    const opened = opener.open(datagram, header);
    if (opener.isEnded && !wasEnded) this.host.onEnded();
    if (typeof opened === 'string') return opened;
    this.host.layer.opened(datagram.length, Number(header.counter) + 1);
    return flow.take(opened) ? undefined : 'full';
  }
}

/** One flow: its keys in each epoch, and who reads it. */
export class DatagramFlow implements KeyHolder {
  readonly number: number;
  readonly take: (content: Uint8Array) => boolean;
  readonly #session: SessionDatagrams;
  #sealer: DatagramSealer | undefined;
  readonly #openers = new Map<number, DatagramOpener>();
  #isOver = false;

  constructor(number: number, session: SessionDatagrams, take: (content: Uint8Array) => boolean) {
    this.number = number;
    this.#session = session;
    this.take = take;
  }

  /** Whether a content fits now; one that does not goes as a record of the stream. */
  fits(bytes: number): boolean {
    return bytes < maxRecordBytes && datagramBytes(bytes) <= this.#session.host.transport.maxBytes;
  }

  /** Sends it, or loses it. A key that may not seal ends the session. */
  send(content: Uint8Array): void {
    if (this.#isOver) return;
    const { layer, transport } = this.#session.host;
    try {
      const epoch = layer.epochs.sending; // one past its time throws here
      if (this.#sealer?.epoch !== epoch.number) this.#sealer = this.#newSealer();
      const datagram = this.#sealer.seal(content);
      layer.sealed(datagram.length, this.#sealer.count);
      transport.send(datagram);
    } catch (error) {
      layer.fail(error);
    }
  }

  #newSealer(): DatagramSealer {
    const { crypto, layer, role, limits } = this.#session.host;
    const { number: epoch, [role]: secret } = layer.epochs.sending;
    return new DatagramSealer(crypto, { role, flow: this.number, epoch, secret }, limits.maxRecordsPerKey);
  }

  /** The epoch has keys. */
  openerOf(epoch: number): DatagramOpener {
    const known = this.#openers.get(epoch);
    if (known !== undefined) return known;
    const { crypto, layer, limits } = this.#session.host;
    const role = other[this.#session.host.role];
    const place = { role, flow: this.number, epoch, secret: layer.epochs.opening(epoch)[role] };
    const opener = new DatagramOpener(crypto, place, limits.maxRecordsPerKey, limits.maxForgedDatagrams);
    this.#openers.set(epoch, opener);
    return opener;
  }

  close(): void {
    this.#session.close(this);
  }

  /** Datagrams that are late hold up no key. */
  mayReceive(): boolean {
    return false;
  }

  stopSealing(): void {
    this.#sealer?.wipe();
    this.#sealer = undefined;
  }

  retire(epoch: number): void {
    this.#openers.get(epoch)?.wipe();
    this.#openers.delete(epoch);
  }

  wipe(): void {
    this.#isOver = true;
    this.stopSealing();
    for (const epoch of this.#openers.keys()) this.retire(epoch);
  }
}
