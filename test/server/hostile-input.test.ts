/** Hostile bytes at the server's own parsers: a value or the typed error of its layer, and nothing else. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { ZodError } from 'zod';
import { encodePosture, readPosture } from '../../posture-js/statement.ts';
import { utf8 } from '../../protocol/bytes.ts';
import { postureMessage } from '../../protocol/challenges.ts';
import { ChannelError } from '../../server/channel/error.ts';
import { encodeMessage, MessageReader } from '../../server/channel/framing.ts';
import { fromPeerSchema, helloSchema, toConnectorSchema, toGatewaySchema } from '../../server/channel/messages.ts';
import { parseSnapshotContent } from '../../server/channel/snapshot-content.ts';
import { ApiError } from '../../server/control/api-error.ts';
import { deviceHolder } from '../../server/control/holder.ts';
import { verifyPosture } from '../../server/control/posture.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { assault, damaged } from '../support/hostile.ts';

const now = 1_790_000_000_000;
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const device = new Uint8Array(publicKey.export({ format: 'raw-public' }));
const statement = encodePosture(
  await readPosture(
    {
      userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0',
      webdriver: false,
      isSecureContext: true,
      crossOriginIsolated: false,
    },
    now,
  ),
);
const judge = (bytes: Uint8Array) =>
  verifyPosture(
    { clock: new FakeClock(now) },
    bytes,
    sign(null, postureMessage(bytes), privateKey),
    deviceHolder(device),
  );
const isPostureError = (error: unknown): boolean =>
  error instanceof ApiError && ['posture_invalid', 'posture_stale'].includes(error.code);

test('hostile input: a posture statement that its device signed, whatever it says, is read or refused with a code', async (t) => {
  judge(statement);
  await assault(t, damaged(statement), judge, isPostureError);
  const texts = fc.json({ maxDepth: 4 }).map(utf8);
  await assault(t, texts, judge, isPostureError);
});

test('hostile input: a control channel of anything is documents or a ChannelError', async (t) => {
  const real = Buffer.concat([{ t: 'ping' }, { t: 'audit', events: [{ a: 'ü' }] }].map(encodeMessage));
  const read = (bytes: Uint8Array): void => {
    const reader = new MessageReader();
    for (let at = 0; at < bytes.length; at += 7) {
      reader.push(bytes.subarray(at, at + 7));
      while (reader.next() !== undefined) {}
    }
  };
  read(new Uint8Array(real));
  await assault(t, damaged(new Uint8Array(real)), read, (error) => error instanceof ChannelError);
});

test('hostile input: no document of a channel makes a schema throw anything but its own error', async (t) => {
  const schemas = [helloSchema, fromPeerSchema, toGatewaySchema, toConnectorSchema];
  const documents = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.record({
      t: fc.constantFrom('ping', 'pong', 'audit', 'snapshot', 'hello', 'peers'),
      role: fc.constantFrom('gateway', 'connector'),
      n: fc.jsonValue(),
    }),
  );
  await assault(
    t,
    documents,
    (document) => schemas.map((schema) => schema.parse(document)),
    (error) => error instanceof ZodError,
  );
});

test('hostile input: the content of a snapshot is read or refused', async (t) => {
  const texts = fc.oneof(
    fc.json({ maxDepth: 4 }),
    damaged(utf8('{"services":[],"peers":[],"policies":"","entities":[]}')).map((bytes) =>
      Buffer.from(bytes).toString(),
    ),
  );
  await assault(t, texts, parseSnapshotContent, (error) => error instanceof SyntaxError || error instanceof ZodError);
});
