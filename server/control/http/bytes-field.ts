/** Bytes in the JSON of the HTTP API: base64url in, Uint8Array inside, base64url out. */
import { z } from '@hono/zod-openapi';
import { base64url, unbase64url } from '../../../protocol/bytes.ts';

/** @param least of `most` when given, else the exact length in bytes */
export function bytes(least: number, most = least) {
  const shortest = Math.ceil((least * 4) / 3);
  const longest = Math.ceil((most * 4) / 3);
  return z
    .string()
    .min(shortest)
    .max(longest)
    .transform((text, refinement) => {
      try {
        return unbase64url(text);
      } catch {
        refinement.addIssue({ code: 'custom', message: 'is not base64url' });
        return z.NEVER;
      }
    });
}

/** Bytes in an answer. */
export const encodedBytes = z
  .string()
  .regex(/^[A-Za-z0-9_-]*$/)
  .openapi({ description: 'bytes in base64url' });

/** The type of an answer once its bytes are text. */
export type Encoded<T> = T extends Uint8Array
  ? string
  : T extends readonly (infer U)[]
    ? Encoded<U>[]
    : T extends object
      ? { [K in keyof T]: Encoded<T[K]> }
      : T;

/** Copies an answer with every Uint8Array in it written as base64url. */
export function encodeBytes<T>(value: T): Encoded<T> {
  // The conditional type above says what this does; TypeScript cannot follow it through the branches.
  return encode(value) as Encoded<T>;
}

function encode(value: unknown): unknown {
  if (value instanceof Uint8Array) return base64url(value);
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, encode(inner)]));
}
