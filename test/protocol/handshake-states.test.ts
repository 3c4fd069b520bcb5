/** The order of messages, the life of a handshake object, and what is left in memory when it ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, isZero } from '../../protocol/bytes.ts';
import type { Crypto, KeyAnswer, KeyOffer } from '../../protocol/crypto.ts';
import { HandshakeError, type HandshakeStep } from '../../protocol/established.ts';
import type { ClientHandshake } from '../../protocol/handshake-client.ts';
import { encodeFrame, encodeReject } from '../../protocol/handshake-frame.ts';
import type { GatewayHandshake } from '../../protocol/handshake-gateway.ts';
import { CookieKeys } from '../../protocol/retry.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import * as fixed from './fixed-handshake.ts';

const retry = () => ({ keys: new CookieKeys(fixed.fixedCrypto, fixed.clock), address: '192.0.2.1', demand: () => 4 });
const retryFrame = fixed.sent(await fixed.newGateway({ retry: retry() }).receive(fixed.messages.init));
const clientForRetry = await fixed.waiting.resp();
const initWithCookie = fixed.sent(await clientForRetry.receive(retryFrame));

/** Twelve kinds of message, each valid somewhere or nowhere. */
const kinds: Record<string, Uint8Array> = {
  ...fixed.messages,
  retry: retryFrame,
  'init with cookie': initWithCookie,
  reject: encodeReject('too_many'),
  'type 0': Uint8Array.of(0, 0, 0, 0),
  'type 7': Uint8Array.of(7, 0, 0, 0),
  record: concat(Uint8Array.of(0x17, 0, 0, 32), new Uint8Array(32)),
  nothing: new Uint8Array(0),
  'empty ready': encodeFrame('ready', new Uint8Array(0)),
};

/** All sequences that a role takes without failing, each with whether it established; failures are checked to be final. */
async function legalSequences(
  make: () => Promise<ClientHandshake | GatewayHandshake>,
  sequence: string[] = [],
): Promise<string[]> {
  const found: string[] = [];
  for (const kind of Object.keys(kinds)) {
    const peer = await make();
    for (const earlier of sequence) await peer.receive(kinds[earlier]!);
    const path = [...sequence, kind];
    const result = await peer.receive(kinds[kind]!).catch((error: unknown) => error);
    if (result instanceof HandshakeError) {
      await assert.rejects(peer.receive(kinds[kind]!), TypeError, `${path.join()} left a usable object`);
      continue;
    }
    assert.ok(!(result instanceof Error), `${path.join()}: ${result}`);
    const done = (result as HandshakeStep).established !== undefined;
    found.push(`${path.join(' > ')}${done ? ' = open' : ''}`);
    if (!done && path.length < 5) found.push(...(await legalSequences(make, path)));
  }
  return found;
}

test('QHX-4: of all sequences of twelve kinds of message a client takes only the legal ones', async () => {
  assert.equal(Object.keys(kinds).length, 12);
  // The recorded RESP answers the INIT without a cookie, so after RETRY it is one more wrong message.
  assert.deepEqual(await legalSequences(fixed.waiting.resp), ['resp', 'resp > ready = open', 'retry']);
});

test('QHX-4: of all sequences of twelve kinds of message a gateway takes only the legal ones', async () => {
  assert.deepEqual(await legalSequences(fixed.waiting.init), ['init', 'init > auth = open']);
});

test('QHX-4: a gateway under load asks for its cookie, and goes on only with it', async () => {
  const make = async () => {
    const used = retry();
    // Makes the key that the recorded cookie is under, the same each time; each cookie is good once.
    await fixed.newGateway({ retry: used }).receive(fixed.messages.init);
    return fixed.newGateway({ retry: used });
  };
  assert.deepEqual(await legalSequences(make), ['init', 'init > init with cookie', 'init with cookie']);
});

test('an object that finished refuses everything', async () => {
  const [client, gateway] = [fixed.newClient(), fixed.newGateway()];
  await fixed.complete(client, gateway);
  assert.throws(() => client.start(), TypeError);
  await assert.rejects(client.receive(fixed.messages.ready), TypeError);
  await assert.rejects(gateway.receive(fixed.messages.auth), TypeError);
  await assert.rejects(gateway.receive(fixed.messages.init), TypeError);
});

