/** Past a credential's end nothing crosses, and nothing is lost either. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TunnelStream } from '../../../../server/gateway/bridge/tunnel-stream.ts';
import { CredentialGate } from '../../../../server/gateway/sessions/credential-gate.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const notAfter = 1_000;

/** A gate whose credential has ended, and a stream behind it that notes what reaches it. */
async function lapsed() {
  const clock = new FakeClock(0);
  const gate = new CredentialGate(clock);
  gate.renew(notAfter);
  const seen: string[] = [];
  const arriving = Promise.withResolvers<Uint8Array>();
  const stream: TunnelStream = {
    closed: new Promise(() => undefined),
    read: () => arriving.promise,
    write: async (bytes) => void seen.push(`write ${bytes.length}`),
    finish: async () => void seen.push('finish'),
    reset: (code) => void seen.push(`reset ${code}`),
  };
  const guarded = gate.guard(stream);
  const early = guarded.read().then((chunk) => seen.push(`read ${chunk?.length}`));
  await guarded.write(new Uint8Array(1));
  await clock.advance(notAfter);
  return { gate, guarded, seen, arriving, early };
}

test('QHX-7: bytes cross until the credential ends, and none after', async () => {
  const { gate, guarded, seen, arriving, early } = await lapsed();
  assert.deepEqual(seen, ['write 1']);
  const late = [guarded.write(new Uint8Array(2)), guarded.finish(), early];
  // What was waited for before the end and comes after it does not go on either.
  arriving.resolve(new Uint8Array(3));
  await new Promise(setImmediate);
  assert.deepEqual(seen, ['write 1']);
  gate.renew(2 * notAfter);
  await Promise.all(late);
  assert.deepEqual(seen.toSorted(), ['finish', 'read 3', 'write 1', 'write 2']);
});

test('a session that ends while it waits lets everybody find that out', async () => {
  const { gate, guarded, seen } = await lapsed();
  const late = guarded.write(new Uint8Array(2));
  guarded.reset('cancelled');
  assert.deepEqual(seen, ['write 1', 'reset cancelled'], 'giving up needs no credential');
  gate.end();
  await late;
  assert.equal(gate.passage, undefined);
});
