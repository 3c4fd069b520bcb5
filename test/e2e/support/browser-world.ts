/** What these browser tests begin with: two services at one address, policies, and people with browsers of their own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Person } from './person.ts';
import type { Product } from './product.ts';

/** Both lead to the demo connector: two services in one subnet, at one address. */
export const alpha = 'alpha';
export const beta = 'beta';

const policies = `
@id("admins") permit (principal in Group::"admins", action, resource);
@id("field-opens-alpha") permit (principal in Group::"field", action, resource == Service::"alpha");
`;

/** Publishes both services, and lets administrators open both and the group `field` the first. */
export async function publishTwo(product: Product): Promise<void> {
  for (const name of [alpha, beta]) await product.cliJson('service', 'add', name, 'http://demo.wg');
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-policies-'));
  try {
    writeFileSync(join(folder, 'policies.cedar'), policies);
    await product.cliJson('policy', 'apply', join(folder, 'policies.cedar'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A one-time enrolment link. */
export async function linkFor(product: Product, name: string, group?: string): Promise<string> {
  const options = group === undefined ? [] : ['--group', group];
  const { url } = await product.cliJson('user', 'add', name, ...options);
  return String(url);
}

/** Another person, enrolled in another browser. */
export async function invite(
  product: Product,
  name: string,
  { group, userAgent }: { group?: string; userAgent?: string } = {},
): Promise<Person> {
  const link = await linkFor(product, name, group);
  const person = await Person.arrive(userAgent === undefined ? {} : { userAgent });
  try {
    await person.enrol(link);
    return person;
  } catch (error) {
    await person[Symbol.asyncDispose]();
    throw error;
  }
}
