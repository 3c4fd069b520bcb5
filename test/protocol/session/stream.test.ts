import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8, utf8Decode } from '../../../protocol/bytes.ts';
import { type Carrier, CarrierError, type Channel } from '../../../protocol/carrier.ts';
import { initialCreditBytes } from '../../../protocol/limits.ts';
import { deliveryMs } from '../../../protocol/session-limits.ts';
import { settled } from '../../support/fake-clock.ts';
import { newPair, readAll } from './pair.ts';

const correlation = Uint8Array.from({ length: 16 }, (_, i) => i);

test('carries data both ways and ends each direction by its own FIN', async () => {
  const { open, client, gateway } = await newPair();
  const stream = await open();
  await stream.client.write(utf8('ping'));
  await stream.client.finish();
  assert.equal(utf8Decode(await readAll(stream.gateway)), 'ping');
  await stream.gateway.write(utf8('pong'));
  await stream.gateway.finish();
  assert.equal(utf8Decode(await readAll(stream.client)), 'pong');
  await Promise.all([stream.client.closed, stream.gateway.closed]);
  assert.deepEqual([client.stats().streams, gateway.stats().streams], [0, 0]);
});

test('hands the gateway what OPEN asks for', async () => {
  const { client, incoming } = await newPair();
  const opening = client.open({ kind: 'websocket', service: 'chat', flags: 5 });
  const asked = await incoming.next();
  assert.deepEqual(
    [asked.kind, asked.service, asked.flags, asked.policyEpoch, asked.id],
    ['websocket', 'chat', 5, 3n, 2n],
  );
  await asked.accept();
  assert.equal((await opening).id, 2n);
});

test('a refusal rejects the opening with its code and correlation id', async () => {
  const { client, incoming, gateway } = await newPair();
  const opening = client.open({ kind: 'http', service: 'wiki' });
  (await incoming.next()).refuse('denied', correlation);
  await assert.rejects(opening, { code: 'denied', correlation: '000102030405060708090a0b0c0d0e0f' });
  await settled();
  assert.deepEqual([client.stats().streams, gateway.stats().streams], [0, 0]);
  assert.equal(client.state.phase, 'open');
});

test('a session without a hook denies what the peer opens', async () => {
  const { gateway, client } = await newPair();
  await assert.rejects(gateway.open({ kind: 'tcp', service: 'printer' }), { code: 'denied' });
  assert.equal(client.state.phase, 'open');
});

test('giving up an opening tells the gateway', async () => {
  const { client, incoming } = await newPair();
  const giveUp = new AbortController();
  const opening = client.open({ kind: 'http', service: 'wiki', signal: giveUp.signal });
  const asked = await incoming.next();
  giveUp.abort();
  await assert.rejects(opening, { code: 'cancelled' });
  await asked.closed;
  await assert.rejects(asked.accept(), { code: 'cancelled' });
});

test('an aborted signal opens nothing', async () => {
  const { client } = await newPair();
  await assert.rejects(client.open({ kind: 'http', service: 'wiki', signal: AbortSignal.abort() }), {
    code: 'cancelled',
  });
  assert.equal(client.stats().streams, 0);
});

test('RST ends both directions with its code and drops what was not read', async () => {
  const { open } = await newPair();
  const stream = await open();
  await stream.gateway.write(utf8('never read'));
  await settled();
  stream.gateway.reset('upstream_failed');
  await stream.client.closed;
  await assert.rejects(stream.client.read(), { code: 'upstream_failed' });
  await assert.rejects(stream.client.write(utf8('x')), { code: 'upstream_failed' });
  await assert.rejects(stream.gateway.read(), { code: 'upstream_failed' });
});

test('data in flight to a stream that was reset is taken and dropped', async () => {
  const { open, client, gateway } = await newPair();
  const stream = await open();
  stream.client.reset('cancelled');
  await stream.gateway.write(utf8('crossing')).catch(() => {});
  await stream.gateway.closed;
  await settled();
  assert.deepEqual([client.state.phase, gateway.state.phase], ['open', 'open']);
});

test('writes keep their order without being awaited', async () => {
  const { open } = await newPair();
  const stream = await open();
  const writes = Array.from({ length: 50 }, (_, i) => stream.client.write(utf8(`${i},`)));
  const finished = stream.client.finish();
  assert.equal(utf8Decode(await readAll(stream.gateway)), Array.from({ length: 50 }, (_, i) => `${i},`).join(''));
  await Promise.all([...writes, finished]);
});

test('after finish no more data is taken', async () => {
  const { open } = await newPair();
  const stream = await open();
  await stream.client.finish();
  await assert.rejects(stream.client.write(utf8('late')), TypeError);
});

test('a UDP flow keeps its datagrams apart, the empty one too', async () => {
  const { open } = await newPair();
  const stream = await open('udp');
  for (const datagram of ['one', '', 'three']) await stream.client.write(utf8(datagram));
  await settled();
  for (const datagram of ['one', '', 'three']) assert.equal(utf8Decode((await stream.gateway.read())!), datagram);
});

