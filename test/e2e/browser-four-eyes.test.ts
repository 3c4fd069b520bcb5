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
  await bob.enrol(await linkFor(product, 'Bob', 'admins'));
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
    await hub.goto(new URL('/changes', product.ready.hub).href);
    await hub.getByText('permit (principal, action, resource);').waitFor();
    await hub.getByRole('button', { name: 'Approve with your passkey' }).click();
    await hub.getByRole('status').filter({ hasText: said }).waitFor();
    assert.deepEqual(await inForce(), expected);
  }
  await bob.hub.getByText('Nothing waits.').waitFor();
});
