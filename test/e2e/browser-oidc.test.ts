/** A person connects an account of an OpenID or SAML provider and signs in by it, in a real browser at a real provider. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { clientId, OpenIdProvider } from '../support/openid-provider.ts';
import { SamlIdentityProvider } from '../support/saml-provider.ts';
import { Person } from './support/person.ts';
import { Product } from './support/product.ts';

let product: Product;
let provider: OpenIdProvider;
let saml: SamlIdentityProvider;
let person: Person;
const folder = mkdtempSync(join(tmpdir(), 'latchkey-oidc-'));

before(async () => {
  // A product takes a free port, and a provider knows its clients' addresses: the first start says which, the second has both.
  const first = await Product.start();
  const { hub } = first.ready;
  const { port } = first.ready;
  await first[Symbol.asyncDispose]();
  const redirectUri = new URL('/oidc/callback', hub).href;
  provider = await OpenIdProvider.start({ redirectUri, logoutUri: new URL('/oidc/logout', hub).href });
  const at = (path: string) => new URL(path, hub).href;
  saml = await SamlIdentityProvider.start({ acs: at('/saml/acs'), entityId: at('/saml/metadata') });
  const [clientSecretFile, config] = [join(folder, 'secret'), join(folder, 'latchkey.yaml')];
  const certificateFile = join(folder, 'provider.pem');
  writeFileSync(certificateFile, saml.keys.certificate);
  writeFileSync(clientSecretFile, provider.secret);
  writeFileSync(
    config,
    JSON.stringify({
      port,
      wireguard: { port: 0 },
      oidc: { issuer: provider.issuer, name: 'Example', clientId, clientSecretFile },
      saml: { name: 'Campus', issuer: saml.issuer, entryPoint: saml.entryPoint, certificateFile },
    }),
  );
  product = await Product.start({}, undefined, { spawn, configuration: config });
  person = await Person.arrive();
  await person.enrol(product.ready.enrol ?? '');
});
after(async () => {
  await person?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
  await provider?.stop();
  await saml?.stop();
  rmSync(folder, { recursive: true, force: true });
});

for (const [kind, name] of [
  ['OpenID', 'Example'],
  ['SAML', 'Campus'],
] as const)
  test(`QZ-24: a person connects their ${kind} account by the passkey, signs out, and signs in by the account`, async () => {
    const { hub } = person;
    const services = hub.getByRole('heading', { name: 'Your services' });
    const atProvider = async (button: string) => {
      await hub.getByRole('button', { name: button }).click();
      await hub.getByLabel('Name').fill('ada');
      await hub.getByRole('button', { name: 'Go on' }).click();
      await services.waitFor();
    };
    await atProvider(`Connect ${name}`);
    await hub.getByRole('button', { name: 'Sign out' }).click();
    await hub.getByRole('button', { name: `Sign in with ${name}` }).waitFor();
    // Signed out here is not signed out there: the provider's page may not ask again.
    await hub.context().clearCookies();
    await hub.reload();
    await atProvider(`Sign in with ${name}`);
    // For whoever comes next: an account is connected by the passkey alone.
    await hub.getByRole('button', { name: 'Sign out' }).click();
    await hub.getByRole('button', { name: /^\W*Sign in$/ }).click();
    await services.waitFor();
  });