test('one stream more than agreed is refused at home', async () => {
  const { open, client } = await newPair({ params: { maxStreams: 2 } });
  await open();
  const second = await open();
  await assert.rejects(client.open({ kind: 'tcp', service: 'wiki' }), { code: 'too_many' });
  second.client.reset('cancelled');
  await open();
});

test('a peer that stops listening while its last data is under way is read to its end', async () => {
  const pair = await newPair();
  const hearing = heardUntilTold(pair.link.client);
  const { client, gateway } = await pair.open();
  hearing.isOver = true;
  // All of it fits in the first credit, so the peer waits for nothing; the reader grants more when half is read.
  const body = new Uint8Array(initialCreditBytes).map((_, i) => i);
  const written = gateway.write(body).then(() => gateway.finish());
  assert.deepEqual(await readAll(client), body);
  await written;
  assert.ok(hearing.refused > 0);
});

test('a transport that takes the last record late still brings it', async () => {
  const { pair, path, client, gateway } = await stalledBeforeItsEnd('late');
  let hasEnded = false;
  const finished = gateway.finish();
  const reading = readAll(client).finally(() => {
    hasEnded = true;
  });
  await pair.clock.advance(deliveryMs - 1);
  assert.deepEqual([hasEnded, path.aborted], [false, 0]);
  path.goOn();
  assert.equal(utf8Decode(await reading), 'late');
  await finished;
  assert.deepEqual([pair.client.stats().streams, pair.gateway.stats().streams], [1, 1]);
});

test('QPT-9: what a peer never takes is dropped in the end', async () => {
  const { pair, path, client, gateway } = await stalledBeforeItsEnd('never whole');
  const gone = Promise.allSettled([gateway.finish()]);
  const failed = assert.rejects(readAll(client), { code: 'truncated' });
  await pair.clock.advance(deliveryMs);
  assert.equal(path.aborted, 1);
  path.goOn();
  await Promise.all([failed, gone]);
});

/** A stream that was written, whose end the transport will not take for now. */
async function stalledBeforeItsEnd(text: string) {
  const pair = await newPair();
  const path = stalledWhenTold(pair.link.gateway);
  await pair.open(); // the gateway already waits for the first, in the old way
  const { client, gateway } = await pair.open();
  await client.finish();
  await readAll(gateway);
  await gateway.write(utf8(text));
  path.stall();
  return { pair, path, client, gateway };
}

/** A carrier whose accepted channels, from when it is told, hold back what they are given and the end behind it. */
function stalledWhenTold(carrier: Carrier) {
  let gate = Promise.resolve();
  let open: (() => void) | undefined;
  const path = {
    aborted: 0,
    stall: () => {
      gate = new Promise((resolve) => {
        open = resolve;
      });
    },
    goOn: () => open?.(),
  };
  const accept = carrier.accept.bind(carrier);
  carrier.accept = async () => {
    const channel = await accept();
    if (channel === null) return null;
    const [send, finish, abort] = [channel.send, channel.finish, channel.abort].map((method) => method.bind(channel));
    let line: Promise<unknown> = Promise.resolve();
    channel.send = (frame) => {
      const sent = line.then(() => gate).then(() => (send as Channel['send'])(frame));
      line = sent.catch(() => undefined);
      return sent;
    };
    channel.finish = () => void line.then(finish as () => void);
    channel.abort = () => {
      path.aborted += 1;
      (abort as () => void)();
    };
    return channel;
  };
  return path;
}

/** A carrier whose channels take nothing more from when that is said: STOP_SENDING, while the other direction goes on. */
function heardUntilTold(carrier: Carrier): { isOver: boolean; refused: number } {
  const hearing = { isOver: false, refused: 0 };
  const open = carrier.open.bind(carrier);
  carrier.open = (streamId) => {
    const channel = open(streamId);
    const send = channel.send.bind(channel);
    channel.send = (frame) => {
      if (!hearing.isOver) return send(frame);
      hearing.refused += 1;
      return Promise.reject(new CarrierError('cut'));
    };
    return channel;
  };
  return hearing;
}

test('the end of a session fails its streams with session_closed', async () => {
  const { open, client, gateway } = await newPair();
  const stream = await open();
  const reading = stream.client.read();
  gateway.close('revoked');
  await assert.rejects(reading, { code: 'session_closed' });
  assert.deepEqual(await client.closed, { code: 'revoked', byPeer: true, cut: false });
  assert.deepEqual(await gateway.closed, { code: 'revoked', byPeer: false, cut: false });
  await assert.rejects(client.open({ kind: 'tcp', service: 'wiki' }), { code: 'session_closed' });
  await assert.rejects(stream.gateway.write(utf8('x')), { code: 'session_closed' });
});
