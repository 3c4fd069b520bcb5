/**
 * The second implementation against the product, in both directions: its client and the product's gateway on
 * node:crypto, the product's client on the Wasm and its gateway. Whole sessions: handshake with and without RETRY, data
 * beyond the credit both ways, rekeys, REAUTH, the exporter, every way to end.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { acceptGateway } from '../../../protocol/accept-gateway.ts';
import { type ConnectClientOptions, connectClient } from '../../../protocol/connect-client.ts';
import { encodeParams } from '../../../protocol/params.ts';
import { CookieKeys } from '../../../protocol/retry.ts';
import type { Session } from '../../../protocol/session.ts';
import type { IncomingStream, Stream } from '../../../protocol/stream.ts';
import { signSvid, verifySvid } from '../../../protocol/svid.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { wasmCrypto } from '../../../wasm/crypto.ts';
import * as fixed from '../../protocol/fixed-handshake.ts';
import { Arrivals, readAll } from '../../protocol/session/pair.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { freshKernel } from '../../wasm/under-test.ts';
import { carrierTo, Far, namedKey } from './meeting.ts';

const webSocket = 2;
/** So few that the product finds them before its first pause, which a clock that stands still would never end. */
const fewBits = 4;
const [sessionKey, gatewayKey] = [namedKey('session'), namedKey('gateway')];
const { posture, stealthKey, svid } = fixed;
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
/** More than two credits, and no multiple of a record. */
const large = new Uint8Array(randomBytes(700_001));
const context = new TextEncoder().encode('a nonce');
const life = { notBefore: fixed.now - 1_000, notAfter: fixed.now + 900_000 };
const renewed = await signSvid(nodeCrypto, fixed.signers.issuer, { ...fixed.svidFields, ...life });

const believe = (bytes: Uint8Array) => verifySvid(nodeCrypto, fixed.clock, bytes, fixed.signers.issuer.publicKey);

/** Its client at the product's gateway. */
async function theirClient(options: { retry?: number } = {}) {
  const incoming = new Arrivals<IncomingStream>();
  const renewals = new Arrivals<Uint8Array>();
  const { carrier, far } = carrierTo('client', (send) =>
    Far.client(
      { transport: webSocket, gatewayKey: gatewayKey.publicKey, stealth: stealthKey, key: sessionKey, svid, posture },
      send,
    ),
  );
  const clock = new FakeClock(fixed.now);
  const { retry } = options;
  const accepting = acceptGateway({
    carrier,
    crypto: nodeCrypto,
    clock,
    identities: [{ signer: fixed.signers.gateway, stealthKeys: [stealthKey] }],
    verifySvid: believe,
    params: () => fixed.params,
    ...(retry !== undefined && {
      retry: { keys: new CookieKeys(nodeCrypto, clock), address: '192.0.2.1', demand: () => retry },
    }),
    session: {
      onOpen: (stream) => incoming.push(stream),
      verifyReauth: believe,
      onReauth: ({ serial }) => renewals.push(serial),
    },
  });
  far.peer.start();
  const [session, { opened }] = await Promise.all([accepting, far.until('ready')]);
  return { far, session, incoming, renewals, opened, lost: () => carrier.lost() };
}

/** The product's client, on the Wasm, at its gateway. */
async function theirGateway(options: { retry?: number; session?: ConnectClientOptions['session'] } = {}) {
  const { carrier, far } = carrierTo('gateway', (send) =>
    Far.gateway(
      {
        transport: webSocket,
        key: gatewayKey,
        stealth: stealthKey,
        params: encodeParams(fixed.params),
        now: () => fixed.now,
        sessionKeyOf: (bytes) => bytes.slice(41, 41 + 1984),
        ...(options.retry !== undefined && { retry: { difficulty: options.retry, address: '192.0.2.1' } }),
      },
      send,
    ),
  );
  far.peer.start();
  const { random, verify } = nodeCrypto;
  const connecting = connectClient({
    carrier,
    crypto: wasmCrypto(freshKernel().kernel, { random, verify }),
    clock: new FakeClock(fixed.now),
    gateway: { publicKey: fixed.signers.gateway.publicKey, stealthKey },
    identity: { svid, posture, signer: fixed.signers.session },
    ...(options.session && { session: options.session }),
  });
  const [session, { opened }] = await Promise.all([connecting, far.until('ready')]);
  return { far, session, opened };
}

async function inBothDirections(far: Far, id: bigint, stream: Stream): Promise<void> {
  const reading = readAll(stream);
  far.peer.write(id, large);
  const writing = stream.write(large).then(() => stream.finish());
  assert.equal(digest(await far.body(id)), digest(large), 'from the product');
  await writing;
  assert.ok(far.peer.isDrained(id), 'the product gave credit for all of it');
  far.peer.fin(id);
  assert.equal(digest(await reading), digest(large), 'to the product');
}

function sameExporter(far: Far, session: Session): void {
  assert.deepEqual(session.exporter('webauthn', context), far.peer.exporter('webauthn', context));
}

test('QZ-11: both have the same keys for the same seeds', () => {
  assert.deepEqual(sessionKey.publicKey, fixed.signers.session.publicKey);
  assert.deepEqual(gatewayKey.publicKey, fixed.signers.gateway.publicKey);
});

