/** Policies that would let everybody in, approved by two administrators in two browsers, as they do it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { linkFor } from './support/browser-world.ts';
import { Person } from './support/person.ts';
import { Product } from './support/product.ts';

let product: Product;
let ada: Person;
let bob: Person;
const folder = mkdtempSync(join(tmpdir(), 'latchkey-policies-'));

before(async () => {
  product = await Product.start();
  ada = await Person.arrive();
  await ada.enrol(product.ready.enrol ?? '');
  bob = await Person.arrive();
  await bob.enrol(await linkFor(product, 'Bob', 'writers'));
  const { users } = (await product.cliJson('user', 'list')) as { users: { id: string }[] };
  for (const { id } of users) await product.cliJson('user', 'grant', id, 'policy');
});
after(async () => {
  await ada?.[Symbol.asyncDispose]();
  await bob?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('QHX-8: two administrators read what everybody would be let in by, and only the second passkey puts it in force', async () => {
  const wide = join(folder, 'wide.cedar');
  writeFileSync(wide, '@id("everybody") permit (principal, action, resource);');
  assert.equal((await product.cli('policy', 'apply', wide)).code, 3);
  const inForce = async () => Object.keys((await product.cliJson('policy', 'show'))['policies'] as object);
  for (const [{ hub }, said, expected] of [
    [ada, 'It waits for another administrator', ['admins']],
    [bob, 'the new policies are in force', ['everybody']],
  ] as const) {
    await hub.goto(new URL('/admin/policies', product.ready.hub).href);
    await hub.getByRole('link', { name: 'Changes' }).click();
    await hub.getByText('permit (principal, action, resource);').waitFor();
    await hub.getByRole('button', { name: 'Approve with your passkey' }).click();
    await hub.getByRole('status').filter({ hasText: said }).waitFor();
    assert.deepEqual(await inForce(), expected);
  }
  await bob.hub.getByText('Nothing waits.').waitFor();
});

test('QZ-22 QHX-8: two administrators put a new root key in use; browsers enrolled before open services as ever, and show its fingerprint', async () => {
  const { fingerprint: before } = await product.cliJson('pins');
  await product.cliJson('rotate');
  for (const [{ hub }, said] of [
    [ada, 'It waits for another administrator'],
    [bob, 'the new root key is in use'],
  ] as const) {
    await hub.goto(new URL('/changes', product.ready.hub).href);
    await hub.getByRole('heading', { name: 'A new root key' }).waitFor();
    await hub.getByRole('button', { name: 'Approve with your passkey' }).click();
    await hub.getByRole('status').filter({ hasText: said }).waitFor();
  }
  assert.notEqual((await product.cliJson('pins'))['fingerprint'], before);
  const shown = (await product.cli('pins')).stdout.trim();
  await ada.launcher(product.ready.hub);
  await ada.open('demo');
  const about = ada.hub.locator('lk-about');
  // The shell tells the hub behind the person's back: the page is read until it says so.
  for (let said = ''; said !== shown; said = (await about.locator('p code').last().textContent()) ?? '') {
    await ada.hub.reload();
    await about.getByText('About this installation').click();
  }
});
