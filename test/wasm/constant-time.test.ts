/** The check of test/constant-time on the shipped module, and that it reports what was planted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leaks, missingForConstantTime, plantedLeaks } from '../constant-time/check.ts';

const missing = missingForConstantTime();
if (missing !== null) {
  if (process.env['CI'] === 'true') throw new Error(missing);
  console.warn(`constant time: ${missing}`);
}
const needsTools = missing === null ? {} : { skip: missing };

test('QZ-18: each leak that was planted in the module is reported', needsTools, async () => {
  const planted = await plantedLeaks();
  assert.ok(planted.size >= 7);
  assert.deepEqual(
    [...planted].filter(([, found]) => !found),
    [],
  );
});

test('QZ-18: no branch and no address of the shipped Wasm depends on a secret', needsTools, async () => {
  assert.deepEqual(await leaks(), []);
});
