/**
 * Keccak and its sponges as FIPS 202 tells them, on big integers, with the constants computed from their definitions:
 * the slow twin of wasm/assembly/keccak.ts. Not for anything but tests.
 */
import { fromLittleEndian, toLittleEndian } from './integers.ts';

/** A[x][y] of section 3.1.2, 64 bits each. */
type State = bigint[][];

const five = [0, 1, 2, 3, 4] as const;
const word = (1n << 64n) - 1n;
const rotate = (lane: bigint, by: number): bigint => ((lane << BigInt(by)) | (lane >> BigInt(64 - by))) & word;
const lanes = (of: (x: number, y: number) => bigint): State => five.map((x) => five.map((y) => of(x, y)));
const at = (a: State, x: number, y: number): bigint => a[x % 5]![y % 5]!;

/** Algorithm 5: a bit of a linear feedback shift register for each power of two in a round's constant. */
function rc(t: number): bigint {
  let r = 1;
  for (let i = 0; i < t % 255; i++) {
    r <<= 1;
    if (r & 0x100) r ^= 0x171;
  }
  return BigInt(r & 1);
}

/** Algorithm 6, line 3. */
const roundConstants = Array.from({ length: 24 }, (_, round) =>
  [0, 1, 2, 3, 4, 5, 6].reduce((sum, j) => sum | (rc(j + 7 * round) << BigInt(2 ** j - 1)), 0n),
);

/** Algorithm 2: how far each lane turns. */
const offsets = five.map(() => five.map(() => 0));
for (let t = 0, [x, y] = [1, 0]; t < 24; t++, [x, y] = [y, (2 * x + 3 * y) % 5])
  offsets[x]![y] = (((t + 1) * (t + 2)) / 2) % 64;

function round(a: State, constant: bigint): State {
  const parity = five.map((x) => five.reduce((sum: bigint, y) => sum ^ at(a, x, y), 0n));
  const theta = lanes((x, y) => at(a, x, y) ^ parity[(x + 4) % 5]! ^ rotate(parity[(x + 1) % 5]!, 1));
  const rho = lanes((x, y) => rotate(at(theta, x, y), offsets[x]![y]!));
  const pi = lanes((x, y) => at(rho, x + 3 * y, x));
  const chi = lanes((x, y) => at(pi, x, y) ^ (~at(pi, x + 1, y) & word & at(pi, x + 2, y)));
  chi[0]![0]! ^= constant;
  return chi;
}

/** Sections 4 and 5.1: the sponge with pad10*1 behind the domain's bits. */
function sponge(rate: number, domain: number, message: Uint8Array, length: number): Uint8Array {
  const padded = new Uint8Array((Math.floor(message.length / rate) + 1) * rate);
  padded.set(message);
  padded[message.length]! ^= domain;
  padded[padded.length - 1]! ^= 0x80;
  let state = lanes(() => 0n);
  const permute = () => {
    state = roundConstants.reduce(round, state);
  };
  for (let block = 0; block < padded.length; block += rate) {
    for (let i = 0; i < rate; i += 8) {
      const [x, y] = [(i / 8) % 5, Math.floor(i / 40)];
      state[x]![y]! ^= fromLittleEndian(padded.subarray(block + i, block + i + 8));
    }
    permute();
  }
  const out: number[] = [];
  while (out.length < length) {
    if (out.length > 0) permute();
    for (let i = 0; i < rate; i += 8) out.push(...toLittleEndian(at(state, (i / 8) % 5, Math.floor(i / 40)), 8));
  }
  return Uint8Array.from(out.slice(0, length));
}

/** Sections 6.1 and 6.2, by the names that node:crypto has for them. */
export const keccak = {
  'sha3-256': (message: Uint8Array) => sponge(136, 0x06, message, 32),
  'sha3-512': (message: Uint8Array) => sponge(72, 0x06, message, 64),
  shake128: (message: Uint8Array, length: number) => sponge(168, 0x1f, message, length),
  shake256: (message: Uint8Array, length: number) => sponge(136, 0x1f, message, length),
};
