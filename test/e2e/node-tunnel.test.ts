/**
 * The tunnel from a client in Node, through the real product, to its demo service: what travels in it, what is on the
 * wire meanwhile, and how it lives on while keys and credentials change. Epochs last 2 s here and credentials 5 s.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { unbase64url, utf8 } from '../../protocol/bytes.ts';
import { systemClock } from '../../server/channel/system-clock.ts';
import { downloadBytes } from '../../server/connector/demo/transfers.ts';
import {
  begin,
  connect,
  digestOf,
  fetchThrough,
  keepAlive,
  TunnelWebSocket,
  trustedGateway,
} from './support/node-client.ts';
import { type DecodedRecord, decodeSession, openRecord } from './support/node-decoder.ts';
import { Recorder } from './support/node-recorder.ts';
import { serviceA, World } from './support/node-world.ts';

const mebibyte = 2 ** 20;
const credentialS = 5;

let world: World;

before(async () => {
  world = await World.start({
    LATCHKEY_REKEY_AFTER_S: '2',
    LATCHKEY_CREDENTIAL_S: String(credentialS),
    LATCHKEY_REAUTH_GRACE_S: '1',
  });
});
after(() => world?.[Symbol.asyncDispose]());

/** SHA-256 of the demo's download of this length, computed here. */
function expectedDigest(bytes: number): string {
  const hash = createHash('sha256');
  for (const chunk of downloadBytes(bytes)) hash.update(chunk);
  return hash.digest('hex');
}

test('BR-1: a GET answers with what the gateway says of the visitor', async () => {
  const session = await world.session();
  const { status, body } = await fetchThrough(session, serviceA, '/whoami');
  const told = JSON.parse(body.toString()) as Record<string, unknown>;
  assert.equal(status, 200);
  assert.deepEqual([told['user'], told['device']], [world.admin.user, world.admin.device]);
  session.close('done');
  assert.deepEqual(await session.closed, { code: 'done', byPeer: false, cut: false });
});

test('BR-1: a POST of 2 MiB arrives whole, and what a client says of itself does not', async () => {
  const session = await world.session();
  const body = randomBytes(2 * mebibyte);
  const posted = await fetchThrough(session, serviceA, { method: 'POST', target: '/upload', body });
  const sha256 = createHash('sha256').update(body).digest('hex');
  assert.deepEqual(JSON.parse(posted.body.toString()), { bytes: body.length, sha256 });
  const headers = [['x-latchkey-user', 'somebody else']] as const;
  const forged = await fetchThrough(session, serviceA, { target: '/whoami', headers });
  assert.equal((JSON.parse(forged.body.toString()) as { user: string }).user, world.admin.user);
  session.close('done');
});

test('BR-1: four downloads of 8 MiB at once arrive whole', async () => {
  const session = await world.session();
  const expected = { bytes: 8 * mebibyte, sha256: expectedDigest(8 * mebibyte) };
  const download = async () =>
    digestOf(await begin(session, serviceA, { target: `/download?bytes=${expected.bytes}` }));
  for (const got of await Promise.all(Array.from({ length: 4 }, download))) assert.deepEqual(got, expected);
  session.close('done');
});

test('BR-1: a WebSocket echoes text and binary and closes with its code', async () => {
  const session = await world.session();
  const socket = await TunnelWebSocket.open(session, serviceA, '/echo');
  const large = randomBytes(300_000);
  await socket.send(utf8('through the tunnel'), 'text');
  await socket.send(large);
  const [text, binary] = [await socket.receive(), await socket.receive()];
  assert.deepEqual([text?.opcode, Buffer.from(text?.payload ?? []).toString()], [1, 'through the tunnel']);
  assert.equal(binary?.opcode, 2);
  assert.ok(Buffer.from(binary.payload).equals(large));
  await socket.close();
  assert.deepEqual(await socket.receive(), { opcode: 8, payload: Uint8Array.of(0x03, 0xe8) });
  assert.equal(await socket.receive(), null);
  session.close('done');
});

