/**
 * Full handshakes a second on one core, counting what the gateway does: key exchange, its composite signature, the
 * credential's and the client's, key schedule, two sealed messages. The client's work stands between and is not counted.
 */
import { transportByte } from '../../../protocol/carrier.ts';
import { ClientHandshake } from '../../../protocol/handshake-client.ts';
import { GatewayHandshake } from '../../../protocol/handshake-gateway.ts';
import { verifySvid } from '../../../protocol/svid.ts';
import { generateComposite } from '../../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { credentialFor, usualParams } from '../../support/introduction.ts';
import type { Figure } from '../figure.ts';
import { median } from '../interleaved.ts';
import { cpuNow } from './node.ts';

/** A gateway serves for weeks: the first ones, during which V8 compiles its half of the work, are not what is asked. */
const warmUp = 1_000;
const handshakes = 1_000;
const clock = { now: () => Date.now() };
const posture = new Uint8Array(40);

const [issuer, identity, session] = [generateComposite(), generateComposite(), generateComposite()];
const stealthKey = nodeCrypto.random(32);
const transport = transportByte.websocket;

export async function* gatewayFigures(): AsyncIterable<Figure> {
  const svid = await credentialFor(nodeCrypto, clock, issuer.signer, session.signer.publicKey, posture.subarray(0, 32));
  for (let i = 0; i < warmUp; i++) await gatewayMs(svid);
  const each: number[] = [];
  for (let i = 0; i < handshakes; i++) each.push(await gatewayMs(svid));
  yield { name: 'handshake.gateway_per_s_core', value: 1_000 / median(each), unit: '1/s' };
}

/** One handshake over INIT, RESP, AUTH and READY. @returns what the gateway's half took. */
async function gatewayMs(svid: Uint8Array): Promise<number> {
  const client = new ClientHandshake({
    crypto: nodeCrypto,
    transport,
    gateway: { publicKey: identity.signer.publicKey, stealthKey },
    identity: { svid, posture, signer: session.signer },
  });
  const init = client.start();
  let spent = 0;
  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    const began = cpuNow();
    const result = await work();
    spent += cpuNow() - began;
    return result;
  };
  const { gateway, answer } = await counted(async () => {
    const gateway = newGateway();
    return { gateway, answer: await gateway.receive(init) };
  });
  const auth = await client.receive(answer.send!);
  const ready = await counted(() => gateway.receive(auth.send!));
  if ((await client.receive(ready.send!)).established === undefined) throw new Error('the handshake did not complete');
  return spent;
}

function newGateway(): GatewayHandshake {
  return new GatewayHandshake({
    crypto: nodeCrypto,
    clock,
    transport,
    identities: [{ signer: identity.signer, stealthKeys: [stealthKey] }],
    verifySvid: (bytes) => verifySvid(nodeCrypto, clock, bytes, issuer.signer.publicKey),
    params: () => usualParams(nodeCrypto, clock),
  });
}
