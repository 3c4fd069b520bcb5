import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hex, unhex, utf8 } from '../../../protocol/bytes.ts';
import type { Crypto } from '../../../protocol/crypto.ts';
import { recordKind } from '../../../protocol/record.ts';
import { RecordLayer } from '../../../protocol/record-layer.ts';
import type { RecordLink } from '../../../protocol/record-link.ts';
import { ClientRekey, GatewayRekey } from '../../../protocol/rekey.ts';
import { exporterValue } from '../../../protocol/schedule.ts';
import { recordLimits } from '../../../protocol/session-limits.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';
import { loopbackPair, type Side } from '../../support/loopback-carrier.ts';
import { needsVectors } from '../../support/vectors.ts';
import { bytesOf, clientCrypto, fieldOf, gatewayCrypto } from '../known-answers.ts';
import { newPair, readAll } from './pair.ts';

const second = 1_000;

/** Bytes that say where they stand, so that a lost, doubled or moved one shows. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + (i >> 16)) & 0xff;
  return bytes;
}

function knownEpoch(number: number) {
  const field = (name: string): Uint8Array => bytesOf(`epoch${number}`, name);
  const transcript = number === 0 ? bytesOf('th6_is_T0') : bytesOf(`rekey${number}`, `T${number}`);
  return { number, client: field('c'), gateway: field('g'), chain: field('ck'), exporter: field('exp'), transcript };
}

/** The rekey halves without a session around them, whose PING would take the known counters. */
function halves(sent: { from: Side; bytes: Uint8Array }[]) {
  const clock = new FakeClock();
  const link = loopbackPair({
    fault: ({ from, bytes }) =>
      [bytes].map((frame) => {
        sent.push({ from, bytes: frame });
        return frame;
      }),
  });
  // One draw for the jitter of each epoch's timer stands before the key exchange in the client's randomness.
  const cryptos: Record<Side, Crypto> = {
    client: { ...clientCrypto(), random: (n) => new Uint8Array(n) },
    gateway: gatewayCrypto(),
  };
  cryptos.client.offer().wipe(); // the handshake's
  cryptos.gateway.answer(bytesOf('share_c'));
  const half = (role: Side, control: RecordLink['channel']) => {
    const layer = new RecordLayer({
      crypto: cryptos[role],
      clock,
      role,
      first: knownEpoch(0),
      rejectAfterMs: 180 * second,
      rekeyAfterBytes: 2 ** 30,
      limits: recordLimits,
      onWorn: assert.fail,
      onExpired: assert.fail,
      onSwept: () => {},
      onFatal: (error) => assert.fail(String(error)),
    });
    const stream = layer.link(control);
    const send = (kind: number, content: Uint8Array): void => void stream.send(kind, content);
    return { layer, stream, host: { crypto: cryptos[role], clock, layer, send, onChange: () => {} } };
  };
  return { link, half, clock };
}

test('QZ-17: two rekeys give the known records, transcripts and secrets', needsVectors, async () => {
  const sent: { from: Side; bytes: Uint8Array }[] = [];
  const { link, half } = halves(sent);
  const client = half('client', link.client.open(0n));
  const gateway = half('gateway', (await link.gateway.accept())!);
  const asking = new ClientRekey({ ...client.host, rekeyAfterMs: 120 * second, onSoon() {}, onOverdue: assert.fail });
  const answering = new GatewayRekey(gateway.host);
  const next = async (from: RecordLink) => {
    const record = from.open((await from.channel.receive())!);
    return { ...record, content: record.content.slice() };
  };
  for (const n of [1, 2]) {
    const known = (name: string): string => fieldOf(`rekey${n}`, name) as string;
    asking.start();
    const init = await next(gateway.stream);
    assert.deepEqual([init.kind, hex(init.content)], [recordKind.rkInit, known('rk_init')]);
    answering.takeInit(init.content);
    const resp = await next(client.stream);
    assert.deepEqual([resp.kind, hex(resp.content)], [recordKind.rkResp, known('rk_resp')]);
    asking.takeResponse(resp.content);
    const done = await next(gateway.stream);
    assert.deepEqual([done.kind, hex(done.content)], [recordKind.rkDone, known('rk_done')]);
    answering.takeDone(done.content, done.epoch);
    for (const { layer } of [client, gateway]) assert.deepEqual(layer.epochs.sending, knownEpoch(n));
  }
  const webauthn = exporterValue(nodeCrypto, knownEpoch(1), 'webauthn', bytesOf('inputs', 'stepup.nonce'));
  assert.equal(hex(webauthn), fieldOf('exporter_webauthn_epoch1'));
  const record = (index: number): string => (fieldOf('records') as { bytes: string }[])[index]!.bytes;
  assert.equal(hex(sent[0]!.bytes), record(3), 'RK_INIT');
  assert.equal(hex(sent[2]!.bytes), record(4), 'RK_DONE');
  assert.equal(sent[1]!.bytes.length, unhex(record(3)).length - 128, 'RK_RESP');
  asking.wipe();
});