for (const retry of [undefined, 0, fewBits])
  test(`QZ-11: its client and our gateway open a session, asked for ${retry ?? 'no cookie and no puzzle'} bits`, async () => {
    const { far, session, opened } = await theirClient(retry === undefined ? {} : { retry });
    assert.deepEqual(opened.params, encodeParams(fixed.params));
    assert.equal((session.peer as { service: string }).service, 'wiki');
    sameExporter(far, session);
    session.close('going_away');
    assert.equal((await far.until('close')).code, 17);
  });

test('QZ-11: its client and our gateway: data both ways across three rekeys, either side asking', async () => {
  const { far, session, incoming, lost } = await theirClient();
  for (const [round, ask] of [() => far.peer.rekey(), () => session.requestRekey(), () => far.peer.rekey()].entries()) {
    const id = far.peer.open('wiki');
    const request = await incoming.next();
    assert.deepEqual([request.kind, request.service, request.policyEpoch], ['tcp', 'wiki', fixed.params.policyEpoch]);
    const stream = await request.accept();
    await far.until('accepted');
    const moved = inBothDirections(far, id, stream);
    ask();
    await moved;
    assert.equal(far.peer.epoch, round + 1);
    assert.equal(session.state.epoch, round + 1);
    sameExporter(far, session);
  }
  far.peer.close(0);
  // The gateway has ended its control stream, and it is the client that closes the transport.
  while ((await far.until('end')).id !== 0n);
  lost();
  assert.deepEqual(await session.closed.then(({ code, byPeer }) => [code, byPeer]), ['done', true]);
});

test('QZ-11: its client renews at our gateway by REAUTH, in the epoch after a rekey', async () => {
  const { far, session, renewals } = await theirClient();
  far.peer.rekey();
  await far.until('epoch');
  far.peer.reauth(renewed);
  await far.until('reauthenticated');
  assert.deepEqual(await renewals.next(), fixed.svidFields.serial);
  assert.equal((session.peer as { notAfter: number }).notAfter, life.notAfter);
});

test('QZ-11: its client and our gateway: a stream refused, one reset by either side', async () => {
  const { far, session, incoming } = await theirClient();
  far.peer.open('wiki');
  (await incoming.next()).refuse('denied', new Uint8Array(16).fill(7));
  assert.equal((await far.until('refused')).code, 1);
  const ours = far.peer.open('wiki');
  const first = await (await incoming.next()).accept();
  far.peer.reset(ours, 0);
  await assert.rejects(readAll(first), { code: 'cancelled' });
  far.peer.open('wiki');
  (await (await incoming.next()).accept()).reset('timeout');
  assert.equal((await far.until('reset')).code, 9);
  session.notice(context);
  assert.deepEqual((await far.until('notice')).bytes, context);
});

for (const retry of [undefined, 0, fewBits])
  test(`QZ-11: our client on the Wasm and its gateway open a session, asked for ${retry ?? 'no cookie and no puzzle'} bits`, async () => {
    const { far, session, opened } = await theirGateway(retry === undefined ? {} : { retry });
    assert.deepEqual(opened.svid, svid);
    assert.deepEqual(session.params, fixed.params);
    sameExporter(far, session);
    far.peer.close(17);
    assert.deepEqual(await session.closed.then(({ code, byPeer }) => [code, byPeer]), ['going_away', true]);
  });

test('QZ-11: our client on the Wasm and its gateway: data both ways across three rekeys, either side asking', async () => {
  const { far, session } = await theirGateway();
  for (const [round, ask] of [
    () => session.requestRekey(),
    () => far.peer.rekey(),
    () => session.requestRekey(),
  ].entries()) {
    const opening = session.open({ kind: 'http', service: 'wiki' });
    const request = await far.until('open');
    assert.deepEqual([request.kind, request.service], [1, 'wiki']);
    far.peer.accept(request.id);
    const moved = inBothDirections(far, request.id, await opening);
    ask();
    await moved;
    assert.equal(far.peer.epoch, round + 1);
    assert.equal(session.state.epoch, round + 1);
    sameExporter(far, session);
  }
});

test('QZ-11: our client renews at its gateway by REAUTH, and hears its refusals, resets and notices', async () => {
  const notices = new Arrivals<Uint8Array>();
  const { far, session } = await theirGateway({ session: { onNotice: (bytes) => notices.push(bytes) } });
  const renewing = session.reauth(renewed);
  assert.deepEqual((await far.until('reauth')).svid, renewed);
  await renewing;
  const whole = large.subarray(0, 100_000);
  const ahead = session.open({ kind: 'http', service: 'wiki', whole });
  const asked = await far.until('open');
  assert.deepEqual(await far.body(asked.id), whole, 'sent ahead of the answer');
  far.peer.accept(asked.id);
  far.peer.fin(asked.id);
  assert.deepEqual(await readAll(await ahead), new Uint8Array(0));
  const refused = session.open({ kind: 'tcp', service: 'wiki' });
  far.peer.refuse((await far.until('open')).id, 10);
  await assert.rejects(refused, { code: 'policy_stale' });
  const opening = session.open({ kind: 'tcp', service: 'wiki' });
  const { id } = await far.until('open');
  far.peer.accept(id);
  const stream = await opening;
  far.peer.reset(id, 5);
  await assert.rejects(stream.read(), { code: 'upstream_failed' });
  far.peer.notice(context);
  assert.deepEqual(await notices.next(), context);
  session.close('done');
  assert.equal((await far.until('close')).code, 0);
});
