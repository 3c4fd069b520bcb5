/**
 * From an accepted carrier to a session, the gateway's side (docs/protocol.md, "Shape" and "States"). A sender that
 * proves nothing hears nothing: the carrier just closes.
 */
import type { Carrier, Channel } from './carrier.ts';
import type { Clock } from './clock.ts';
import { converse, withinHandshakeTime } from './connect-client.ts';
import type { Crypto, Signer } from './crypto.ts';
import { HandshakeError } from './established.ts';
import { GatewayHandshake, type GatewayHandshakeOptions } from './handshake-gateway.ts';
import { Session } from './session.ts';
import type { SessionHooks } from './session-options.ts';

export type AcceptGatewayOptions = {
  readonly carrier: Carrier;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly session?: SessionHooks;
} & Pick<GatewayHandshakeOptions, 'identities' | 'verifySvid' | 'onIdentified' | 'params' | 'admit' | 'retry'>;

/**
 * @returns the open session; the carrier belongs to it.
 * @throws HandshakeError; the carrier is closed then, after a REJECT where the protocol allows one.
 */
export async function acceptGateway(options: AcceptGatewayOptions): Promise<Session> {
  const { carrier, clock, crypto } = options;
  const used = signerInUse(options.identities);
  const handshake = new GatewayHandshake({ ...options, transport: carrier.transport, identities: used.identities });
  const run = async (): Promise<Session> => {
    const control = await controlChannel(carrier);
    try {
      const established = await converse(control, (frame) => handshake.receive(frame));
      const role = { role: 'gateway', gatewaySigner: used.signer() } as const;
      return new Session({ ...options.session, crypto, clock, carrier, control, established, ...role });
    } catch (error) {
      if (error instanceof HandshakeError && error.reject) await reject(control, error.reject);
      throw error;
    }
  };
  return withinHandshakeTime(clock, carrier, handshake, run);
}

async function controlChannel(carrier: Carrier): Promise<Channel> {
  const control = await carrier.accept();
  if (control === null) throw new HandshakeError('going_away');
  if (control.streamId !== 0n) throw new HandshakeError('silent');
  return control;
}

/** The transport may be gone already; the reason for closing stays the first one. */
async function reject(control: Channel, frame: Uint8Array): Promise<void> {
  await control.send(frame).catch(() => {});
  control.finish();
}

/** A gateway has two identities while one replaces the other; the one that signed RESP also answers REAUTH. */
function signerInUse(identities: GatewayHandshakeOptions['identities']): {
  readonly identities: GatewayHandshakeOptions['identities'];
  readonly signer: () => Signer | undefined;
} {
  const [only] = identities;
  if (only && identities.length === 1) return { identities, signer: () => only.signer };
  let last: Signer | undefined;
  const watched = identities.map(({ signer, stealthKeys }) => ({
    stealthKeys,
    signer: {
      publicKey: signer.publicKey,
      sign(message: Uint8Array, context: string): Promise<Uint8Array> {
        last = signer;
        return signer.sign(message, context);
      },
    },
  }));
  return { identities: watched, signer: () => last };
}
