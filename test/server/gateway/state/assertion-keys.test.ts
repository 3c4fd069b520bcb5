import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { AssertionKeys } from '../../../../server/gateway/state/assertion-keys.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const hourMs = 3_600_000;
let folder = '';
let clock: FakeClock;
let changes = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-assertions-'));
  clock = new FakeClock();
  changes = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => AssertionKeys.open(folder, clock, () => (changes += 1));
const file = () => join(folder, 'assertion-keys.json');
const kidOf = async (keys: AssertionKeys) => decodeProtectedHeader(await keys.sign({ sub: 'ada' })).kid;
const published = (keys: AssertionKeys) => keys.published.map(({ kid }) => kid);

/** As a service does it, with what the gateway publishes. */
async function verified(token: string, keys: AssertionKeys) {
  const set = createLocalJWKSet({
    keys: keys.published.map(({ kid, x, y }) => ({ kty: 'EC', crv: 'P-256', kid, x, y })),
  });
  return jwtVerify(token, set, { algorithms: ['ES256'], currentDate: new Date(clock.now()) });
}

test("QPT-9: what a gateway signs is verified by its published key, and by no other gateway's", async () => {
  const keys = await open();
  const token = await keys.sign({ sub: 'ada', exp: clock.now() / 1_000 + 60 });
  assert.equal((await verified(token, keys)).payload.sub, 'ada');
  const elsewhere = mkdtempSync(join(tmpdir(), 'latchkey-assertions-'));
  const other = await AssertionKeys.open(elsewhere, clock, () => undefined);
  rmSync(elsewhere, { recursive: true });
  await assert.rejects(verified(token, other), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
  const [head, body, signature] = token.split('.');
  const forged = Buffer.from(JSON.stringify({ sub: 'bob' })).toString('base64url');
  await assert.rejects(verified([head, forged, signature].join('.'), keys), {
    code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  });
  assert.ok(body !== forged);
});

test('QPT-9: the key outlives the process, is published without its private half and readable by its owner alone', async () => {
  const keys = await open();
  const again = await open();
  assert.deepEqual(again.published, keys.published);
  assert.deepEqual(Object.keys(keys.published[0] ?? {}).sort(), ['kid', 'madeAt', 'x', 'y']);
  assert.equal(statSync(file()).mode & 0o777, 0o600);
  assert.match(readFileSync(file(), 'utf8'), /"d":/);
});

test('QPT-9: a new key is published for an hour before it signs, and the old one until its word has expired', async () => {
  const keys = await open();
  const first = await kidOf(keys);
  await clock.advance(24 * hourMs);
  assert.equal(await kidOf(keys), first);
  assert.equal(keys.published.length, 2, 'the next key is known to services');
  assert.equal(changes, 1);
  await clock.advance(hourMs - 1);
  assert.equal(await kidOf(keys), first);
  await clock.advance(1);
  const second = await kidOf(keys);
  assert.notEqual(second, first);
  assert.deepEqual(published(keys), [second, first]);
  await clock.advance(2 * hourMs);
  assert.equal(await kidOf(keys), second);
  assert.deepEqual(published(keys), [second]);
  assert.equal(changes, 2);
});

test('QPT-9: keys change without a request too, so that the next one is signed by a key services know', async () => {
  const keys = await open();
  const first = await kidOf(keys);
  await clock.advance(4 * 24 * hourMs);
  const known = published(keys);
  assert.ok(!known.includes(String(first)));
  assert.equal(await kidOf(keys), known.at(-1));
});

test('QPT-9: a machine that slept for days signs by a key that is published', async () => {
  const keys = await open();
  const first = await kidOf(keys);
  clock.jump(5 * 24 * hourMs);
  const next = await kidOf(keys);
  assert.notEqual(next, first);
  assert.ok(published(keys).includes(String(next)));
});

test('QPT-9: requests that come at once make one new key', async () => {
  const keys = await open();
  clock.jump(24 * hourMs);
  await Promise.all(Array.from({ length: 20 }, () => keys.sign({ sub: 'ada' })));
  assert.equal(changes, 1);
});

for (const [name, text] of [
  ['no JSON', '{'],
  ['another shape', '[{"kid":"x"}]'],
  [
    'a point that is not on the curve',
    JSON.stringify([
      {
        kid: 'A'.repeat(43),
        madeAt: 1,
        jwk: { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43), d: 'A'.repeat(43) },
      },
    ]),
  ],
] as const)
  test(`QPT-9: a key file that is ${name} is replaced by a new key`, async () => {
    writeFileSync(file(), text);
    const keys = await open();
    assert.equal(keys.published.length, 1);
    assert.ok(await kidOf(keys));
    assert.deepEqual((await open()).published, keys.published);
  });
