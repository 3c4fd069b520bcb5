/**
 * Measured times of the Wasm in this engine, for two classes of inputs that differ in their secrets alone, compared by
 * Welch's t as in "dude, is my code constant time?" (Reparaz, Balasch, Verbauwhede, 2017, ia.cr/2016/1123).
 *
 * A report and no check: a t beyond 4.5 on a quiet machine is worth a look, on a busy one it may be the machine, and a
 * small t shows nothing but that this many samples saw nothing. Two controls show what the method can see here.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { join } from 'node:path';
import { instantiate, type KernelExports } from '../../wasm/exports.ts';
import { faultyModule } from '../native/module.ts';
import { freshKernel } from '../wasm/under-test.ts';

/** One operation and how its inputs of class 0 and class 1 are put in the doors, which both are by the same writes. */
interface Subject {
  readonly name: string;
  readonly samples: number;
  readonly prepare: (which: 0 | 1) => void;
  readonly operation: () => void;
}

const warmUp = 200;
/** The slowest tenth is the machine's interruptions. */
const keptShare = 0.9;

/** Prints one line for each subject: t and how many samples it is made of. */
export async function reportTimings(): Promise<void> {
  const { binary } = await faultyModule(join(import.meta.dirname, 'planted.as'));
  const leaky = instantiate(new WebAssembly.Module(new Uint8Array(binary)));
  console.log('Times in this engine (t of Welch; beyond 4.5 is worth a look on a quiet machine, and only there):');
  for (const subject of [...subjects(), opening('control with a planted leak', leaky, zerosOrNot)]) {
    const { t, samples } = measure(subject);
    console.log(`  ${subject.name}: t = ${t.toFixed(1)} over ${samples} samples`);
  }
}

function subjects(): Subject[] {
  const { raw } = freshKernel();
  return [
    opening('control without a difference', raw, () => ({ text: new Uint8Array(textBytes), flipped: 0 })),
    opening('aeadOpen: the first byte of the tag differs, or the last', raw, firstOrLast),
    scalars(raw),
    ciphertexts(raw),
  ];
}

const textBytes = 1024;
const zerosOrNot = (which: 0 | 1) => ({ text: new Uint8Array(textBytes).fill(which), flipped: -1 });
const firstOrLast = (which: 0 | 1) => ({ text: new Uint8Array(textBytes), flipped: which === 0 ? 0 : 15 });

/** aeadOpen of a record whose tag is wrong at byte `flipped`, or right when that is -1. */
function opening(
  name: string,
  raw: KernelExports,
  of: (which: 0 | 1) => { text: Uint8Array; flipped: number },
): Subject {
  const memory = new Uint8Array(raw.memory.buffer);
  const key = randomBytes(32);
  const sealed = ([0, 1] as const).map((which) => {
    const { text, flipped } = of(which);
    memory.set(key, raw.KEY.value);
    memory.set(text, raw.SEAL_TEXT.value);
    raw.aeadSeal(0, textBytes);
    const record = memory.slice(raw.SEAL_TEXT.value, raw.SEAL_TEXT.value + textBytes + 16);
    if (flipped >= 0) record[textBytes + flipped]! ^= 1;
    return record;
  });
  return {
    name,
    samples: 20_000,
    prepare: (which) => {
      memory.set(key, raw.KEY.value);
      memory.set(sealed[which]!, raw.OPEN_TEXT.value);
    },
    operation: () => void raw.aeadOpen(0, textBytes),
  };
}

/** One scalar of zeros, against one of random bits each time; both are drawn and copied alike. */
function scalars(raw: KernelExports): Subject {
  const memory = new Uint8Array(raw.memory.buffer);
  const point = randomBytes(32);
  return {
    name: 'x25519: a scalar of zeros, or a random one',
    samples: 4000,
    prepare: (which) => {
      const scalar = randomBytes(32);
      const mask = -which;
      memory.set(
        scalar.map((byte) => byte & mask),
        raw.SCALAR.value,
      );
      memory.set(point, raw.POINT.value);
    },
    operation: () => raw.x25519(),
  };
}

/** A ciphertext made for the key, against one with a bit flipped: implicit rejection. */
function ciphertexts(raw: KernelExports): Subject {
  const memory = new Uint8Array(raw.memory.buffer);
  memory.set(randomBytes(64), raw.KEM_SEED.value);
  raw.mlkemGenerate(1); // leaves the encapsulation key at its door
  memory.set(randomBytes(32), raw.KEM_MESSAGE.value);
  raw.mlkemEncapsulate();
  const genuine = memory.slice(raw.KEM_CIPHERTEXT.value, raw.KEM_CIPHERTEXT.value + 1088);
  const given = [genuine, genuine.map((byte, at) => byte ^ Number(at === 1000))];
  return {
    name: 'mlkemDecapsulate: a genuine ciphertext, or another',
    samples: 4000,
    prepare: (which) => memory.set(given[which]!, raw.KEM_CIPHERTEXT.value),
    operation: () => raw.mlkemDecapsulate(1),
  };
}

/** The classes in random order, so that what the machine does meanwhile falls on both. */
function measure({ samples, prepare, operation }: Subject): { t: number; samples: number } {
  const times: Record<0 | 1, number[]> = { 0: [], 1: [] };
  for (let i = -warmUp; i < samples; i++) {
    const which = randomInt(2) as 0 | 1;
    prepare(which);
    const start = process.hrtime.bigint();
    operation();
    const elapsed = Number(process.hrtime.bigint() - start);
    if (i >= 0) times[which].push(elapsed);
  }
  const limit = [...times[0], ...times[1]].sort((a, b) => a - b)[Math.floor(samples * keptShare)]!;
  const [a, b] = [times[0], times[1]].map((all) => all.filter((time) => time <= limit)) as [number[], number[]];
  return { t: welch(a, b), samples: a.length + b.length };
}

function welch(a: readonly number[], b: readonly number[]): number {
  const mean = (x: readonly number[]) => x.reduce((sum, value) => sum + value, 0) / x.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const share = (x: readonly number[], of: number) =>
    x.reduce((sum, value) => sum + (value - of) ** 2, 0) / (x.length - 1) / x.length;
  return (meanA - meanB) / Math.sqrt(share(a, meanA) + share(b, meanB));
}
