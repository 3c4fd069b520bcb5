import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordKind } from '../../../protocol/record.ts';
import { settled } from '../../support/fake-clock.ts';
import { newPair, newRawPeer } from './pair.ts';

const second = 1_000;

test('a peer that went silent is asked, and given up after as long again: idle', async () => {
  let isDead = false;
  const { client, gateway, clock } = await newPair({ fault: ({ bytes }) => (isDead ? [] : [bytes]) });
  await settled();
  isDead = true;
  await clock.advance(39 * second);
  assert.equal(client.state.phase, 'open');
  await clock.advance(2 * second);
  assert.deepEqual(await client.closed, { code: 'idle', byPeer: false, cut: false });
  assert.equal((await gateway.closed).cut, true);
});

test('silence alone ends nothing while the peer answers', async () => {
  const { client, gateway, clock } = await newPair({ lifeMs: 10_000 * second });
  await clock.advance(3_600 * second);
  assert.deepEqual([client.state.phase, gateway.state.phase], ['open', 'open']);
  assert.ok(client.state.epoch >= 28, 'idle sessions rekey too');
});

test('a tab that was frozen asks before it despairs', async () => {
  const { client, clock, gateway } = await newPair();
  await settled();
  const monotonic = clock.monotonic.bind(clock);
  clock.monotonic = () => monotonic() + 100 * second; // nothing ran meanwhile
  await clock.advance(20 * second);
  assert.deepEqual([client.state.phase, gateway.state.phase], ['open', 'open']);
});

/** A pair whose network can be taken away, and what the client says of it. */
async function onFrailPath() {
  let [isDead, silences] = [false, 0];
  const onSilent = (): void => {
    silences += 1;
  };
  const pair = await newPair({ client: { onSilent }, fault: ({ bytes }) => (isDead ? [] : [bytes]) });
  const setDead = (dead: boolean): void => {
    isDead = dead;
  };
  return { ...pair, setDead, silences: () => silences };
}

test('BR-6: where a stream waits, silence is asked about after 2 s and told after 4 s, long before it ends anything', async () => {
  const { client, clock, open, setDead, silences } = await onFrailPath();
  await open();
  await settled();
  setDead(true);
  await clock.advance(3.9 * second);
  assert.equal(silences(), 0);
  await clock.advance(0.2 * second);
  assert.deepEqual([silences(), client.state.phase], [1, 'open']);
  await clock.advance(18 * second);
  assert.deepEqual(await client.closed, { code: 'idle', byPeer: false, cut: false });
});

test('BR-6: a request that goes into silence is asked about by its own time', async () => {
  const { client, clock, setDead, silences } = await onFrailPath();
  await clock.advance(15 * second);
  setDead(true);
  client.open({ kind: 'http', service: 'wiki' }).catch(() => undefined);
  await clock.advance(4.1 * second);
  assert.equal(silences(), 1);
});

test('BR-6: a request into a silence that was found already is told at once', async () => {
  const { client, clock, setDead, silences } = await onFrailPath();
  await settled();
  setDead(true);
  await clock.advance(23 * second);
  assert.equal(silences(), 0, 'nothing waited');
  client.open({ kind: 'http', service: 'wiki' }).catch(() => undefined);
  assert.equal(silences(), 1);
});

test('a session that is heard again after a silence goes on', async () => {
  const { client, clock, open, setDead, silences } = await onFrailPath();
  const stream = await open();
  setDead(true);
  await clock.advance(5 * second);
  setDead(false);
  stream.gateway.write(Uint8Array.of(1)).catch(() => undefined);
  // No carrier but a test’s loses single records; here it was the PING.
  await clock.advance(1 * second);
  assert.deepEqual([silences(), client.state.phase], [1, 'open']);
});

test('a stream on which nothing happens is asked about ever more seldom', async () => {
  const { client, clock, open, silences } = await onFrailPath();
  await open();
  await settled();
  const before = client.stats().sealed;
  await clock.advance(100 * second);
  const pings = client.stats().sealed - before;
  assert.ok(pings >= 5 && pings <= 9, `${pings} in 100 s`);
  assert.equal(silences(), 0);
});

