import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { AuditEvent } from '../../../server/channel/audit-event.ts';
import { ChannelClient } from '../../../server/channel/client.ts';
import { encodeMessage } from '../../../server/channel/framing.ts';
import {
  type FromPeer,
  type GatewayWelcome,
  type Hello,
  type RefusalCode,
  type ToGateway,
  toGatewaySchema,
} from '../../../server/channel/messages.ts';
import { ChannelServer, type PeerConnection } from '../../../server/channel/server.ts';
import { systemClock } from '../../../server/channel/system-clock.ts';

const token = 'a-token-of-the-supervisor';
const filled = (length: number, byte = 7) => Buffer.alloc(length, byte).toString('base64url');
const wireguardKey = Buffer.alloc(32, 9).toString('base64');
const hello = () => ({
  role: 'gateway' as const,
  publicKey: filled(1_984),
  wireguardKey,
  wireguardPort: 51_820,
  stealthKey: filled(32),
  endpoints: [{ url: 'https://127.0.0.1:8700/tunnel', transport: 'webtransport' as const, certHashes: [filled(32)] }],
});
const event = (): AuditEvent => ({ id: randomUUID(), time: 1, type: 'stream.open', actor: 'system', decision: 'deny' });

/** A queue of things that happen, awaited one by one; no sleeping. */
class Happenings<T> {
  #values: T[] = [];
  #waiting: ((value: T) => void)[] = [];
  push(value: T): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#values.push(value);
    else waiting(value);
  }
  next(): Promise<T> {
    const [value] = this.#values.splice(0, 1);
    return value === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(value);
  }
}

describe('control channel', () => {
  let directory: string;
  let path: string;
  let server: ChannelServer;
  let hellos: Happenings<Hello>;
  let joined: Happenings<PeerConnection>;
  let left: Happenings<PeerConnection>;
  let messages: Happenings<FromPeer>;
  let faults: Happenings<unknown>;
  let verdict: (hello: Hello) => GatewayWelcome | { refused: RefusalCode };
  const clients: ChannelClient<ToGateway>[] = [];

  const welcome = (resume = 'resume-number-one'): GatewayWelcome => ({
    t: 'welcome',
    role: 'gateway',
    id: 'gw-1',
    resume,
    descriptor: filled(64),
    certificates: [],
    root: filled(1_984),
    psks: {},
  });

  const startServer = async () => {
    server = new ChannelServer({
      path,
      clock: systemClock,
      onHello: async (said) => {
        hellos.push(said);
        return verdict(said);
      },
      onJoin: (peer) => joined.push(peer),
      onMessage: async (_peer, message) => messages.push(message),
      onLeave: (peer) => left.push(peer),
      onFault: (error) => faults.push(error),
    });
    await server.listen();
  };

  const client = (received: Happenings<ToGateway>, refused?: Happenings<RefusalCode>) => {
    const made = new ChannelClient<ToGateway>({
      dial: () => connect(path),
      token,
      clock: systemClock,
      hello,
      incoming: toGatewaySchema,
      onMessage: (message) => received.push(message),
      ...(refused === undefined ? {} : { onRefused: (code: RefusalCode) => refused.push(code) }),
      jitter: () => 0,
    });
    clients.push(made);
    made.start();
    return made;
  };

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'channel-'));
    path = join(directory, 'control.sock');
    hellos = new Happenings();
    joined = new Happenings();
    left = new Happenings();
    messages = new Happenings();
    faults = new Happenings();
    verdict = () => welcome();
    await startServer();
  });

  afterEach(async () => {
    for (const made of clients.splice(0)) made.close();
    await server.close();
    rmSync(directory, { recursive: true });
  });

  test('only the owner of the data folder may open the socket', () => {
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('a hello is answered by a welcome, and messages flow both ways', async () => {
    const received = new Happenings<ToGateway>();
    const gateway = client(received);
    assert.equal((await received.next()).t, 'welcome');
    const sent = event();
    assert.equal(gateway.send({ t: 'events', events: [sent] }), true);
    assert.deepEqual(await messages.next(), { t: 'events', events: [sent] });
    (await joined.next()).send({ t: 'ack', ids: [sent.id] });
    assert.deepEqual(await received.next(), { t: 'ack', ids: [sent.id] });
    gateway.send({ t: 'ping', n: 41 });
    assert.deepEqual(await received.next(), { t: 'pong', n: 41 });
  });

  test('nothing is sent before the welcome', () => {
    const gateway = client(new Happenings());
    assert.equal(gateway.send({ t: 'ping', n: 0 }), false);
  });

  test('QHX-7: after a break the client presents the credential of the welcome, not the spent token', async () => {
    const received = new Happenings<ToGateway>();
    client(received);
    assert.equal((await hellos.next()).token, token);
    await received.next();
    verdict = () => welcome('resume-number-two');
    (await joined.next()).close();
    const second = await hellos.next();
    assert.deepEqual([second.token, second.id], ['resume-number-one', 'gw-1']);
    await left.next();
  });

  test('the client comes back to a control plane that was started again', async () => {
    const received = new Happenings<ToGateway>();
    client(received);
    await received.next();
    await server.close();
    await startServer();
    assert.equal((await received.next()).t, 'welcome');
  });

  test('a refusal for good ends the client, a passing one does not', async () => {
    const refused = new Happenings<RefusalCode>();
    verdict = (said) => (said.token === token ? { refused: 'busy' } : welcome());
    const received = new Happenings<ToGateway>();
    const gateway = client(received, refused);
    assert.deepEqual(await received.next(), { t: 'refused', code: 'busy' });
    verdict = () => ({ refused: 'token_unknown' });
    assert.equal(await refused.next(), 'token_unknown');
    assert.throws(() => gateway.start(), { code: 'closed' });
  });

  const hostile: [string, Uint8Array, 'refused' | 'closed'][] = [
    ['text that is no JSON', Buffer.from([0, 0, 0, 2, 0x7b, 0x7b]), 'closed'],
    ['a length over the limit', Buffer.from([0xff, 0xff, 0xff, 0xff]), 'closed'],
    ['JSON that is no hello', encodeMessage({ t: 'events', events: [] }), 'refused'],
    ['a hello with a field too many', encodeMessage({ t: 'hello', token, ...hello(), admin: true }), 'refused'],
    ['a hello with a short key', encodeMessage({ t: 'hello', token, ...hello(), publicKey: filled(31) }), 'refused'],
    ['invalid UTF-8', Buffer.from([0, 0, 0, 2, 0xc3, 0x28]), 'closed'],
  ];
  for (const [name, bytes, outcome] of hostile) {
    test(`QPT-9: ${name} is ${outcome}, and the next peer is served`, async () => {
      const socket = connect(path);
      const said: Buffer[] = [];
      socket.on('data', (chunk) => said.push(chunk as Buffer));
      socket.write(bytes);
      await new Promise((resolve) => socket.once('close', resolve));
      assert.equal(Buffer.concat(said).includes('"refused"'), outcome === 'refused');
      const received = new Happenings<ToGateway>();
      client(received);
      assert.equal((await received.next()).t, 'welcome');
    });
  }

  test('QPT-9: a message that does not fit ends the connection of that peer alone', async () => {
    const received = new Happenings<ToGateway>();
    client(received);
    await received.next();
    const socket = connect(path).resume();
    socket.write(encodeMessage({ t: 'hello', token, ...hello() }));
    socket.write(encodeMessage({ t: 'events', events: [{ ...event(), type: 'made-up' }] }));
    await new Promise((resolve) => socket.once('close', resolve));
    assert.equal(((await faults.next()) as { code: string }).code, 'malformed');
  });
});
