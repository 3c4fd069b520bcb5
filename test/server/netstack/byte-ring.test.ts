import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteRing } from '../../../server/netstack/byte-ring.ts';
import { pattern } from './support/random.ts';

test('behaves like an array of bytes under any sequence of appends and drops', () => {
  const step = fc.oneof(
    fc.record({ append: fc.nat(9_000) }),
    fc.record({ drop: fc.double({ min: 0, max: 1, noNaN: true }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const ring = new ByteRing();
      let model = new Uint8Array();
      steps.forEach((each, i) => {
        if ('append' in each) {
          const bytes = pattern(each.append + 3, i + 1);
          ring.append(bytes, 3, bytes.length);
          model = Buffer.concat([model, bytes.subarray(3)]);
        } else {
          const count = Math.floor(each.drop * model.length);
          ring.drop(count);
          model = model.subarray(count);
        }
        assert.equal(ring.length, model.length);
        const half = Math.floor(model.length / 2);
        const copied = new Uint8Array(model.length - half);
        if (copied.length > 0) ring.copy(half, copied.length, copied, 0);
        assert.deepEqual(Buffer.from(copied), Buffer.from(model.subarray(half)));
      });
    }),
    { numRuns: 200 },
  );
});

test('lets go of its memory when it runs empty after having been large', () => {
  const ring = new ByteRing();
  ring.append(new Uint8Array(1_000_000), 0, 1_000_000);
  assert.ok(ring.capacity >= 1_000_000);
  ring.drop(1_000_000);
  assert.equal(ring.capacity, 0);
});
