/** The administration in a real Chromium: a link made in the page, its guest seen live, and cut. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Person } from './support/person.ts';
import { Product } from './support/product.ts';

let product: Product;
let admin: Person;
let guest: Person;
before(async () => {
  product = await Product.start();
  [admin, guest] = await Promise.all([Person.arrive(), Person.arrive()]);
  await admin.enrol(product.ready.enrol ?? '');
});
after(async () => {
  await guest?.[Symbol.asyncDispose]();
  await admin?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
});

const folder = process.env['LATCHKEY_SCREENSHOTS'];
async function picture(name: string): Promise<void> {
  if (folder !== undefined) await admin.hub.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
}

test('BR-3: an administrator makes a link in the page, sees its guest live, cuts them off, and the guest is told', async () => {
  const { hub: page } = admin;
  await page.getByRole('link', { name: 'Administration' }).click();
  await page.getByRole('link', { name: 'Links', exact: true }).click();
  await page.getByText('Make a link').click();
  await page.getByRole('checkbox', { name: /Kiosk/ }).check();
  await picture('admin-link-form');
  await page.getByRole('button', { name: 'Make the link' }).click();
  const url = await page.locator('dialog code').textContent();
  await page.getByRole('img', { name: 'QR code of the link' }).waitFor();
  await picture('admin-link-made');
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('listitem').filter({ hasText: 'demo' }).getByText('live', { exact: true }).waitFor();

  await guest.hub.goto(url ?? '');
  await guest.hub.getByRole('button', { name: 'Open' }).click();
  await guest.hub.getByRole('heading', { name: 'Open to you' }).waitFor();
  const { shell } = await guest.open('demo');

  await page.getByRole('link', { name: 'Live sessions' }).click();
  const row = page.getByRole('listitem').filter({ hasText: 'A guest · demo' });
  await row.getByText('open', { exact: true }).waitFor();
  assert.match((await row.textContent()) ?? '', /kB in|B in/);
  await picture('admin-session');
  await row.getByRole('button', { name: /^Cut/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cut' }).click();
  await shell.locator('[role=status][data-state=refused], [role=status][data-state=closed]').waitFor();
  await row.waitFor({ state: 'detached' });
  assert.deepEqual(
    admin.console.filter((line) => /^uncaught|violation/.test(line)),
    [],
  );
});

test('QHX-8: what is another role’s duty is not in the pages, and is there once the role is granted', async () => {
  const { hub: page } = admin;
  assert.equal(await page.getByRole('link', { name: 'Policies' }).count(), 0);
  const { users } = (await product.cliJson('user', 'list')) as { users: { id: string }[] };
  await product.cliJson('user', 'grant', users[0]?.id ?? '', 'policy');
  await page.reload();
  await page.getByRole('link', { name: 'Policies' }).click();
  const text = page.getByLabel('Cedar policies');
  await text.fill('permit (principal, action, resource) when { context.nothing };');
  await page.getByRole('button', { name: 'Check' }).click();
  await page.getByText('This cannot be put in force').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Put in force' }).isDisabled(), true);
  await text.fill('@id("admins") permit (principal in Group::"admins", action, resource);');
  await page.getByRole('button', { name: 'Check' }).click();
  await page.getByText(/No fault|Nothing would change/).waitFor();
  await picture('admin-policies');
  await page.getByRole('button', { name: 'Put in force' }).click();
  await page.getByText(/In force, as epoch/).waitFor();
});
