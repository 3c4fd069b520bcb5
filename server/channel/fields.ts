/** Field shapes that several messages of the control channel share. Hostile until parsed here. */
import { isIP } from 'node:net';
import { z } from 'zod';

/** base64url without padding of exactly `length` bytes. */
export const bytesField = (length: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]*$/)
    .refine((text) => Buffer.from(text, 'base64url').length === length, `is not ${length} bytes in base64url`)
    .refine((text) => Buffer.from(text, 'base64url').toString('base64url') === text, 'is not canonical base64url');

/** base64url of anything up to `most` bytes: signed objects, judged by their signature later. */
export const objectField = (most = 4 * 1024 * 1024) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .max(Math.ceil((most * 4) / 3));

/** A WireGuard key as WireGuard writes it: base64 with padding, 32 bytes. */
export const wireguardKeyField = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=$/)
  .refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'is not a canonical key');

/** A service, connector or gateway name: one DNS label, because it becomes one. */
export const nameField = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);

export const portField = z.number().int().min(1).max(65_535);

export const ipField = z.string().refine((text) => isIP(text) !== 0, 'is not an IP address');

/** `a.b.c.d/len` or `x::y/len`, host bits as written. */
export const cidrField = z.string().refine((text) => {
  const [address = '', length = '', ...rest] = text.split('/');
  const family = isIP(address);
  return (
    rest.length === 0 &&
    family !== 0 &&
    /^(0|[1-9]\d{0,2})$/.test(length) &&
    Number(length) <= (family === 4 ? 32 : 128)
  );
}, 'is not an address range');

/** `host:port` with an IP literal, IPv6 in brackets. */
export const endpointField = z.string().refine((text) => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([1-9]\d{0,4})$/.exec(text);
  if (match === null || Number(match[3]) > 65_535) return false;
  return match[1] === undefined ? isIP(match[2] ?? '') === 4 : isIP(match[1]) === 6;
}, 'is not host:port');

/** What text of a stranger may not put on a terminal or into a log: controls, line separators, bidirectional marks. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Text that is judged later, or looked up. No store takes a NUL, PostgreSQL with an error. */
export const storableField = (most: number) =>
  z
    .string()
    .max(most)
    .refine((text) => !text.includes('\0'), 'has a NUL');

/** Text that whoever sends it can be told to write otherwise: what {@link printableField} would replace is refused. */
export const plainField = (most: number) =>
  z
    .string()
    .max(most)
    .refine((text) => text.search(unprintable) < 0, 'has characters that cannot be printed');

/**
 * Text that came from outside and will be read by a person: cut to `most` characters, and whatever could forge a log
 * line or turn the reading direction becomes U+FFFD. It is replaced, not refused: a refused audit event would be lost.
 */
export const printableField = (most: number) =>
  z.string().transform((text) => text.slice(0, most).replace(unprintable, '\ufffd'));