test('QZ-17: the client rekeys 120 s after the epoch began, give or take 5 %', async () => {
  const times: number[] = [];
  for (const share of [0, 0x8000, 0xffff]) {
    const random = (length: number): Uint8Array => new Uint8Array(length).fill(share >> 8);
    const { clock, client } = await newPair({
      cryptos: { client: { ...nodeCrypto, random }, gateway: nodeCrypto },
    });
    while (client.state.epoch === 0) await clock.advance(100);
    times.push(clock.monotonic());
    client.close('done');
  }
  assert.equal(times[0], 114 * second);
  assert.ok(times[1]! >= 119 * second && times[1]! <= 121 * second);
  assert.equal(times[2], 126 * second);
});

test('QZ-17: data crosses five rekeys both ways and nothing is lost', async () => {
  const { client, gateway, clock, open } = await newPair();
  const stream = await open();
  const sent = pattern(3_000_000);
  const flow = async (from: typeof stream.client): Promise<void> => {
    for (let at = 0; at < sent.length; at += 100_000) {
      await from.write(sent.subarray(at, at + 100_000));
      if (from === stream.client && at % 500_000 === 0) client.requestRekey();
    }
    await from.finish();
  };
  const received = Promise.all([readAll(stream.gateway), readAll(stream.client)]);
  await Promise.all([flow(stream.client), flow(stream.gateway)]);
  for (const bytes of await received) assert.ok(Buffer.from(bytes).equals(sent));
  await settled();
  assert.ok(client.state.epoch >= 5, `epoch ${client.state.epoch}`);
  assert.equal(gateway.state.epoch, client.state.epoch);
  assert.equal(clock.monotonic(), 0, 'no timer was needed');
});

test('QZ-17: a number of bytes, counted both ways, starts a rekey', async () => {
  const { client, open } = await newPair({ params: { rekeyAfterBytes: 2n ** 20n } });
  const stream = await open();
  const received = readAll(stream.gateway);
  await stream.client.write(pattern(900_000));
  await settled();
  assert.equal(client.state.epoch, 0);
  const back = readAll(stream.client);
  await stream.gateway.write(pattern(200_000));
  await settled();
  assert.equal(client.state.epoch, 1);
  await stream.gateway.write(pattern(1_000_000));
  await settled();
  assert.equal(client.state.epoch, 1);
  await stream.gateway.write(pattern(100_000));
  await settled();
  assert.equal(client.state.epoch, 2, 'the count begins again with each epoch');
  await Promise.all([stream.client.finish(), stream.gateway.finish()]);
  assert.deepEqual([(await received).length, (await back).length], [900_000, 1_300_000]);
});

for (const [side, rekeyAtRecords] of [
  ['client', 5],
  ['client', 6],
  ['gateway', 5],
] as const)
  test(`QZ-17: control record ${rekeyAtRecords} of the ${side} wears the key out, and the rekey comes behind it`, async () => {
    const { client, gateway, clock, open } = await newPair({ [side]: { limits: { rekeyAtRecords } } });
    await open(); // without a stream nobody pings
    for (let i = 0; i < 4; i++) await clock.advance(20 * second);
    assert.deepEqual([client.state.code, gateway.state.code], [undefined, undefined]);
    assert.ok(client.state.epoch >= 1);
  });

test('a stream that was silent for 150 epochs goes on', async () => {
  const { client, clock, open } = await newPair({ lifeMs: 100_000 * second });
  const stream = await open();
  for (let i = 0; i < 300; i++) {
    client.requestRekey();
    await clock.advance(31 * second);
  }
  assert.ok(client.state.epoch >= 300);
  await stream.client.write(utf8('still here'));
  await stream.gateway.write(utf8('so am I'));
  assert.equal(hex((await stream.gateway.read())!), hex(utf8('still here')));
  assert.equal(hex((await stream.client.read())!), hex(utf8('so am I')));
});

test('a gateway asks and its client rekeys, once', async () => {
  const { client, gateway } = await newPair();
  gateway.requestRekey();
  gateway.requestRekey();
  client.requestRekey();
  await settled();
  assert.deepEqual([client.state.epoch, gateway.state.epoch], [1, 1]);
  assert.deepEqual([client.state.phase, gateway.state.phase], ['open', 'open']);
});

