/** Peers that break the rules of HTTP/3 or WebTransport: each loses what it broke, and a bystander notices nothing. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Carrier, CarrierError } from '../../../protocol/carrier.ts';
import { transportLimits } from '../../../server/transport/limits.ts';
import type { ByteSource } from '../../../server/transport/quiche/byte-source.ts';
import { http3ErrorNumber } from '../../../server/transport/quiche/error.ts';
import {
  capsuleType,
  frame,
  frameType,
  joined,
  settingsPayload,
  streamHeader,
  streamType,
} from '../../../server/transport/quiche/http3.ts';
import { encodeFieldSection, type FieldLine } from '../../../server/transport/quiche/qpack.ts';
import type { QuicStream } from '../../../server/transport/quiche/quic-stream.ts';
import { encodeVarint } from '../../../server/transport/quiche/varint.ts';
import type { CarrierPeer } from '../../../server/transport/session.ts';
import { echoCarrier } from './support/echo.ts';
import { origin, type Running, startQuiche } from './support/engines.ts';
import { connectFields, connectQuic, H3Client } from './support/h3-client.ts';
import { record } from './support/random.ts';

const none = new Uint8Array(0);
const bytes = (...values: number[]) => Uint8Array.from(values);
const headers = (payload: Uint8Array) => frame(frameType.headers, payload);
const section = (...fields: FieldLine[]) => headers(encodeFieldSection(fields));
const settings = frame(frameType.settings, settingsPayload([]));

const uni =
  (type: number, payload: Uint8Array, end = false) =>
  (client: H3Client) => {
    const stream = client.connection.open('uni', joined([encodeVarint(type), payload]));
    if (end) stream.finish();
  };
const bidi =
  (payload: Uint8Array, end = false) =>
  (client: H3Client) => {
    const stream = client.connection.open('bidi', payload);
    if (end) stream.finish();
  };
const both =
  (...acts: ((client: H3Client) => void)[]) =>
  (client: H3Client) => {
    for (const act of acts) act(client);
  };

/** What a client does, and the number its connection is closed with. */
const offences: readonly [what: string, code: keyof typeof http3ErrorNumber, act: (client: H3Client) => void][] = [
  ['a control stream without SETTINGS', 'missing_settings', uni(streamType.control, frame(frameType.goaway, bytes(0)))],
  [
    'a second control stream',
    'stream_creation',
    both(uni(streamType.control, settings), uni(streamType.control, settings)),
  ],
  ['a control stream that ends', 'closed_critical_stream', uni(streamType.control, settings, true)],
  ['SETTINGS twice', 'frame_unexpected', uni(streamType.control, joined([settings, settings]))],
  ['DATA on the control stream', 'frame_unexpected', uni(streamType.control, joined([settings, frame(0, bytes(1))]))],
  ['a frame type of HTTP/2', 'frame_unexpected', uni(streamType.control, joined([settings, frame(0x06, bytes(1))]))],
  [
    'a setting of HTTP/2',
    'settings_error',
    uni(streamType.control, frame(frameType.settings, settingsPayload([[2, 1]]))),
  ],
  [
    'a setting given twice',
    'settings_error',
    uni(
      streamType.control,
      frame(
        frameType.settings,
        settingsPayload([
          [8, 1],
          [8, 1],
        ]),
      ),
    ),
  ],
  ['a setting cut short', 'frame_error', uni(streamType.control, frame(frameType.settings, bytes(0x40)))],
  [
    'SETTINGS beyond all bounds',
    'excessive_load',
    uni(streamType.control, frame(frameType.settings, new Uint8Array(2_000))),
  ],
  ['a push stream of the client', 'stream_creation', uni(streamType.push, bytes(0))],
  ['an entry for our QPACK table', 'qpack_encoder_stream', uni(streamType.qpackEncoder, bytes(0xc0, 0))],
  ['an acknowledgement of nothing', 'qpack_decoder_stream', uni(streamType.qpackDecoder, bytes(0x80))],
  ['DATA before HEADERS', 'frame_unexpected', bidi(frame(frameType.data, bytes(1)))],
  ['a push promise of the client', 'frame_unexpected', bidi(frame(frameType.pushPromise, bytes(0)))],
  ['a request cut short', 'frame_error', bidi(bytes(frameType.headers, 40, 0, 0), true)],
  [
    'a header section beyond all bounds',
    'excessive_load',
    bidi(joined([bytes(frameType.headers), encodeVarint(transportLimits.fieldSectionBytes + 1)])),
  ],
  [
    'more header lines than anybody needs',
    'excessive_load',
    bidi(headers(joined([bytes(0, 0), new Uint8Array(100).fill(0xd1)]))),
  ],
  ['a reference to the dynamic table', 'qpack_failed', bidi(headers(bytes(2, 0, 0x80)))],
  ['a static index beyond the table', 'qpack_failed', bidi(headers(bytes(0, 0, 0xff, 36)))],
  ['a header string longer than its section', 'qpack_failed', bidi(headers(bytes(0, 0, 0x27, 100, 1)))],
  ['an endless integer', 'qpack_failed', bidi(headers(bytes(0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)))],
  ['Huffman padding that is no padding', 'qpack_failed', bidi(headers(bytes(0, 0, 0x29, 0, 0)))],
  ['an empty section', 'message_error', bidi(section())],
  ['a name in capitals', 'message_error', bidi(section([':method', 'GET'], ['Origin', origin]))],
  ['two methods', 'message_error', bidi(section([':method', 'GET'], [':method', 'CONNECT']))],
  ['two origins', 'message_error', bidi(section(...connectFields(origin), ['origin', origin]))],
  [
    'a pseudo-header behind a header',
    'message_error',
    bidi(section([':method', 'CONNECT'], ['origin', origin], [':path', '/tunnel'])),
  ],
  ['a pseudo-header nobody knows', 'message_error', bidi(section([':method', 'CONNECT'], [':status', '200']))],
];

