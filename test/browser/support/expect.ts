/** The few checks that tests in a browser need, where node:assert is not. */
import { hex } from '../../../protocol/bytes.ts';

/** @throws Error with `what` unless the two are the same, bytes by content and plain data by its JSON. */
export function same(actual: unknown, expected: unknown, what = 'value'): void {
  const [got, wanted] = [written(actual), written(expected)];
  if (got !== wanted) throw new Error(`${what}: got ${got}, expected ${wanted}`);
}

function written(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes ${hex(value)}`;
  if (value instanceof ArrayBuffer) return `buffer ${hex(new Uint8Array(value))}`;
  return (
    JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ?? 'undefined'
  );
}

/** Runs `run` and returns what it threw. @throws Error when it threw nothing. */
export async function thrown(run: () => unknown): Promise<{ name: string; message: string; code?: unknown }> {
  try {
    await run();
  } catch (error) {
    // Whatever is thrown here is an Error or a DOMException, which is one for this purpose.
    return error as Error & { code?: unknown };
  }
  throw new Error('nothing was thrown');
}

/** The next event of a kind. */
export function next<E extends Event>(target: EventTarget, type: string): Promise<E> {
  // The caller names the event and so knows its class.
  return new Promise((resolve) => target.addEventListener(type, (event) => resolve(event as E), { once: true }));
}
