import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsVectors, vectorJson } from '../support/vectors.ts';
import { fromHex, report, toHex, wycheproof } from './cases.ts';
import { freshKernel } from './under-test.ts';

const { kernel } = freshKernel();
const base = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 9 : 0));
const zeros = '00'.repeat(32);

interface XdhCase {
  tcId: number;
  public: string;
  private: string;
  shared: string;
  flags: string[];
}

test('QZ-12: X25519 gives every Wycheproof answer, zeros for each point of low order included', needsVectors, (t) => {
  let verified = 0;
  let zeroOutputs = 0;
  for (const c of wycheproof<XdhCase>('x25519_test', 518)) {
    const shared = toHex(kernel.x25519(fromHex(c.private), fromHex(c.public)));
    assert.equal(shared, c.shared, `case ${c.tcId}`);
    if (shared === zeros) zeroOutputs++;
    verified++;
  }
  report(t, verified, 518, 'Wycheproof X25519 cases');
  report(t, zeroOutputs, 31, 'of them all-zero outputs, which the handshake refuses');
});

interface Rfc7748 {
  scalarmult: { section: string; scalar: string; u: string; out: string }[];
  iterated: { start: string; after: Record<'1' | '1000' | '1000000', string> };
  dh: { a: string; A: string; b: string; B: string; K: string };
}

test('QZ-12: X25519 gives the answers of RFC 7748 sections 5.2 and 6.1', needsVectors, (t) => {
  const { scalarmult, dh } = vectorJson<Rfc7748>('rfc/rfc7748-x25519.json');
  let verified = 0;
  const check = (scalar: string, u: string, out: string) => {
    assert.equal(toHex(kernel.x25519(fromHex(scalar), fromHex(u))), out);
    verified++;
  };
  for (const c of scalarmult) check(c.scalar, c.u, c.out);
  check(dh.a, toHex(base), dh.A);
  check(dh.b, toHex(base), dh.B);
  check(dh.a, dh.B, dh.K);
  check(dh.b, dh.A, dh.K);
  report(t, verified, scalarmult.length + 4, 'RFC 7748 vectors');
});

// LATCHKEY_LONG=1 adds the million iterations, about a minute and a half.
const rounds = process.env['LATCHKEY_LONG'] === '1' ? 1_000_000 : 1_000;

test(`QZ-12: X25519 iterated 1 to ${rounds} times ends where RFC 7748 says`, needsVectors, (t) => {
  const { start, after } = vectorJson<Rfc7748>('rfc/rfc7748-x25519.json').iterated;
  let [k, u] = [fromHex(start), fromHex(start)];
  let verified = 0;
  for (let round = 1; round <= rounds; round++) {
    [k, u] = [kernel.x25519(k, u), k];
    const expected = after[String(round) as keyof typeof after];
    if (expected === undefined) continue;
    assert.equal(toHex(k), expected, `after ${round}`);
    verified++;
  }
  report(t, verified, rounds === 1_000 ? 2 : 3, `checkpoints in ${rounds} iterations`);
});

test('refuses scalars and points of another length', () => {
  for (const length of [0, 31, 33]) {
    assert.throws(() => kernel.x25519(new Uint8Array(length), base), TypeError);
    assert.throws(() => kernel.x25519(base, new Uint8Array(length)), TypeError);
  }
});