test('an object that was wiped or not started refuses messages, and starts once', async () => {
  await assert.rejects(fixed.newClient().receive(fixed.messages.resp), TypeError);
  for (const name of ['init', 'resp', 'auth', 'ready'] as const) {
    const peer = await fixed.waiting[name]();
    peer.wipe();
    await assert.rejects(peer.receive(fixed.messages[name]), TypeError);
  }
  const started = fixed.newClient();
  started.start();
  assert.throws(() => started.start(), TypeError);
});

test('a second message while the first is at work is refused, and the first goes on', async () => {
  const client = await fixed.waiting.resp();
  const first = client.receive(fixed.messages.resp);
  await assert.rejects(client.receive(fixed.messages.resp), TypeError);
  assert.ok((await first).send);
});

test('giving up while a message is at work ends it with going_away', async () => {
  for (const name of ['init', 'resp', 'auth'] as const) {
    const peer = await fixed.waiting[name]();
    const working = peer.receive(fixed.messages[name]);
    peer.wipe();
    await assert.rejects(working, { name: 'HandshakeError', code: 'going_away' });
    await assert.rejects(peer.receive(fixed.messages[name]), TypeError);
  }
});

/** A Crypto that remembers every secret it hands out and every key handle, to look at them afterwards. */
function watched(): { crypto: Crypto; secrets: Uint8Array[]; openHandles: Set<object> } {
  const secrets: Uint8Array[] = [];
  const openHandles = new Set<object>();
  const keep = (secret: Uint8Array): Uint8Array => {
    secrets.push(secret);
    return secret;
  };
  const tracked = <T extends { wipe(): void }>(handle: T): T => {
    openHandles.add(handle);
    const wipe = handle.wipe.bind(handle);
    handle.wipe = () => {
      openHandles.delete(handle);
      wipe();
    };
    return handle;
  };
  const watchOffer = (offer: KeyOffer): KeyOffer =>
    tracked({ share: offer.share, finish: (answer) => keep(offer.finish(answer)), wipe: () => offer.wipe() });
  const watchAnswer = (answer: KeyAnswer): KeyAnswer => ({ share: answer.share, secret: keep(answer.secret) });
  const crypto: Crypto = {
    ...nodeCrypto,
    extract: (salt, ikm) => keep(nodeCrypto.extract(salt, ikm)),
    expand: (key, info, length) => keep(nodeCrypto.expand(key, info, length)),
    offer: () => watchOffer(nodeCrypto.offer()),
    answer: (share) => watchAnswer(nodeCrypto.answer(share)),
    sealer: (key) => tracked(nodeCrypto.sealer(key)),
    opener: (key) => tracked(nodeCrypto.opener(key)),
  };
  return { crypto, secrets, openHandles };
}

test('after a handshake nothing secret is left but the first epoch', async () => {
  const [client, gateway] = [watched(), watched()];
  const done = await fixed.complete(
    fixed.newClient({ crypto: client.crypto }),
    fixed.newGateway({ crypto: gateway.crypto }),
  );
  for (const [side, { epoch }] of [
    [client, done.client],
    [gateway, done.gateway],
  ] as const) {
    const epochSecrets = new Set([epoch.client, epoch.gateway, epoch.chain, epoch.exporter]);
    const left = side.secrets.filter((secret) => !isZero(secret));
    assert.ok(side.secrets.length > 8);
    assert.deepEqual(new Set(left), epochSecrets);
    assert.equal(side.openHandles.size, 0);
  }
});

test('a handshake that fails or is given up leaves nothing secret at all, wherever it stops', async () => {
  for (const [stop, give] of [0, 1, 2, 3].flatMap((at) => [[at, 'damage'] as const, [at, 'wipe'] as const])) {
    const [c, g] = [watched(), watched()];
    const [client, gateway] = [fixed.newClient({ crypto: c.crypto }), fixed.newGateway({ crypto: g.crypto })];
    const peers = [gateway, client, gateway, client];
    let frame = client.start();
    for (let at = 0; at < stop; at++) frame = fixed.sent(await peers[at]!.receive(frame));
    if (give === 'damage') {
      frame[frame.length - 1]! ^= 1;
      await assert.rejects(peers[stop]!.receive(frame), HandshakeError);
    }
    client.wipe();
    gateway.wipe();
    const left = [...c.secrets, ...g.secrets].filter((secret) => !isZero(secret));
    // At the last step the gateway has established its epoch, which its caller owns.
    assert.equal(left.length, stop === 3 ? 4 : 0, `${give} at ${stop}`);
    assert.equal(c.openHandles.size + g.openHandles.size, 0, `${give} at ${stop}`);
  }
});
