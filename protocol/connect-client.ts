/**
 * From an open carrier to a session, the client's side: stream 0, the handshake on it, ten seconds in all
 * (docs/protocol.md, "Shape" and "States"). Which transport carries it was decided before.
 */
import { type Carrier, CarrierError, type Channel } from './carrier.ts';
import type { Clock } from './clock.ts';
import type { Crypto, Signer } from './crypto.ts';
import { asHandshakeError, type Established, HandshakeError } from './established.ts';
import { ClientHandshake } from './handshake-client.ts';
import { handshakeMs } from './limits.ts';
import { Session } from './session.ts';
import type { SessionHooks } from './session-options.ts';
import type { AbortSignalLike } from './session-streams.ts';

export type ConnectClientOptions = {
  readonly carrier: Carrier;
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** From a verified gateway descriptor. */
  readonly gateway: { readonly publicKey: Uint8Array; readonly stealthKey: Uint8Array };
  /** `posture`: SHA-256(statement) 32 | time u64. `signer`: the session key that `svid` certifies. */
  readonly identity: { readonly svid: Uint8Array; readonly posture: Uint8Array; readonly signer: Signer };
  readonly session?: SessionHooks;
  /** Gives up at any point of the handshake; a session that stands already is the caller's. */
  readonly signal?: AbortSignalLike | undefined;
};

/**
 * @returns the open session; the carrier belongs to it.
 * @throws HandshakeError; the carrier is closed then. 'idle' when the gateway did not finish within ten seconds,
 * 'going_away' when the transport ended first or the caller gave up.
 */
export async function connectClient(options: ConnectClientOptions): Promise<Session> {
  const { carrier, clock, crypto, gateway, identity, signal } = options;
  const pause = () => new Promise<void>((resolve) => clock.after(0, resolve));
  const handshake = new ClientHandshake({ crypto, transport: carrier.transport, gateway, identity, pause });
  const run = async (): Promise<Session> => {
    const control = carrier.open(0n);
    await control.send(handshake.start());
    const established = await converse(control, (frame) => handshake.receive(frame));
    const { signer } = identity;
    return new Session({ ...options.session, crypto, clock, carrier, control, established, role: 'client', signer });
  };
  const giveUp = (): void => {
    handshake.wipe();
    carrier.close();
  };
  if (signal?.aborted) giveUp();
  signal?.addEventListener('abort', giveUp);
  try {
    return await withinHandshakeTime(clock, carrier, handshake, run);
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

/** Frames in, frames out, until the handshake has a result. */
export async function converse(
  control: Channel,
  receive: (frame: Uint8Array) => Promise<{ readonly send?: Uint8Array; readonly established?: Established }>,
): Promise<Established> {
  for (;;) {
    const frame = await control.receive();
    if (frame === null) throw new HandshakeError('going_away');
    const { send, established } = await receive(frame);
    if (send) await control.send(send);
    if (established) return established;
  }
}

/** Whatever goes wrong, nothing of the attempt is left: no secrets, no transport, no timer. */
export async function withinHandshakeTime(
  clock: Clock,
  carrier: Carrier,
  handshake: { wipe(): void },
  run: () => Promise<Session>,
): Promise<Session> {
  let isLate = false;
  const cancel = clock.after(handshakeMs, () => {
    isLate = true;
    handshake.wipe();
    carrier.close();
  });
  try {
    return await run();
  } catch (cause) {
    handshake.wipe();
    carrier.close();
    throw isLate ? new HandshakeError('idle', undefined, { cause }) : failure(cause);
  } finally {
    cancel();
  }
}

/** A transport that ended is as good as one that was never there; what is not even a frame is not. */
function failure(cause: unknown): HandshakeError {
  if (!(cause instanceof CarrierError)) return asHandshakeError(cause);
  return new HandshakeError(cause.code === 'malformed' ? 'decode' : 'going_away', undefined, { cause });
}
