/** Whom the limits on strangers tell apart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceOf } from '../../server/source-address.ts';

test('counts an IPv6 /64 as one source, an IPv4 address as one', () => {
  assert.equal(sourceOf({ address: 'fd00::1' }), sourceOf({ address: 'fd00::2' }));
  assert.notEqual(sourceOf({ address: 'fd00:0:0:1::1' }), sourceOf({ address: 'fd00::1' }));
  assert.notEqual(sourceOf({ address: '10.0.0.1' }), sourceOf({ address: '10.0.0.2' }));
  assert.equal(sourceOf({ address: '::ffff:10.0.0.1' }), sourceOf({ address: '10.0.0.1' }));
});
