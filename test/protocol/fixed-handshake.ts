/**
 * One handshake that always runs the same way, on node:crypto: fixed key exchange, fixed randomness, remembered
 * signatures. So each of its messages can be damaged thousands of times and offered to a fresh peer in the same state.
 */
import { createPrivateKey, createPublicKey, decapsulate, diffieHellman, type KeyObject } from 'node:crypto';
import { concat, copy, hex, utf8 } from '../../protocol/bytes.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { Crypto, KeyAnswer, KeyOffer, Signer } from '../../protocol/crypto.ts';
import type { HandshakeStep } from '../../protocol/established.ts';
import { ClientHandshake, type ClientHandshakeOptions } from '../../protocol/handshake-client.ts';
import { GatewayHandshake, type GatewayHandshakeOptions } from '../../protocol/handshake-gateway.ts';
import type { SessionParams } from '../../protocol/params.ts';
import { type ClientSvid, signSvid, verifySvid } from '../../protocol/svid.ts';
import { compositeFromSeeds } from '../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';

const derived = (name: string): Uint8Array => nodeCrypto.sha256(utf8(name));

/** Signs each message once and gives the same signature again, since OpenSSL's ML-DSA is hedged. */
export function rememberingSigner(name: string): Signer {
  const signer = compositeFromSeeds(derived(`${name} ml-dsa`), derived(`${name} ed25519`));
  const known = new Map<string, Promise<Uint8Array>>();
  return {
    publicKey: signer.publicKey,
    async sign(message, context) {
      const key = `${context} ${hex(nodeCrypto.sha256(message))}`;
      const signature = known.get(key) ?? signer.sign(message, context);
      known.set(key, signature);
      return copy(await signature);
    },
  };
}

export const signers = {
  gateway: rememberingSigner('gateway'),
  session: rememberingSigner('session'),
  issuer: rememberingSigner('issuer'),
};

export const now = 1_790_000_000_000;
export const clock: Clock = { now: () => now, monotonic: () => 0, after: () => () => {} };

const mlkem = createPrivateKey({
  key: concat(derived('d'), derived('z')),
  format: 'raw-seed',
  asymmetricKeyType: 'ml-kem-768',
});
const x25519 = createPrivateKey({ key: derived('x'), format: 'raw-private', asymmetricKeyType: 'x25519' });
const raw = (key: KeyObject): Uint8Array => createPublicKey(key).export({ format: 'raw-public' });
const share = concat(raw(mlkem), raw(x25519));

/** Always the same offer. */
function fixedOffer(): KeyOffer {
  return {
    share,
    finish(answer) {
      const peer = createPublicKey({ key: answer.subarray(1088), format: 'raw-public', asymmetricKeyType: 'x25519' });
      const agreed = diffieHellman({ privateKey: x25519, publicKey: peer });
      return concat(decapsulate(mlkem, answer.subarray(0, 1088)), agreed);
    },
    wipe() {},
  };
}

const fixedAnswer: KeyAnswer = nodeCrypto.answer(share);

/** node:crypto, but with fixed randomness; a changed offer gets a fresh answer, as it would in life. */
export const fixedCrypto: Crypto = {
  ...nodeCrypto,
  random: (length) => derived('random').slice(0, length),
  offer: fixedOffer,
  answer: (offered) =>
    hex(offered) === hex(share)
      ? { share: copy(fixedAnswer.share), secret: copy(fixedAnswer.secret) }
      : nodeCrypto.answer(offered),
};

export const posture = concat(derived('posture statement'), new Uint8Array(8));
export const stealthKey = derived('stealth');

export const svidFields: ClientSvid = {
  sessionPublicKey: signers.session.publicKey,
  deviceKeyHash: derived('device'),
  notBefore: now - 1_000,
  notAfter: now + 600_000,
  policyEpoch: 3n,
  amr: 3,
  postureHash: derived('posture statement'),
  serial: derived('serial').slice(0, 16),
  spiffeId: 'spiffe://latchkey.local/user/ada/device/1',
  service: 'wiki',
};
export const svid = await signSvid(nodeCrypto, signers.issuer, svidFields);

export const params: SessionParams = {
  sessionId: derived('session id').slice(0, 16),
  policyEpoch: 3n,
  rekeyAfterS: 120,
  rejectAfterS: 180,
  rekeyAfterBytes: 2n ** 30n,
  maxStreams: 256,
  maxRecord: 16_384,
  reauthBy: BigInt(now + 600_000),
};

export function newClient(options: Partial<ClientHandshakeOptions> = {}): ClientHandshake {
  return new ClientHandshake({
    crypto: fixedCrypto,
    transport: 3,
    gateway: { publicKey: signers.gateway.publicKey, stealthKey },
    identity: { svid, posture, signer: signers.session },
    ...options,
  });
}

export function newGateway(options: Partial<GatewayHandshakeOptions> = {}): GatewayHandshake {
  return new GatewayHandshake({
    crypto: fixedCrypto,
    clock,
    transport: 3,
    identities: [{ signer: signers.gateway, stealthKeys: [stealthKey] }],
    verifySvid: (bytes) => verifySvid(fixedCrypto, clock, bytes, signers.issuer.publicKey),
    params: () => params,
    ...options,
  });
}

/** Runs a handshake to its end and returns what was sent and what both sides got. */
export async function complete(client: ClientHandshake, gateway: GatewayHandshake) {
  const init = client.start();
  const resp = sent(await gateway.receive(init));
  const auth = sent(await client.receive(resp));
  const last = await gateway.receive(auth);
  const ready = sent(last);
  const { established } = await client.receive(ready);
  if (established === undefined || last.established === undefined) throw new Error('the handshake did not complete');
  return { messages: { init, resp, auth, ready }, client: established, gateway: last.established };
}

export function sent(step: HandshakeStep): Uint8Array {
  if (step.send === undefined) throw new Error('the step sent nothing');
  return step.send;
}

/** The messages of the one run. */
export const { messages } = await complete(newClient(), newGateway());

/** Fresh peers, each in the state in which it waits for the message of its name. */
export const waiting = {
  init: async (crypto = fixedCrypto) => newGateway({ crypto }),
  async resp(crypto = fixedCrypto) {
    const client = newClient({ crypto });
    client.start();
    return client;
  },
  async auth(crypto = fixedCrypto) {
    const gateway = newGateway({ crypto });
    await gateway.receive(messages.init);
    return gateway;
  },
  async ready(crypto = fixedCrypto) {
    const client = await waiting.resp(crypto);
    await client.receive(messages.resp);
    return client;
  },
};
