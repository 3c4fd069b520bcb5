/**
 * The ring of ML-KEM from its definitions (FIPS 203 sections 2.4 and 4.3): the transform as 128 remainders modulo
 * X^2 - gamma_i, its inverse as the interpolation that undoes them, and the product of two polynomials by the
 * schoolbook. The slow twin of wasm/assembly/mlkem/ntt.ts. Not for anything but tests.
 */

export const q = 3329;
export type Poly = number[];

/** 17, the 256th root of unity of section 4.3. */
const root = 17;

export const mod = (value: number): number => ((value % q) + q) % q;

export function power(base: number, exponent: number): number {
  let result = 1;
  for (let i = 0; i < exponent; i++) result = mod(result * base);
  return result;
}

const bitReverse7 = (i: number): number =>
  Number.parseInt(i.toString(2).padStart(7, '0').split('').reverse().join(''), 2);

/** gamma_i = 17^(2 BitRev7(i) + 1). */
export const gammas = Array.from({ length: 128 }, (_, i) => power(root, 2 * bitReverse7(i) + 1));

/** f mod (X^2 - gamma_i), for each i: X^(2j) is gamma^j there. */
export function ntt(f: Poly): Poly {
  return gammas.flatMap((gamma) => {
    let [even, odd, x] = [0, 0, 1];
    for (let j = 0; j < 128; j++) {
      even = mod(even + f[2 * j]! * x);
      odd = mod(odd + f[2 * j + 1]! * x);
      x = mod(x * gamma);
    }
    return [even, odd];
  });
}

/** f[2j] = 1/128 * the sum over i of even_i * gamma_i^-j, and so for the odd ones. 3303 is 1/128. */
export function inverseNtt(hat: Poly): Poly {
  const inverses = gammas.map((gamma) => power(gamma, q - 2));
  const powers = gammas.map(() => 1);
  const f: Poly = [];
  for (let j = 0; j < 128; j++) {
    let [even, odd] = [0, 0];
    for (let i = 0; i < 128; i++) {
      even = mod(even + hat[2 * i]! * powers[i]!);
      odd = mod(odd + hat[2 * i + 1]! * powers[i]!);
      powers[i] = mod(powers[i]! * inverses[i]!);
    }
    f.push(mod(even * 3303), mod(odd * 3303));
  }
  return f;
}

/** Algorithms 11 and 12. */
export function multiplyNtt(a: Poly, b: Poly): Poly {
  return gammas.flatMap((gamma, i) => {
    const [a0, a1, b0, b1] = [a[2 * i]!, a[2 * i + 1]!, b[2 * i]!, b[2 * i + 1]!];
    return [mod(a0 * b0 + mod(a1 * b1) * gamma), mod(a0 * b1 + a1 * b0)];
  });
}

/** a * b modulo X^256 + 1, term by term. */
export function schoolbook(a: Poly, b: Poly): Poly {
  const product: Poly = new Array<number>(256).fill(0);
  for (let i = 0; i < 256; i++) {
    for (let j = 0; j < 256; j++) {
      const sign = i + j < 256 ? 1 : -1;
      product[(i + j) % 256] = mod(product[(i + j) % 256]! + sign * a[i]! * b[j]!);
    }
  }
  return product;
}

export const add = (a: Poly, b: Poly): Poly => a.map((x, i) => mod(x + b[i]!));
export const subtract = (a: Poly, b: Poly): Poly => a.map((x, i) => mod(x - b[i]!));
