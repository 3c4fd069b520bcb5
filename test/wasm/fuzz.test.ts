/** The short form of `npm run fuzz`: test/fuzz has the harnesses and what counts as a finding. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz, fuzzPlanted, harnesses, missingForFuzzing } from '../fuzz/fuzz.ts';

const missing = missingForFuzzing();
if (missing !== null) {
  if (process.env['CI'] === 'true') throw new Error(missing);
  console.warn(`fuzzing: ${missing}`);
}
const needsTools = missing === null ? {} : { skip: missing };

for (const harness of harnesses) {
  test(`QZ-18: fuzzing by ${harness}.c finds the fault that was planted`, needsTools, async () => {
    const { finding, report } = await fuzzPlanted(harness, { runs: 300_000 });
    assert.notEqual(finding, null, report);
  });

  test(`QZ-18: fuzzing by ${harness}.c finds nothing in the shipped module`, needsTools, async () => {
    const { finding, runs, report } = await fuzz(harness, { seconds: 6 });
    assert.equal(finding, null, report);
    assert.ok(runs > 0, report);
  });
}
