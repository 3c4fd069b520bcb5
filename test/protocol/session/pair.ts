/**
 * Two sessions that meet in memory, without a handshake: both are given the same made-up epoch 0. What the sessions say
 * to each other is real. Also a peer without manners, which can seal anything.
 */
import assert from 'node:assert/strict';
import { concat, utf8 } from '../../../protocol/bytes.ts';
import type { Channel } from '../../../protocol/carrier.ts';
import type { Crypto, Signer } from '../../../protocol/crypto.ts';
import type { Established } from '../../../protocol/established.ts';
import type { SessionParams } from '../../../protocol/params.ts';
import { RecordLayer } from '../../../protocol/record-layer.ts';
import type { RecordLink } from '../../../protocol/record-link.ts';
import type { EpochSecrets } from '../../../protocol/schedule.ts';
import { Session } from '../../../protocol/session.ts';
import { recordLimits } from '../../../protocol/session-limits.ts';
import type { SessionHooks } from '../../../protocol/session-options.ts';
import type { IncomingStream, Stream } from '../../../protocol/stream.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type LoopbackLink, type LoopbackOptions, loopbackPair, type Side } from '../../support/loopback-carrier.ts';
import { params as defaultParams, now, signers, svidFields } from '../fixed-handshake.ts';

const secret = (name: string): Uint8Array => nodeCrypto.sha256(utf8(`session tests ${name}`));

/** A fresh copy each time, since sessions wipe theirs. */
export function epochZero(): EpochSecrets {
  return {
    number: 0,
    client: secret('client'),
    gateway: secret('gateway'),
    chain: secret('chain'),
    exporter: secret('exporter'),
    transcript: secret('transcript'),
  };
}

export type PairOptions = LoopbackOptions & {
  readonly cryptos?: { readonly client: Crypto; readonly gateway: Crypto };
  readonly params?: Partial<SessionParams>;
  readonly client?: SessionHooks;
  readonly gateway?: SessionHooks;
  readonly clock?: FakeClock;
  /** How long the first credential and the session's terms last. */
  readonly lifeMs?: number;
  /** In place of the session key and of the gateway's. */
  readonly signer?: Signer;
  readonly gatewaySigner?: Signer;
  /** Sees the secrets that each session is given. */
  readonly onEpoch?: (epoch: EpochSecrets) => void;
};

function establishedOf(role: Side, { lifeMs = 600_000, ...options }: PairOptions): Established {
  const ends = now + lifeMs;
  const params = { ...defaultParams, reauthBy: BigInt(ends), ...options.params };
  const peer =
    role === 'client'
      ? { gatewayPublicKey: signers.gateway.publicKey }
      : ({ ...svidFields, notAfter: ends, verified: true } as const);
  const epoch = epochZero();
  options.onEpoch?.(epoch);
  return { epoch, params, peer, sessionPublicKey: signers.session.publicKey };
}

/** One side only; the other is the test's. */
export function newSession(role: Side, link: LoopbackLink, control: Channel, options: PairOptions) {
  return new Session({
    ...options[role],
    crypto: options.cryptos?.[role] ?? nodeCrypto,
    clock: options.clock ?? new FakeClock(),
    carrier: link[role],
    control,
    established: establishedOf(role, options),
    role,
    signer: options.signer ?? signers.session,
    gatewaySigner: options.gatewaySigner ?? signers.gateway,
  });
}

/** Both sides. `accepted` yields the gateway's streams in the order in which they were opened. */
export async function newPair(given: PairOptions = {}) {
  const clock = given.clock ?? new FakeClock();
  const incoming = new Arrivals<IncomingStream>();
  const gatewayHooks: SessionHooks = { onOpen: (stream) => incoming.push(stream), ...given.gateway };
  const options = { ...given, clock, gateway: gatewayHooks };
  const link = loopbackPair(options);
  const clientControl = link.client.open(0n);
  const gatewayControl = (await link.gateway.accept())!;
  const gateway = newSession('gateway', link, gatewayControl, options);
  const client = newSession('client', link, clientControl, options);
  const open = async (kind: 'http' | 'tcp' | 'udp' = 'tcp'): Promise<{ client: Stream; gateway: Stream }> => {
    const opening = client.open({ kind, service: 'wiki' });
    opening.catch(() => {}); // it may fail while the gateway waits for it
    const accepted = await (await incoming.next()).accept();
    return { client: await opening, gateway: accepted };
  };
  return { clock, link, client, gateway, incoming, open };
}

/** What happens, for whoever waits for it. */
export class Arrivals<T> {
  readonly #waiting: T[] = [];
  #wake: ((value: T) => void) | undefined;

  push(value: T): void {
    if (this.#wake) this.#wake(value);
    else this.#waiting.push(value);
    this.#wake = undefined;
  }

  next(): Promise<T> {
    const value = this.#waiting.shift();
    if (value !== undefined) return Promise.resolve(value);
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }
}

/** A session on one side, and on the other the keys without the rules. */
export async function newRawPeer(role: Side, options: PairOptions & { onFatal?: (error: unknown) => void } = {}) {
  const clock = options.clock ?? new FakeClock();
  const link = loopbackPair(options);
  const [victimSide, rawSide] = role === 'client' ? (['gateway', 'client'] as const) : (['client', 'gateway'] as const);
  const layer = new RecordLayer({
    crypto: nodeCrypto,
    clock,
    role,
    first: epochZero(),
    rejectAfterMs: 180_000,
    rekeyAfterBytes: 2 ** 36,
    limits: recordLimits,
    onWorn: () => {},
    onExpired: () => {},
    onSwept: () => {},
    onFatal: options.onFatal ?? ((error) => assert.fail(String(error))),
  });
  const clientControl = link.client.open(0n);
  const gatewayControl = (await link.gateway.accept())!;
  const controls = { client: clientControl, gateway: gatewayControl };
  const victim = newSession(victimSide, link, controls[victimSide], { ...options, clock });
  const open = (id: bigint): RecordLink => layer.link(link[rawSide].open(id));
  return { clock, link, layer, victim, control: layer.link(controls[rawSide]), open };
}

/** Reads to the end. */
export async function readAll(stream: Stream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await stream.read(); chunk; chunk = await stream.read()) chunks.push(chunk);
  return concat(...chunks);
}
