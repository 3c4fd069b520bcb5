import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Download } from '../../../worker/sw/download.ts';

/** A page that reads all of a body, and what it told of what it took. */
async function readThrough(
  expected: number | undefined,
  sizes: readonly number[],
): Promise<{ credits: number[]; bytes: number }> {
  const credits: number[] = [];
  const download = new Download(
    (bytes) => credits.push(bytes),
    () => assert.fail('nobody cancels'),
  );
  download.expected = expected;
  const reader = download.stream.getReader();
  let bytes = 0;
  for (const size of sizes) {
    download.push(new Uint8Array(size));
    bytes += (await reader.read()).value?.byteLength ?? 0;
    // A credit is said by then: a stream pulls before it answers its next reader.
    await new Promise((resolve) => setImmediate(resolve));
  }
  download.end(bytes);
  assert((await reader.read()).done);
  return { credits, bytes };
}

for (const [what, expected, credits] of [
  ['of a length that nobody knows', undefined, [10, 20, 30]],
  ['of the declared length', 60, [10, 20]],
  ['longer than declared', 30, [10, 50]],
] as const)
  test(`what a body ${what} has brought is credited, but not the last byte of what was declared`, async () => {
    assert.deepEqual(await readThrough(expected, [10, 20, 30]), { credits, bytes: 60 });
  });