test('QZ-16, QZ-14: an independent decoder opens each epoch by its own keys alone; QZ-17: the download is whole', async () => {
  const bytes = 8 * mebibyte;
  const recorder = new Recorder();
  const launched = await world.admin.launch(serviceA);
  const { tap, crypto } = recorder;
  const session = await connect(world.port, world.fingerprint, launched, { tap, crypto });
  keepAlive(world.admin, session, launched);
  const exchange = await begin(session, serviceA, { target: `/download?bytes=${bytes}` });
  // Reading waits for the next epoch twice, so that the body is spread over three.
  const inEpoch = (epoch: number) => recorder.until(({ from, bytes: [, low] }) => from === 'client' && low === epoch);
  const got = await digestOf(exchange, async (read) => {
    if (read > mebibyte) await inEpoch(1);
    if (read > 4 * mebibyte) await inEpoch(2);
  });
  const streamId = exchange.stream.id;
  assert.deepEqual(got, { bytes, sha256: expectedDigest(bytes) });
  const frames = [...recorder.frames];
  session.close('done');

  const gateway = await trustedGateway(launched.answer, world.fingerprint);
  const decoded = decodeSession({
    frames,
    sharedSecrets: recorder.sharedSecrets,
    gatewayKey: gateway.publicKey,
    sessionKey: launched.signer.publicKey,
    transport: 2,
  });
  assert.ok(Buffer.from(decoded.svid).equals(unbase64url(launched.answer.svid)));
  const down = decoded.records.filter(({ frame }) => frame.from === 'gateway' && frame.streamId === streamId);
  const ofEpoch = (epoch: number): DecodedRecord[] => down.filter((record) => record.epoch === epoch);
  for (const epoch of [0, 1, 2]) assert.ok(ofEpoch(epoch).length > 0, `no record of epoch ${epoch} was captured`);
  const [epoch0, epoch1] = decoded.epochs;
  let refused = 0;
  for (const { frame, counter } of ofEpoch(1)) {
    assert.ok(openRecord(epoch1!, frame, counter));
    // Once as epoch 0 would, once with nothing but the key of epoch 0.
    assert.equal(openRecord(epoch0!, frame, counter), undefined);
    assert.equal(openRecord({ ...epoch0!, number: 1 }, frame, counter), undefined);
    // And not under another counter of the right key.
    assert.equal(openRecord(epoch1!, frame, counter + 1), undefined);
    refused += 1;
  }
  assert.ok(refused > 50, `only ${refused} records were tried`);
  const body = createHash('sha256');
  for (const [at, { content }] of down.filter(({ kind }) => kind === 0x01).entries())
    body.update(at === 0 ? content.subarray(4 + Buffer.from(content).readUInt32BE(0)) : content);
  assert.equal(body.digest('hex'), got.sha256, 'what the decoder read is what the client read');
  assert.equal(down.filter(({ kind }) => kind === 0x02).length, 1, 'one authenticated end');
});

test('QZ-16: a key never seals two records under one counter, over all streams and epochs of a session', async () => {
  const recorder = new Recorder();
  const launched = await world.admin.launch(serviceA);
  const { tap, crypto } = recorder;
  const session = await connect(world.port, world.fingerprint, launched, { tap, crypto });
  const fetchFive = () => Promise.all(Array.from({ length: 5 }, () => fetchThrough(session, serviceA, '/whoami')));
  await fetchFive();
  session.requestRekey();
  await recorder.until(({ from, bytes: [, low] }) => from === 'client' && low === 1);
  await fetchFive();
  const gateway = await trustedGateway(launched.answer, world.fingerprint);
  const { records, epochs } = decodeSession({
    frames: [...recorder.frames],
    sharedSecrets: recorder.sharedSecrets,
    gatewayKey: gateway.publicKey,
    sessionKey: launched.signer.publicKey,
    transport: 2,
  });
  session.close('done');
  assert.ok(epochs.length >= 2);
  // Keys differ between places (the secrets are distinct and labelled), so a place and a counter name one nonce of one key.
  const seen = new Set(
    records.map(({ frame, epoch, counter }) => `${frame.from} ${frame.streamId} ${epoch} ${counter}`),
  );
  assert.equal(seen.size, records.length);
  assert.ok(records.length > 60, `only ${records.length} records`);
  const secrets = epochs.flatMap(({ S_c, S_g }) => [S_c, S_g]).map((secret) => Buffer.from(secret).toString('hex'));
  assert.equal(new Set(secrets).size, secrets.length);
});

test('a download outlives two credentials by renewal and REAUTH; a session that does not renew ends as expired', async () => {
  const bytes = 4 * mebibyte;
  const launched = await world.admin.launch(serviceA);
  const session = await connect(world.port, world.fingerprint, launched);
  const kept = keepAlive(world.admin, session, launched);
  const neglected = await connect(world.port, world.fingerprint, await world.admin.launch(serviceA));
  const cut = digestOf(await begin(neglected, serviceA, { target: `/download?bytes=${bytes}` }), () =>
    neglected.closed.then(),
  );
  cut.catch(() => undefined);

  // The second credential is issued soon after the first has lived for three fifths, and lives as long.
  const secondEnds = launched.answer.renewAfter + (credentialS + 1) * 1_000;
  const exchange = await begin(session, serviceA, { target: `/download?bytes=${bytes}` });
  const got = await digestOf(exchange, async (read) => {
    if (read < mebibyte || Date.now() > secondEnds) return;
    await new Promise<void>((resolve) => systemClock.after(secondEnds - Date.now() + 1, resolve));
  });
  assert.ok(Date.now() > secondEnds);
  assert.deepEqual(got, { bytes, sha256: expectedDigest(bytes) });
  assert.ok(kept.count >= 2, `renewed ${kept.count} times`);
  assert.ok(session.state.epoch >= 2, 'keys changed meanwhile');
  session.close('done');

  assert.deepEqual(await neglected.closed, { code: 'expired', byPeer: true, cut: false });
  await assert.rejects(cut, { name: 'StreamError' });
});

test('QPT-10: nothing secret of these runs stands in a log or a file', () => {
  world.assertNothingTold();
});
