/** What a session exports is its own: a step-up's answer is bound to it, so one session's may not be another's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hex, utf8 } from '../../../protocol/bytes.ts';
import { systemClock } from '../../../server/channel/system-clock.ts';
import { generateComposite } from '../../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { twoEnds } from '../../browser/support/two-ends.ts';

test('QZ-18: two sessions of the same keys and credential holder export different values for the same context', async () => {
  const [session, gateway, issuer] = [generateComposite(), generateComposite(), generateComposite()];
  const keys = { session: session.signer, gateway: gateway.signer, issuer: issuer.signer };
  const values: string[] = [];
  for (let i = 0; i < 2; i += 1) {
    const ends = await twoEnds(nodeCrypto, systemClock, keys, () => undefined);
    const [here, there] = [ends.client, ends.gateway].map((end) => hex(end.exporter('webauthn', utf8('nonce'))));
    assert.equal(here, there);
    values.push(here!);
    ends.client.close('done');
    await ends.gateway.closed;
  }
  assert.notEqual(values[0], values[1]);
});
