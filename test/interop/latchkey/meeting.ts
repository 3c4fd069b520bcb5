/**
 * Where the second implementation meets the product: message sockets in memory or a real WebSocket on one side, and on
 * the other a {@link Peer} whose happenings can be awaited. This file knows both; the implementation knows only itself.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { MessageCarrier } from '../../../protocol/message-carrier.ts';
import { Arrivals } from '../../protocol/session/pair.ts';
import { type ClientSetup, clientHandshake, type GatewaySetup, gatewayHandshake } from './handshake.ts';
import { type Happening, Peer } from './peer.ts';
import { type Draw, H, signingKey } from './suite.ts';

const fresh: Draw = (_purpose, bytes) => new Uint8Array(randomBytes(bytes));

/** The key that test/protocol/fixed-handshake.ts has under the same name, made here from the same seeds. */
export const namedKey = (name: string) => {
  const seed = (kind: string) => H(new TextEncoder().encode(`${name} ${kind}`));
  return signingKey(seed('ml-dsa'), seed('ed25519'));
};

/** A peer and what happens to it. */
export class Far {
  readonly peer: Peer;
  readonly #arrivals = new Arrivals<Happening>();

  private constructor(make: (on: (happening: Happening) => void) => Peer) {
    this.peer = make((happening) => this.#arrivals.push(happening));
  }

  static client(setup: Omit<ClientSetup, 'draw'>, send: (message: Uint8Array) => void): Far {
    const handshake = clientHandshake({ ...setup, draw: fresh });
    const { key, gatewayKey } = setup;
    return new Far((on) => new Peer({ role: 'client', draw: fresh, key, gatewayKey, handshake, send, on }));
  }

  static gateway(setup: Omit<GatewaySetup, 'draw'>, send: (message: Uint8Array) => void): Far {
    const handshake = gatewayHandshake({ ...setup, draw: fresh });
    const { key } = setup;
    const gatewayKey = key.publicKey;
    return new Far((on) => new Peer({ role: 'gateway', draw: fresh, key, gatewayKey, handshake, send, on }));
  }

  /** The next happening of a kind; a close or a violation instead of it is a failure, anything else is passed over. */
  async until<W extends Happening['what']>(what: W): Promise<Extract<Happening, { what: W }>> {
    for (;;) {
      const next = await this.#arrivals.next();
      if (next.what === what) return next as Extract<Happening, { what: W }>;
      if (next.what === 'close' || next.what === 'violation')
        assert.fail(`instead of ${what}: ${JSON.stringify(next)}`);
    }
  }

  /** Everything of one stream up to its FIN. */
  async body(id: bigint): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (;;) {
      const next = await this.#arrivals.next();
      if (next.what === 'data' && next.id === id) parts.push(next.bytes);
      else if (next.what === 'fin' && next.id === id) return new Uint8Array(Buffer.concat(parts));
      else if (next.what === 'close' || next.what === 'violation') assert.fail(JSON.stringify(next));
    }
  }
}

/** The product's carrier with a peer at its other end. `far` says what goes where once both exist. */
export function carrierTo(role: 'client' | 'gateway', make: (send: (message: Uint8Array) => void) => Far) {
  const carrier = new MessageCarrier({
    socket: {
      // Each message in a turn of its own, as from a network.
      send: (message) => queueMicrotask(() => far.peer.take(message)),
      bufferedBytes: 0,
      whenDrained: (run) => run(),
      pause: () => {},
      resume: () => {},
      close: () => {},
    },
    peer: role,
    bufferedBytes: 1 << 20,
    pauseAboveBytes: 1 << 20,
    refuseAboveBytes: 8 << 20,
    channels: 64,
    onMalformed: () => assert.fail('the product took a message for malformed'),
  });
  const far = make((message) => queueMicrotask(() => carrier.message(message)));
  return { carrier, far };
}
