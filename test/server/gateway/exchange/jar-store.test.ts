import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { nodeCrypto } from '../../../../server/crypto/node-crypto.ts';
import { JarStore } from '../../../../server/gateway/exchange/jar-store.ts';
import { asked } from './support.ts';

const owner = { user: 'ada', device: 'laptop', service: 'wiki' };
const key = Buffer.alloc(32, 7).toString('base64url');
const otherKey = Buffer.alloc(32, 8).toString('base64url');

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'latchkey-jars-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const store = () => new JarStore({ crypto: nodeCrypto, directory });
const files = () =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

async function keep(line: string, jarKey: string | undefined = key, who = owner): Promise<void> {
  const open = await store().open(who, jarKey);
  open.jar.store([line], asked(), []);
  await open.save();
}

const header = async (jarKey: string | undefined = key, who = owner) =>
  (await store().open(who, jarKey)).jar.header(asked());

test('BR-1: a sign-in is on disk when save resolves, sealed, for its owner and key alone', async () => {
  await keep('sid=very-secret-value; HttpOnly');
  assert.equal(await header(), 'sid=very-secret-value');
  assert.equal(await header(otherKey), '');
  for (const who of [
    { ...owner, user: 'bob' },
    { ...owner, device: 'phone' },
    { ...owner, service: 'mail' },
  ])
    assert.equal(await header(key, who), '');
  const [file = ''] = files();
  assert.doesNotMatch(readFileSync(file, 'latin1'), /very-secret|sid/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test("BR-1: a jar cannot be passed off as another person's by moving its file", async () => {
  await keep('sid=1');
  await keep('sid=2', key, { ...owner, user: 'bob' });
  const [first = '', second = ''] = files();
  writeFileSync(second, readFileSync(first));
  const seen = [await header(), await header(key, { ...owner, user: 'bob' })];
  assert.equal(seen.filter((text) => text === '').length, 1);
});

test('BR-1: every flipped byte and every cut of the file gives an empty jar, never a wrong one', async () => {
  await keep('sid=1');
  const [file = ''] = files();
  const whole = readFileSync(file);
  for (let at = 0; at < whole.length; at++) {
    const bad = Buffer.from(whole);
    bad[at]! ^= 1;
    writeFileSync(file, bad);
    assert.equal(await header(), '', `byte ${at}`);
  }
  for (const length of [0, 3, 4, 35, 36, whole.length - 1]) {
    writeFileSync(file, whole.subarray(0, length));
    assert.equal(await header(), '', `length ${length}`);
  }
});

test('BR-1: without a usable key cookies live in memory only', async () => {
  const jars = store();
  for (const bad of [undefined, '', 'short', `${key}=`]) {
    const open = await jars.open(owner, bad);
    open.jar.store(['a=1'], asked(), []);
    await open.save();
  }
  assert.deepEqual(files(), []);
  assert.equal((await jars.open(owner, undefined)).jar.header(asked()), 'a=1');
});

test('BR-1: all requests of one owner share one jar, and saves in a burst end with the last state', async () => {
  const jars = store();
  const [one, two] = await Promise.all([jars.open(owner, key), jars.open(owner, key)]);
  assert.equal(one.jar, two.jar);
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => {
      one.jar.store([`c${i}=1`], asked(), []);
      return one.save();
    }),
  );
  assert.equal((await header()).split('; ').length, 20);
  assert.equal(files().length, 1, 'no temporary file is left');
});

test('BR-1: what was not saved yet is saved when the last session ends', async () => {
  const jars = store();
  const open = await jars.open(owner, key);
  open.jar.store(['late=1'], asked(), []);
  await jars.release(owner);
  assert.equal(await header(), 'late=1');
});

test("BR-1: revocation destroys the jars of that device, and of the person, and nobody else's", async () => {
  const phone = { ...owner, device: 'phone' };
  const bob = { ...owner, user: 'bob', device: 'tower' };
  for (const who of [owner, phone, bob]) await keep('a=1', key, who);
  const jars = store();
  await jars.destroy({ user: 'ada', device: 'laptop' });
  assert.deepEqual([await header(), await header(key, phone)], ['', 'a=1']);
  await keep('a=1');
  const held = await jars.open(owner, key);
  await jars.destroy({ device: 'laptop' });
  held.jar.store(['b=2'], asked(), []);
  await held.save();
  assert.deepEqual([await header(), await header(key, phone)], ['', 'a=1'], 'a jar in use is not written again');
  await jars.destroy({ user: 'ada' });
  assert.deepEqual([await header(key, phone), await header(key, bob)], ['', 'a=1']);
});