/** What a well-formed request that is not ours is answered with. */
const refusals: readonly [what: string, status: string, fields: readonly FieldLine[]][] = [
  ['another path', '404', connectFields(origin, '/')],
  ['the path with a query', '404', connectFields(origin, '/tunnel?x')],
  [
    'a plain request',
    '405',
    [
      [':method', 'GET'],
      [':scheme', 'https'],
      [':authority', 'x'],
      [':path', '/tunnel'],
    ],
  ],
  [
    'another protocol',
    '400',
    connectFields(origin).map(([name, value]) => (name === ':protocol' ? [name, 'websocket'] : [name, value])),
  ],
  ['no origin', '403', connectFields(origin).filter(([name]) => name !== 'origin')],
];

describe('hostile HTTP/3', () => {
  let server: Running & { transport: { counters: { dropped: number; refused: number; malformed: number } } };
  let bystander: Carrier;
  const carriers: { carrier: Carrier; peer: CarrierPeer }[] = [];

  before(async () => {
    server = await startQuiche((carrier, peer) => {
      carriers.push({ carrier, peer });
      void echoCarrier(carrier);
    });
    bystander = await connectQuic(server.port, origin);
  });

  after(async () => {
    const channel = bystander.open(2n);
    await channel.send(record(bytes(1, 2, 3)));
    assert.deepEqual((await channel.receive())?.slice(4), bytes(1, 2, 3), 'the bystander was disturbed');
    bystander.close();
    await server.stop();
  });

  for (const [what, code, act] of offences) {
    it(`closes the connection over ${what}`, async () => {
      const malformed = server.transport.counters.malformed;
      const client = await H3Client.dial(server.port);
      await client.established;
      act(client);
      await client.closed;
      assert.equal(client.closeCode, http3ErrorNumber[code]);
      assert.equal(server.transport.counters.malformed, malformed + 1);
      await client.close();
    });
  }

  for (const [what, status, fields] of refusals) {
    it(`BR-6: answers ${status} to ${what}`, async () => {
      const refused = server.transport.counters.refused;
      const client = await H3Client.dial(server.port);
      await client.established;
      client.openControl();
      const response = await client.request(fields);
      assert.equal(response.status, status);
      assert.equal(await response.source.atEnd(), true);
      assert.equal(server.transport.counters.refused, refused + 1);
      await client.close();
    });
  }

  it('tolerates what it need not know: unknown streams, frames, settings and capsules', async () => {
    const client = await H3Client.dial(server.port);
    await client.established;
    const grease = frame(0x21, bytes(1, 2, 3));
    const known = frame(frameType.settings, settingsPayload([[0x21, 7]]));
    uni(streamType.control, joined([known, grease, frame(frameType.maxPushId, bytes(3))]))(client);
    uni(streamType.qpackEncoder, bytes(0x20))(client);
    uni(streamType.qpackDecoder, bytes(0x44, 0x7f, 0x80, 1))(client);
    uni(0x21, bytes(9))(client);
    const request = client.connection.open('bidi', joined([grease, section(...connectFields(origin))]));
    await request.write(frame(frameType.data, joined([encodeVarint(0x21), encodeVarint(2), bytes(1, 2)])));
    assert.equal((await request.read())?.[0], frameType.headers);
    await echoes(client, request, 2n);
    await client.close();
  });

  it('holds streams that overtook their session, and refuses more of them than it can hold', async () => {
    const client = await H3Client.dial(server.port);
    await client.established;
    // The request's stream is the first to exist and the last to be written.
    const request = client.connection.open('bidi', none);
    const open = (id: number) =>
      client.connection.open('bidi', joined([streamHeader(request.id), preamble(id), record(bytes(id))]));
    const ids = Array.from({ length: transportLimits.earlyStreams + 1 }, (_, i) => 2 * i + 2);
    const answers = ids.map((id) =>
      open(id)
        .read()
        .then(
          (frame) => ({ id, frame }),
          (refused: unknown) => ({ id, refused }),
        ),
    );
    // One is refused before anything is answered; which one depends on the order in which the streams arrived.
    assert.ok('refused' in (await Promise.race(answers)));
    await request.write(section(...connectFields(origin)));
    const outcomes = await Promise.all(answers);
    assert.equal(outcomes.filter((outcome) => 'refused' in outcome).length, 1);
    for (const outcome of outcomes)
      if ('frame' in outcome) assert.deepEqual(outcome.frame?.slice(4), bytes(outcome.id));
    await client.close();
  });

  it('allows one session on a connection', async () => {
    const { client, request } = await session();
    assert.equal((await client.request(connectFields(origin))).status, '429');
    await echoes(client, request, 2n);
    await client.close();
  });

  it('drops a stream of a session that does not exist, and only that', async () => {
    const { client, request } = await session();
    const stray = client.connection.open('bidi', joined([streamHeader(request.id + 400), preamble(2)]));
    await assert.rejects(stray.read(), cut);
    await echoes(client, request, 2n);
    await client.close();
  });

  for (const [what, opening] of [
    ['no preamble', bytes(0x17, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['a preamble of another version', bytes(0x53, 2, 0, 0, 0, 0, 0, 0, 0, 2)],
  ] as const) {
    it(`drops a stream that begins with ${what}, and only that`, async () => {
      const malformed = server.transport.counters.malformed;
      const { client, request } = await session();
      const stray = client.connection.open('bidi', joined([streamHeader(request.id), opening]));
      await assert.rejects(stray.read(), cut);
      assert.equal(server.transport.counters.malformed, malformed + 1);
      await echoes(client, request, 2n);
      await client.close();
    });
  }

  it('gives back the room of streams that are cut before they say what they are', async () => {
    const { client, request } = await session();
    const { native } = client.connection;
    for (let i = 0; i < 2 * transportLimits.bidirectionalStreams; i++) {
      while (native.peerStreamsLeftBidi() === 0) await new Promise((resolve) => setImmediate(resolve));
      // Half of a stream's header.
      client.connection.open('bidi', bytes(0x40)).resetWriting(0);
    }
    while (native.peerStreamsLeftBidi() === 0) await new Promise((resolve) => setImmediate(resolve));
    await echoes(client, request, 2n);
    await client.close();
  });

  it('drops a channel on which something is no frame, and only that', async () => {
    const malformed = server.transport.counters.malformed;
    const { client, request } = await session();
    const stream = client.connection.open(
      'bidi',
      joined([streamHeader(request.id), preamble(2), bytes(0x99, 0, 0, 0)]),
    );
    await assert.rejects(stream.read(), cut);
    assert.equal(server.transport.counters.malformed, malformed + 1);
    await echoes(client, request, 4n);
    await client.close();
  });

  for (const [what, end] of [
    [
      'closes it',
      (request: QuicStream) =>
        request.write(frame(frameType.data, joined([encodeVarint(capsuleType.closeSession), bytes(4, 0, 0, 0, 0)]))),
    ],
    ['ends its request', (request: QuicStream) => request.finish()],
    ['resets its request', (request: QuicStream) => request.abort(0)],
  ] as const) {
    it(`ends the session when the client ${what}`, async () => {
      const { client, request } = await session();
      const { carrier } = carriers.at(-1)!;
      await end(request);
      await carrier.closed;
      assert.equal(await carrier.accept(), null);
      await client.closed;
      await client.close();
    });
  }

  it('closes the connection over a close capsule beyond all bounds', async () => {
    const { client, request } = await session();
    await request.write(frame(frameType.data, joined([encodeVarint(capsuleType.closeSession), encodeVarint(5_000)])));
    await client.closed;
    await client.close();
  });

  async function session(): Promise<{ client: H3Client; request: QuicStream; source: ByteSource }> {
    const client = await H3Client.dial(server.port);
    await client.established;
    client.openControl();
    const { stream, source, status } = await client.request(connectFields(origin));
    assert.equal(status, '200');
    return { client, request: stream, source };
  }
});

const cut = (error: unknown) => error instanceof CarrierError && error.code === 'cut';

function preamble(id: number): Uint8Array {
  return bytes(0x53, 1, 0, 0, 0, 0, 0, 0, 0, id);
}

/** The session still serves. */
async function echoes(client: H3Client, request: QuicStream, id: bigint): Promise<void> {
  const frameOf = record(bytes(5, 6, 7));
  const stream = client.connection.open('bidi', joined([streamHeader(request.id), preamble(Number(id)), frameOf]));
  assert.deepEqual(await stream.read(), frameOf);
  stream.abort(0);
}
