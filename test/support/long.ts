/**
 * Tests that can be made longer have two forms: the short one is part of `npm test`, the long one is run by
 * `npm run test:long`, which sets LATCHKEY_LONG=1. docs/testing.md says what each does.
 */
const isLong = process.env['LATCHKEY_LONG'] === '1';

/** What the present form uses. */
export function inLong<T>(short: T, long: T): T {
  return isLong ? long : short;
}
