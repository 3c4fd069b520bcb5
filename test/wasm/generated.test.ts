/** Kernels that a generator wrote: what is committed is what it writes, and the bounds its rule rests on hold. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fieldProducts, productsPath } from '../../wasm/generators/field25519-products.ts';

test('QZ-12: the products of the field are what their generator makes', () => {
  assert.equal(readFileSync(productsPath, 'utf8'), fieldProducts());
});

/** The formulas of the generated file: limb k of the result as products of scaled limbs. */
function formulas(name: string): { i: number; byI: bigint; j: number; byJ: bigint }[][] {
  const body = new RegExp(`function ${name}\\(out[\\s\\S]*?\\n}`).exec(fieldProducts())![0];
  const factor = '[fg](\\d)(?:x(\\d+))?';
  return Array.from(body.matchAll(/const h\d = (.*);/g), ([, sum]) =>
    Array.from(sum!.matchAll(new RegExp(`mul\\(${factor}, ${factor}\\)`, 'g')), ([, i, byI, j, byJ]) => ({
      ...{ i: Number(i), byI: BigInt(byI ?? 1) },
      ...{ j: Number(j), byJ: BigInt(byJ ?? 1) },
    })),
  );
}

const exponent = (limb: number): bigint => BigInt(Math.ceil(25.5 * limb));

for (const name of ['multiply', 'square']) {
  test(`QZ-12: ${name}() adds up to the product modulo 2^255 - 19`, () => {
    const p = (1n << 255n) - 19n;
    // Every pair of limbs once: its weight in the result is that of the product of the two.
    const weights = new Map<string, bigint>();
    for (const [k, terms] of formulas(name).entries()) {
      for (const { i, byI, j, byJ } of terms) {
        const pair = `${i},${j}`;
        assert.ok(!weights.has(pair), `${pair} comes twice`);
        weights.set(pair, (byI * byJ) << exponent(k));
      }
    }
    assert.equal(weights.size, name === 'multiply' ? 100 : 55);
    for (const [pair, weight] of weights) {
      const [i, j] = pair.split(',').map(Number) as [number, number];
      const twice = name === 'square' && i !== j ? 2n : 1n;
      assert.equal(weight % p, ((twice << exponent(i)) << exponent(j)) % p, pair);
    }
  });

  test(`QZ-12: no word of ${name}() overflows for factors of three times a carried element`, () => {
    const bound = (limb: number): bigint => 3n * (limb % 2 === 0 ? 1n << 26n : (1n << 25n) + (1n << 17n));
    for (const terms of formulas(name)) {
      let sum = 0n;
      for (const { i, byI, j, byJ } of terms) {
        for (const factor of [bound(i) * byI, bound(j) * byJ]) assert.ok(factor < 1n << 32n);
        sum += bound(i) * byI * bound(j) * byJ;
      }
      // What carryInto() adds on the way is below 2^43.
      assert.ok(sum + (1n << 43n) < 1n << 64n);
    }
  });
}