test('both ends show that a rekey is under way', async () => {
  const phases: Record<Side, string[]> = { client: [], gateway: [] };
  const watch = (side: Side) => ({
    onState: ({ phase, epoch }: { phase: string; epoch: number }) => phases[side].push(`${phase} ${epoch}`),
  });
  const { client } = await newPair({ client: watch('client'), gateway: watch('gateway') });
  client.requestRekey();
  await settled();
  assert.deepEqual(phases, { client: ['rekeying 0', 'open 1'], gateway: ['rekeying 0', 'open 1'] });
});

test('an exporter value is the same at both ends and new in each epoch', async () => {
  const { client, gateway } = await newPair();
  const value = (): string => hex(client.exporter('webauthn', utf8('nonce')));
  const first = value();
  assert.equal(hex(gateway.exporter('webauthn', utf8('nonce'))), first);
  assert.notEqual(hex(client.exporter('webauthn', utf8('other'))), first);
  client.requestRekey();
  await settled();
  assert.notEqual(value(), first);
  assert.equal(hex(gateway.exporter('webauthn', utf8('nonce'))), value());
});

test('QZ-11: a rekey by time is announced 3 s before it begins, once an epoch, and one that is asked for is not', async () => {
  const clock = new FakeClock();
  const announced: number[] = [];
  const begun: number[] = [];
  const { client } = await newPair({
    clock,
    client: {
      onRekeySoon: () => announced.push(clock.monotonic()),
      onState: ({ phase }) => phase === 'rekeying' && begun.push(clock.monotonic()),
    },
  });
  await clock.advance(100 * second);
  client.requestRekey();
  await clock.advance(5 * second);
  assert.deepEqual([announced.length, begun.length], [0, 1]);
  await clock.advance(265 * second);
  assert.equal(begun.length, 3);
  assert.deepEqual(
    announced.map((at) => Math.round(at + 3 * second)),
    begun.slice(1).map(Math.round),
  );
  client.close('done');
});

test('without RK_RESP the client is told after 15 s, and both ends close at 180 s', async () => {
  let overdueAt = 0;
  const clock = new FakeClock();
  let isStalled = false;
  /** RK_RESP never arrives, and nothing after it on this channel could be opened. */
  const stalls = (from: Side, streamId: bigint, bytes: Uint8Array) => {
    if (from !== 'gateway' || streamId !== 0n) return false;
    isStalled ||= bytes.length > 1_000;
    return isStalled;
  };
  const { client, gateway, open } = await newPair({
    clock,
    client: {
      onRekeyOverdue: () => {
        overdueAt = clock.monotonic();
      },
      keepAliveMs: 10_000 * second,
    },
    fault: ({ from, streamId, bytes }) => (stalls(from, streamId, bytes) ? [] : [bytes]),
  });
  const stream = await open();
  client.requestRekey();
  await clock.advance(16 * second);
  assert.equal(overdueAt, 15 * second);
  await stream.client.write(utf8('old keys still work'));
  assert.ok(await stream.gateway.read());
  await clock.advance(163 * second);
  assert.equal(client.state.phase, 'rekeying');
  await clock.advance(3 * second);
  assert.equal((await client.closed).code, 'rekey_timeout');
  assert.equal((await gateway.closed).code, 'rekey_timeout');
});

test('a tab that slept past 180 s seals nothing more, even before its timers run', async () => {
  const { clock, client, open } = await newPair();
  const stream = await open();
  // the clock has moved, but no timer has run yet
  const monotonic = clock.monotonic.bind(clock);
  clock.monotonic = () => monotonic() + 181 * second;
  await assert.rejects(stream.client.write(utf8('too late')), { code: 'session_closed' });
  assert.equal(client.state.code, 'rekey_timeout');
});

test('old keys are gone 30 s after RK_DONE although a stream never moved', async () => {
  const held: { bytes: Uint8Array }[] = [];
  let holds = false;
  const { client, gateway, clock, open, link } = await newPair({
    fault: (frame) => {
      if (!holds || frame.from !== 'client' || frame.streamId !== 2n) return [frame.bytes];
      held.push(frame);
      return [];
    },
  });
  const stream = await open();
  holds = true;
  await stream.client.write(utf8('on its way for very long'));
  client.requestRekey();
  await clock.advance(29 * second);
  assert.equal(gateway.state.phase, 'open');
  await clock.advance(2 * second);
  holds = false;
  // the record of epoch 0 arrives after all
  link.inject('client', 2n, held[0]!.bytes);
  await settled();
  assert.equal((await gateway.closed).code, 'decrypt');
});
