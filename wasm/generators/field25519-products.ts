/**
 * `node wasm/generators/field25519-products.ts`: writes assembly/field25519-products.ts, the two products of X25519's
 * field on two lanes. They are a hundred and fifty-five multiplications under one rule, which is what stands here:
 *
 *     f = f0 + 2^26 f1 + 2^51 f2 + 2^77 f3 + …      limb i weighs 2^ceil(25.5 i), and 2^255 = 19
 *     limb i times limb j goes to limb i + j mod 10, twice if both are odd, nineteen times if i + j > 9
 *
 * test/wasm/generated.test.ts compares what is committed with what this makes. Not for other fields.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const productsPath = join(import.meta.dirname, '../assembly/field25519-products.ts');

const limbs = Array.from({ length: 10 }, (_, i) => i);
const isOdd = (i: number): boolean => i % 2 === 1;

/** A name for limb `i` of `of` times a factor, and the factors that were asked for. */
class Scaled {
  readonly #lines = new Map<string, string>();

  name(of: string, i: number, factor: 1 | 2 | 19 | 38): string {
    const limb = `${of}${i}`;
    if (factor === 1) return limb;
    const name = `${limb}x${factor}`;
    const value = factor === 2 ? `i32x4.shl(${limb}, 1)` : `i32x4.mul(${limb}, n${factor})`;
    this.#lines.set(name, `  const ${name} = ${value};`);
    return name;
  }

  lines(): string[] {
    return [...this.#lines.keys()].sort().map((name) => this.#lines.get(name)!);
  }
}

/** Limb k of f * g: the factor 2 goes to f, 19 to g. */
function productTerms(k: number, scaled: Scaled): string[] {
  return limbs.map((i) => {
    const j = (k - i + 10) % 10;
    const f = scaled.name('f', i, isOdd(i) && isOdd(j) ? 2 : 1);
    return `mul(${f}, ${scaled.name('g', j, i + j > 9 ? 19 : 1)})`;
  });
}

/** Limb k of f * f: two equal terms are one of twice the size, and that 2 goes to the first factor. */
function squareTerms(k: number, scaled: Scaled): string[] {
  const pairs = limbs.flatMap((i) => limbs.slice(i).map((j) => [i, j] as const));
  return pairs
    .filter(([i, j]) => (i + j) % 10 === k)
    .map(([i, j]) => {
      const odd = isOdd(i) && isOdd(j);
      const second = i + j > 9 ? (odd ? 38 : 19) : odd ? 2 : 1;
      return `mul(${scaled.name('f', i, i === j ? 1 : 2)}, ${scaled.name('f', j, second)})`;
    });
}

const sum = (terms: string[]): string => terms.reduce((left, right) => `add(${left}, ${right})`);

function operation(head: string, operands: string[], terms: (k: number, scaled: Scaled) => string[]): string {
  const scaled = new Scaled();
  const results = limbs.map((k) => `  const h${k} = ${sum(terms(k, scaled))};`);
  const factors = scaled.lines();
  const numbers = [19, 38].filter((n) => factors.some((line) => line.includes(`n${n})`)));
  return [
    head,
    ...numbers.map((n) => `  const n${n} = v128.load(TIMES_${n});`),
    ...operands.flatMap((of) => limbs.map((i) => `  const ${of}${i} = v128.load64_zero(${of}, ${8 * i});`)),
    ...factors,
    ...results,
    `  carryInto(out, ${limbs.map((k) => `h${k}`).join(', ')});`,
    '}',
  ].join('\n');
}

/** The whole source file. */
export function fieldProducts(): string {
  return `/**
 * Products in the field of 2^255 - 19, two at a time (cr.yp.to/ecdh/curve25519-20060209.pdf section 4; shapes and bounds in
 * field25519.ts). Made by wasm/generators/field25519-products.ts: change that one.
 *
 * Not for other fields.
 */
import { carryInto } from './field25519';

/** Read from memory: an engine would rebuild constants at each use. */
const TIMES_19: usize = memory.data<u32>([19, 19, 19, 19]);
const TIMES_38: usize = memory.data<u32>([38, 38, 38, 38]);

@inline
function mul(a: v128, b: v128): v128 {
  return i64x2.extmul_low_i32x4_u(a, b);
}

@inline
function add(a: v128, b: v128): v128 {
  return i64x2.add(a, b);
}

/** out = f * g in both lanes. */
${operation('export function multiply(out: usize, f: usize, g: usize): void {', ['f', 'g'], productTerms)}

/** out = f * f in both lanes. */
${operation('export function square(out: usize, f: usize): void {', ['f'], squareTerms)}
`;
}

if (import.meta.main) writeFileSync(productsPath, fieldProducts());