test('a session that drains goes on until its last stream has ended, and then says so', async () => {
  const { client, gateway, clock, open } = await newPair();
  const stream = await open();
  client.drain();
  await clock.advance(127 * second); // 120 s, give or take 5 %
  assert.deepEqual([client.state.phase, client.state.epoch], ['open', 1], 'it rekeys as before');
  const got = stream.gateway.read();
  await stream.client.write(Uint8Array.of(7));
  assert.deepEqual(await got, Uint8Array.of(7));
  const ended = stream.gateway.read();
  await stream.client.finish();
  await stream.gateway.finish();
  assert.equal(await ended, null, 'the last word arrives');
  assert.equal(await stream.client.read(), null);
  assert.equal(client.state.phase, 'open');
  await clock.advance(2 * second);
  assert.deepEqual(await gateway.closed, { code: 'done', byPeer: true, cut: false });
});

test('a session that drains is not closed under a stream that begins late, and one without streams is', async () => {
  const late = await newPair();
  late.client.drain();
  await late.clock.advance(500);
  const stream = await late.open();
  await late.clock.advance(5 * second);
  assert.equal(late.client.state.phase, 'open');
  stream.client.reset('cancelled');
  await late.clock.advance(2 * second);
  assert.equal((await late.gateway.closed).code, 'done');
});

test('a session without streams can be told to end: idle', async () => {
  const { client, clock, open } = await newPair({ gateway: { idleAfterMs: 60 * second } });
  await clock.advance(59 * second);
  const stream = await open();
  await clock.advance(300 * second);
  assert.equal(client.state.phase, 'open');
  stream.client.reset('cancelled');
  await clock.advance(61 * second);
  assert.deepEqual(await client.closed, { code: 'idle', byPeer: true, cut: false });
});

test('PING is answered by its own bytes', async () => {
  const peer = await newRawPeer('client');
  await settled();
  peer.control.send(recordKind.ping, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)).catch(() => {});
  const first = peer.control.open((await peer.control.channel.receive())!);
  assert.equal(first.kind, recordKind.ping, 'the session measures the path when it begins');
  const answer = peer.control.open((await peer.control.channel.receive())!);
  assert.deepEqual([answer.kind, ...answer.content], [recordKind.pong, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test('a transport that goes away without CLOSE is not mistaken for an end', async () => {
  const { client, gateway, link } = await newPair();
  link.client.close();
  assert.deepEqual(await client.closed, { code: 'going_away', byPeer: true, cut: true });
  assert.deepEqual(await gateway.closed, { code: 'going_away', byPeer: true, cut: true });
});

test('CLOSE is heard before the transport goes, and every timer is gone after it', async () => {
  const { client, gateway, clock, open } = await newPair({ gateway: { idleAfterMs: 60 * second } });
  await open();
  gateway.close('stepup_required');
  assert.deepEqual(await client.closed, { code: 'stepup_required', byPeer: true, cut: false });
  await gateway.closed;
  await settled();
  assert.equal(clock.pending, 0);
  assert.throws(() => client.exporter('webauthn', new Uint8Array(1)), { code: 'decrypt' });
});

test('a peer that does not take CLOSE is not waited for longer than a second', async () => {
  const { clock, victim } = await newRawPeer('client');
  victim.close('revoked');
  await clock.advance(999);
  assert.equal(victim.state.phase, 'closing');
  await clock.advance(1);
  assert.deepEqual(await victim.closed, { code: 'revoked', byPeer: false, cut: false });
});

test('a notice reaches the client and changes nothing', async () => {
  const notices: string[] = [];
  const onNotice = (content: Uint8Array): void => void notices.push(Buffer.from(content).toString());
  const { client, gateway } = await newPair({ client: { onNotice } });
  gateway.notice(Buffer.from('maintenance at noon'));
  await settled();
  assert.deepEqual(notices, ['maintenance at noon']);
  assert.equal(client.state.phase, 'open');
  assert.throws(() => client.notice(new Uint8Array(0)), TypeError);
});

test('the log hears what went wrong, the peer hears a code', async () => {
  const faults: unknown[] = [];
  const peer = await newRawPeer('client', { gateway: { onFault: (error) => faults.push(error) } });
  await peer.control.channel.send(Uint8Array.of(0x17, 0, 0, 48, ...new Uint8Array(48).fill(0xaa)));
  await settled();
  const [error] = faults as [Error & { code: string }];
  assert.equal(error.code, 'decrypt');
  assert.ok(!error.message.includes('aa'));
});
