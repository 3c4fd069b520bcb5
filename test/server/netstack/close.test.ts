/** Every way in which a connection ends (RFC 9293 section 3.6), and what destroying a socket means for the peer. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { HandPeer } from './support/hand-peer.ts';
import { FLAG, type Packet, readPacket } from './support/packets.ts';
import { collect, connected, ending } from './support/transfer.ts';
import { type Direction, Pair } from './support/wire.ts';

/** Flags and direction of everything on the wire, for tests that are about the exchange itself. */
function record(pair: Pair): { direction: Direction; packet: Packet }[] {
  const seen: { direction: Direction; packet: Packet }[] = [];
  pair.tap = (bytes, direction) => seen.push({ direction, packet: readPacket(bytes) }) > 0;
  return seen;
}

test('an orderly close from one side leaves TIME-WAIT there for a minute and nothing on the other', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair);
  const ends = Promise.all([ending(client), ending(server)]);
  client.end('bye');
  client.resume();
  const text = await pair.clock.resolve(collect(server));
  server.end();
  assert.equal(String(Buffer.from(text)), 'bye');
  assert.deepEqual(await pair.clock.resolve(ends), ['none', 'none']);
  await pair.clock.advance(100);
  assert.deepEqual([pair.client.stats().timeWait, pair.server.stats().timeWait], [1, 0]);
  assert.equal(pair.server.stats().connections, 0);
  await pair.clock.advance(60_000);
  assert.equal(pair.client.stats().timeWait, 0);
  assert.equal(pair.clock.pending, 0);
});

test('a half-closed connection still carries data the other way', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair);
  client.end();
  server.resume();
  await pair.clock.resolve(once(server, 'end'));
  const arrived = collect(client);
  await pair.clock.advance(120_000);
  server.write('late ');
  await pair.clock.advance(120_000);
  server.end('answer');
  assert.equal(String(Buffer.from(await pair.clock.resolve(arrived))), 'late answer');
});

test('without allowHalfOpen the end of the peer ends our side', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair, { allowHalfOpen: false });
  const ends = Promise.all([ending(client), ending(server)]);
  client.end();
  client.resume();
  server.resume();
  assert.deepEqual(await pair.clock.resolve(ends), ['none', 'none']);
});

test('both sides closing at once both reach TIME-WAIT', async () => {
  const pair = new Pair({ delayMs: 20 });
  const { client, server } = await connected(pair);
  const ends = Promise.all([ending(client), ending(server)]);
  client.resume();
  server.resume();
  client.end();
  server.end();
  assert.deepEqual(await pair.clock.resolve(ends), ['none', 'none']);
  await pair.clock.advance(200);
  assert.deepEqual([pair.client.stats().timeWait, pair.server.stats().timeWait], [1, 1]);
});

test('a FIN and its ACK that are lost are sent again, from every state', async () => {
  for (let lose = 0; lose < 8; lose++) {
    const pair = new Pair({ delayMs: 10 });
    const { client, server } = await connected(pair);
    let count = 0;
    pair.tap = () => count++ !== lose;
    const ends = Promise.all([ending(client), ending(server)]);
    client.resume();
    server.resume();
    client.end('x');
    await pair.clock.advance(50);
    server.end('y');
    assert.deepEqual(await pair.clock.resolve(ends), ['none', 'none'], `lost ${lose}`);
    await pair.clock.advance(70_000);
    assert.equal(pair.client.stats().connections + pair.server.stats().connections, 0, `lost ${lose}`);
    assert.equal(pair.client.stats().timeWait + pair.server.stats().timeWait, 0, `lost ${lose}`);
  }
});

test('a socket destroyed with an error resets the peer', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair);
  const end = ending(server);
  client.on('error', () => {});
  client.destroy(new Error('the other side of a relay was cut'));
  assert.equal(await pair.clock.resolve(end), 'ECONNRESET');
  assert.equal(pair.client.stats().connections + pair.server.stats().connections, 0);
});

