/**
 * A peer that has the keys and no manners: records of every kind with anything in them, on the control stream and on
 * others, in any order. The session goes on or ends with a code that names what the peer did, never `internal`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { utf8, Writer } from '../../../protocol/bytes.ts';
import { recordKind } from '../../../protocol/record.ts';
import { encodeOpen, encodeRefusal, encodeWindow } from '../../../protocol/stream-messages.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { settled } from '../../support/fake-clock.ts';
import { assault, damaged, hostileRuns } from '../../support/hostile.ts';
import * as fixed from '../fixed-handshake.ts';
import { newRawPeer } from './pair.ts';

const one = new Writer().u32(1);
const step = (rest: Uint8Array): Uint8Array => new Writer().u32(1).bytes(rest).done();
const contents = [
  new Uint8Array(0),
  Uint8Array.of(0),
  one.done(),
  new Uint8Array(8),
  encodeWindow(1),
  encodeOpen({ kind: 'http', service: 'wiki', policyEpoch: 3n, flags: 0 }),
  encodeOpen({ kind: 'udp', service: 'dns', policyEpoch: 3n, flags: 0 }),
  encodeRefusal({ code: 'denied', correlation: new Uint8Array(16) }),
  step(nodeCrypto.offer().share),
  step(new Uint8Array(1_216).fill(255)),
  step(new Uint8Array(1_120)),
  step(new Uint8Array(32)),
  new Writer().vec16(fixed.svid).bytes(new Uint8Array(3_373)).done(),
  new Uint8Array(3_373),
  utf8('content'),
];

type Said = { readonly stream: number; readonly kind: number; readonly content: Uint8Array };
const said = (stream: number, kind: number, content: Uint8Array = new Uint8Array(0)): Said => ({
  stream,
  kind,
  content,
});
const opening = encodeOpen({ kind: 'tcp', service: 'wiki', policyEpoch: 3n, flags: 0 });

/** What a peer with manners may say after OPEN on the first stream; stream 0 is the control stream. */
const mannerly = [
  said(0, recordKind.ping, new Uint8Array(8)),
  said(0, recordKind.pong, new Uint8Array(8)),
  said(1, recordKind.data, utf8('content')),
  said(1, recordKind.data, new Uint8Array(16_000)),
  said(1, recordKind.window, encodeWindow(70_000)),
  said(1, recordKind.fin),
  said(1, recordKind.rst, Uint8Array.of(0)),
  said(2, recordKind.open, opening),
  said(0, recordKind.rkInit, step(nodeCrypto.offer().share)),
  said(0, recordKind.rkReq),
  said(0, recordKind.notice, utf8('content')),
];

const anything = fc
  .record({
    stream: fc.nat(3),
    kind: fc.oneof(fc.constantFrom(...Object.values(recordKind)), fc.integer({ min: 1, max: 255 })),
    content: fc.oneof(fc.constantFrom(...contents), damaged(...contents)),
  })
  .map(({ stream, kind, content }) => said(stream, kind, content.subarray(0, 16_383)));

const almost = fc
  .constantFrom(...mannerly)
  .chain((one) => damaged(one.content).map((content) => said(one.stream, one.kind, content.subarray(0, 16_383))));

const record = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...mannerly) },
  { weight: 2, arbitrary: almost },
  { weight: 1, arbitrary: anything },
);

for (const role of ['client', 'gateway'] as const)
  test(`hostile input: a ${role} with the keys that says anything ends its session with a code of its own`, async (t) => {
    const ends = new Map<string, number>();
    const give = async (records: Said[]): Promise<void> => {
      const faults: unknown[] = [];
      const hooks = { onOpen: (incoming: { accept(): Promise<unknown> }) => void incoming.accept().catch(() => {}) };
      const peer = await newRawPeer(role, {
        [role === 'client' ? 'gateway' : 'client']: { ...hooks, onFault: (error: unknown) => faults.push(error) },
      });
      const first = role === 'client' ? 2n : 1n;
      const links = [peer.control, ...[0n, 2n, 4n].map((id) => peer.open(first + id))];
      for (const { stream, kind, content } of [said(1, recordKind.open, opening), ...records])
        void links[stream]!.send(kind, content).catch(() => {});
      await settled();
      const { code } = peer.victim.state;
      ends.set(code ?? 'open', (ends.get(code ?? 'open') ?? 0) + 1);
      peer.victim.close('done');
      peer.link.client.close();
      const { byPeer } = await peer.victim.closed;
      // It may be what the peer said in its CLOSE.
      assert.ok(code !== 'internal' || byPeer, faults.map((fault) => (fault as Error).stack).join('\n'));
    };
    await assault(t, fc.array(record, { minLength: 1, maxLength: 6 }), give, () => false, Math.ceil(hostileRuns / 5));
    t.diagnostic(Array.from(ends, ([code, count]) => `${code} ${count}`).join(', '));
    assert.ok(
      (ends.get('open') ?? 0) > 0 && (ends.get('decode') ?? 0) > 0,
      'sessions that went on and sessions that ended',
    );
  });
