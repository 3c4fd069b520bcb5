/**
 * Interleaved rounds: in each round every contender works once for about as long, so that whatever else the machine does
 * meets them alike, and a ratio is taken within a round. The median of the rounds is the figure. Runs in Node and in a
 * browser.
 */

/** Does its work so many times. */
export type Contender = (times: number) => void | Promise<void>;

/** Milliseconds, of whichever clock the realm has. */
export type Now = () => number;

/** Milliseconds for one piece of work, one entry a round. */
export type Times<Name extends string> = Readonly<Record<Name, readonly number[]>>;

const rounds = 151;
/** Long enough for the clocks of browsers; so short that on a busy machine most batches end before their turn does. */
const batchMs = 1;
/** Until engines have compiled for speed. */
const warmUpMs = 400;

/** A contender that repeats one piece of synchronous work. */
export function repeat(work: () => unknown): Contender {
  return (times) => {
    for (let i = 0; i < times; i++) work();
  };
}

export async function interleaved<Name extends string>(
  contenders: Readonly<Record<Name, Contender>>,
  now: Now,
): Promise<Times<Name>> {
  const names = Object.keys(contenders) as Name[]; // the record has these keys and no others
  const batches = new Map<Name, number>();
  for (const name of names) batches.set(name, await warmUp(contenders[name], now));
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const batch = batches.get(name)!;
      const began = now();
      await contenders[name](batch);
      times[name].push((now() - began) / batch);
    }
  }
  return times;
}

/** @returns how many times fill a batch, by the fastest that was seen. */
async function warmUp(contender: Contender, now: Now): Promise<number> {
  const end = now() + warmUpMs;
  let fastest = Number.POSITIVE_INFINITY;
  let times = 1;
  do {
    const began = now();
    await contender(times);
    const took = now() - began;
    // A browser's clock stands still over a piece of work: what is far shorter than a batch is no measurement.
    if (took >= batchMs / 10) fastest = Math.min(fastest, took / times);
    times = Number.isFinite(fastest) ? Math.min(2 * times, fitting(fastest)) : 2 * times;
  } while (now() < end || !Number.isFinite(fastest));
  return fitting(fastest);
}

function fitting(each: number): number {
  return Math.max(1, Math.round(batchMs / each));
}

/** How many times faster `fast` is than `slow`. */
export function over<Name extends string>(times: Times<Name>, fast: Name, slow: Name): number {
  return median(times[fast].map((time, round) => times[slow][round]! / time));
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