test('a socket destroyed with unread bytes resets the peer', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair);
  const end = ending(server);
  server.write('unread');
  await pair.clock.advance(10);
  client.destroy();
  assert.equal(await pair.clock.resolve(end), 'ECONNRESET');
});

test('a socket destroyed with bytes that the stack has not taken resets the peer: a cut stream never looks whole', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair);
  const end = ending(server);
  server.resume();
  server.once('end', () => assert.fail('the stream looked complete'));
  client.write(Buffer.alloc(8 * 1024 * 1024));
  client.destroy();
  assert.equal(await pair.clock.resolve(end), 'ECONNRESET');
});

test('an idle socket destroyed without an error closes in order', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair, { allowHalfOpen: false });
  const seen = record(pair);
  const end = ending(server);
  server.resume();
  client.destroy();
  assert.equal(await pair.clock.resolve(end), 'none');
  await pair.clock.advance(10);
  assert.ok(seen.every(({ packet }) => (packet.flags & FLAG.RST) === 0));
  assert.equal(pair.server.stats().connections, 0);
});

test('what was written is delivered after the socket is destroyed in order', async () => {
  const pair = new Pair({ loss: 0.05, delayMs: 10 });
  const { client, server } = await connected(pair);
  const arrived = collect(server);
  client.end(Buffer.alloc(100_000, 1));
  client.destroySoon();
  await pair.clock.resolve(once(client, 'close'));
  assert.equal((await pair.clock.resolve(arrived)).length, 100_000);
});

test('a last response reaches a peer that is still sending, and is answered with RST only after that', async () => {
  const pair = new Pair({ delayMs: 10 });
  const { client, server } = await connected(pair);
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(client, 'end');
  client.write(Buffer.alloc(300_000));
  await pair.clock.advance(25);
  server.end('413');
  server.destroySoon();
  client.on('error', () => {});
  await pair.clock.resolve(ended);
  assert.equal(String(Buffer.concat(chunks)), '413');
  const end = ending(client);
  client.write('more');
  assert.equal(await pair.clock.resolve(end), 'ECONNRESET');
});

test('resetAndDestroy resets the peer', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair);
  const end = ending(server);
  client.resetAndDestroy();
  assert.equal(await pair.clock.resolve(end), 'ECONNRESET');
  assert.equal(client.destroyed, true);
});

test('a peer that vanishes in mid-stream ends in ETIMEDOUT after five minutes', async () => {
  const pair = new Pair();
  const { client } = await connected(pair);
  const end = ending(client);
  pair.tap = () => false;
  const start = pair.clock.monotonic();
  client.write('anyone?');
  assert.equal(await pair.clock.resolve(end), 'ETIMEDOUT');
  const waited = pair.clock.monotonic() - start;
  assert.ok(waited >= 300_000 && waited < 370_000, `${waited}`);
  assert.equal(pair.clock.pending, 0);
});

test('writing after a reset fails and calls back', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair);
  const end = ending(client);
  server.resetAndDestroy();
  assert.equal(await pair.clock.resolve(end), 'ECONNRESET');
  const { promise, resolve } = Promise.withResolvers<unknown>();
  client.write('x', resolve);
  assert.ok((await promise) instanceof Error);
});

test('a write that is waiting for room calls back with an error when the connection dies', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair);
  client.on('error', () => {});
  const { promise, resolve } = Promise.withResolvers<unknown>();
  client.write(Buffer.alloc(16 * 1024 * 1024), resolve);
  await pair.clock.advance(10);
  server.resetAndDestroy();
  assert.ok((await pair.clock.resolve(promise)) instanceof Error);
});

test('FIN-WAIT-2 that nobody holds is given up after a minute', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  socket.destroy();
  const fin = peer.takeOne();
  assert.equal(fin.flags, FLAG.FIN | FLAG.ACK);
  peer.ack = (fin.seq + 1) >>> 0;
  peer.send();
  assert.equal(peer.stack.stats().connections, 1);
  await peer.clock.advance(60_000);
  assert.equal(peer.stack.stats().connections, 0);
  assert.equal(peer.clock.pending, 0);
});

