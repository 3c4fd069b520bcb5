/** The published vectors as lists of cases, and how a test says how many of them it went through. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { vectorJson } from '../support/vectors.ts';

/** Hexadecimal of either case, as the sources have it. */
export function fromHex(text: string): Uint8Array {
  assert.match(text, /^([0-9a-f]{2})*$/i);
  return new Uint8Array(Buffer.from(text, 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

type Groups<Case> = { testGroups: { tests: Case[] }[] };

/** Every case of a Wycheproof file; `expected` is how many there must be. */
export function wycheproof<Case>(file: string, expected: number): Case[] {
  const { testGroups, numberOfTests } = vectorJson<Groups<Case> & { numberOfTests: number }>(`wycheproof/${file}.json`);
  const cases = testGroups.flatMap((group) => group.tests);
  assert.equal(cases.length, expected);
  assert.equal(numberOfTests, expected);
  return cases;
}

/** A run that verified nothing proves nothing. */
export function report(t: TestContext, verified: number, expected: number, what: string): void {
  assert.equal(verified, expected, `${what}: verified ${verified} of ${expected}`);
  assert.ok(verified > 0, `${what}: nothing was verified`);
  t.diagnostic(`${verified} ${what}`);
}
