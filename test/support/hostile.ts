/**
 * Hostile bytes for parsers, from noise to almost right, with a seed that is printed, and the one thing every parser
 * owes: a value or its own typed error. A parser that never returns is ended by the runner's limit for a file.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { inLong } from './long.ts';

/** Runs of each parser. */
export const hostileRuns = inLong(1_000, 100_000);
const seed = Number(process.env['LATCHKEY_SEED'] ?? randomInt(2 ** 31));

type Change = (bytes: Uint8Array) => Uint8Array;
const spliced = (bytes: Uint8Array, at: number, skip: number, put: Uint8Array): Uint8Array => {
  const from = at % (bytes.length + 1);
  return new Uint8Array(Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + skip)]));
};
const anywhere = fc.nat(2 ** 20);
/** What lengths and counts like to be. */
const telling = fc.constantFrom(
  '00',
  'ff',
  '0000',
  'ffff',
  '7fff',
  '8000',
  'ffffffff',
  '7fffffff',
  '00000000',
  '80000000',
);

/** One thing done to real bytes: a stretch replaced, a number made extreme, a bit flipped, the end cut or doubled. */
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(anywhere, fc.nat(40), fc.uint8Array({ maxLength: 40 })).map(
    ([at, skip, put]): Change =>
      (bytes) =>
        spliced(bytes, at, skip, put),
  ),
  fc.tuple(anywhere, telling).map(([at, number]): Change => {
    const put = new Uint8Array(Buffer.from(number, 'hex'));
    return (bytes) => spliced(bytes, at, put.length, put);
  }),
  fc.tuple(anywhere, fc.nat(7)).map(
    ([at, bit]): Change =>
      (bytes) =>
        bytes.map((byte, i) => (i === at % bytes.length ? byte ^ (1 << bit) : byte)),
  ),
  anywhere.map(
    (at): Change =>
      (bytes) =>
        bytes.slice(0, at % (bytes.length + 1)),
  ),
  anywhere.map(
    (at): Change =>
      (bytes) =>
        spliced(bytes, bytes.length, 0, bytes.slice(at % (bytes.length + 1))),
  ),
);

/** Noise, or something real with one to three things done to it, so that a parser gets past its first field. */
export function damaged(...real: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const changed = fc
    .tuple(fc.constantFrom(...real), fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([bytes, changes]) => changes.reduce((now, make) => make(now), bytes));
  return fc.oneof({ weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) }, { weight: 4, arbitrary: changed });
}

/**
 * Gives a parser hostile input; a failure prints what it was and its seed. At least one input must be refused and, if
 * `real` is, the undamaged one taken, or the run has shown nothing.
 * @param isOurs whether an error is the one this parser may throw
 */
export async function assault<Input>(
  t: TestContext,
  inputs: fc.Arbitrary<Input>,
  parse: (input: Input) => unknown,
  isOurs: (error: unknown) => boolean,
  numRuns = hostileRuns,
): Promise<void> {
  const counts = { taken: 0, refused: 0 };
  const property = fc.asyncProperty(inputs, async (input) => {
    try {
      await parse(input);
      counts.taken++;
    } catch (error) {
      assert.ok(isOurs(error), `${error instanceof Error ? error.stack : error}`);
      counts.refused++;
    }
  });
  await fc.assert(property, { numRuns, seed });
  t.diagnostic(`${counts.refused} refused, ${counts.taken} taken, LATCHKEY_SEED=${seed}`);
  assert.ok(counts.refused + counts.taken >= numRuns, 'every input was given');
}