test('a connection that nobody holds does not probe a closed window for ever', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  peer.window = 0;
  peer.send();
  socket.end('never taken');
  socket.destroy();
  await peer.clock.settle();
  for (let i = 0; i < 60 && peer.stack.stats().connections > 0; i++) {
    await peer.clock.advance(10_000);
    peer.send();
  }
  assert.equal(peer.stack.stats().connections, 0);
});

test('TIME-WAIT ignores RST, answers a repeated FIN, and yields to a newer SYN', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  socket.end();
  const fin = peer.takeOne();
  peer.ack = (fin.seq + 1) >>> 0;
  peer.send({ flags: FLAG.FIN | FLAG.ACK });
  peer.seq++;
  socket.resume();
  assert.equal(peer.takeOne().ack, peer.seq);
  assert.equal(peer.stack.stats().timeWait, 1);
  peer.send({ flags: FLAG.RST });
  assert.equal(peer.stack.stats().timeWait, 1);
  await peer.clock.advance(50_000);
  peer.send({ seq: peer.seq - 1, flags: FLAG.FIN | FLAG.ACK });
  assert.equal(peer.takeOne().ack, peer.seq);
  await peer.clock.advance(50_000);
  assert.equal(peer.stack.stats().timeWait, 1, 'the minute began anew');
  peer.send({ flags: FLAG.SYN, seq: peer.seq - 100_000, ack: 0, mss: 1000 });
  assert.equal(peer.takeOne().flags, FLAG.ACK);
  assert.equal(peer.stack.stats().timeWait, 1, 'an old SYN is no reason');
  peer.stack.listen({ port: 80 }, () => {});
  peer.send({ flags: FLAG.SYN, seq: peer.seq + 100_000, ack: 0, mss: 1000 });
  assert.equal(peer.takeOne().flags, FLAG.SYN | FLAG.ACK);
  assert.equal(peer.stack.stats().timeWait, 0);
});

test('data after the FIN of the peer is not taken', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  const arrived = collect(socket);
  peer.text(Buffer.from('all'), { flags: FLAG.FIN | FLAG.ACK });
  peer.seq++;
  peer.text(Buffer.from('more'));
  assert.equal(String(Buffer.from(await peer.clock.resolve(arrived))), 'all');
});

test('a FIN that comes before the text it follows waits for it', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  const arrived = collect(socket);
  const { seq } = peer;
  peer.send({ seq: seq + 5, payload: Buffer.from('world'), flags: FLAG.FIN | FLAG.ACK });
  peer.send({ seq: seq + 11, payload: Buffer.from('beyond the end') });
  await peer.clock.settle();
  peer.send({ seq, payload: Buffer.from('hello') });
  assert.equal(String(Buffer.from(await peer.clock.resolve(arrived))), 'helloworld');
  assert.equal(peer.take().at(-1)!.ack, seq + 11);
});

test('text that lies behind the FIN of the peer does not hide its end', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  const arrived = collect(socket);
  const { seq } = peer;
  peer.send({ seq: seq + 5, payload: Buffer.from('evil') });
  peer.send({ seq: seq + 3, payload: Buffer.from('lo'), flags: FLAG.FIN | FLAG.ACK });
  peer.send({ seq, payload: Buffer.from('hel') });
  assert.equal(String(Buffer.from(await peer.clock.resolve(arrived))), 'hello');
});

test('a FIN that the window has no room for waits for it', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  peer.window = 5;
  peer.send();
  socket.end('hello');
  const text = peer.takeOne();
  assert.equal(text.flags & FLAG.FIN, 0);
  peer.ack = (peer.ack + 5) >>> 0;
  peer.send();
  assert.equal(peer.takeOne().flags & FLAG.FIN, FLAG.FIN);
});
