/** What a guest sees from the link to the end of the visit, and what people see of providers and of a device that is out. */
import type { Page } from 'playwright-core';
import { enrolmentLink, welcome } from './fake-api.ts';
import type { MockInstallation } from './mock-installation.ts';
import { type PageState, state } from './page-state.ts';
import type { Visitor } from './visitor.ts';

const contact = 'Platform team, help@corp.example, extension 2214';
const services = [
  { name: 'wiki', title: 'Team wiki', scheme: 'http' },
  { name: 'stock', title: 'Spare parts for the machines in halls 2 and 3', scheme: 'http' },
];

interface Door {
  readonly kiosk?: boolean;
  readonly approval?: boolean;
  readonly recipient?: boolean;
}

/** A well-formed one. */
function guestLink(mock: MockInstallation): string {
  const bytes = Buffer.alloc(32, 7).toString('base64url');
  return `${mock.hub}/link#${'1'.repeat(24)}.${bytes}.${bytes}`;
}

/** At the page of a link. */
async function atLink({ page }: Visitor, mock: MockInstallation, door: Door): Promise<Page> {
  welcome(mock, { contact });
  const until = Date.now() + 7_200_000;
  const preview = { services, expiresAt: until, readOnly: true, kiosk: false, approval: false, recipient: false };
  mock.api['POST /api/link/preview'] = () => ({ json: { ...preview, ...door } });
  const opened = services.map((service) => ({ ...service, app: mock.app(service.name) }));
  mock.api['POST /api/guest/enter'] = () => ({
    json: { shell: `${mock.shell}/`, services: opened, until, idleS: 300 },
  });
  mock.api['POST /api/link/knock'] = () => ({ json: { id: 'k'.repeat(24), key: 'x'.repeat(43), code: '4711' } });
  mock.api['POST /api/link/knock/wait'] = () => new Promise(() => undefined);
  await page.goto(guestLink(mock));
  await page.getByRole('button').last().waitFor();
  return page;
}

/** Signed out, where people may sign in at a provider as well. */
async function signedOut(visitor: Visitor, mock: MockInstallation): Promise<Page> {
  welcome(mock, { contact });
  mock.api['GET /api/providers'] = () => ({ json: { providers: [{ protocol: 'saml', name: 'Corp Login' }] } });
  await visitor.enrol(enrolmentLink(mock));
  await visitor.page.getByRole('button', { name: 'Sign out' }).click();
  await visitor.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  return visitor.page;
}

export const guestStates: readonly PageState[] = [
  state('link-kiosk', (visitor, mock) => atLink(visitor, mock, { kiosk: true })),
  state('link-passkey', (visitor, mock) => atLink(visitor, mock, { approval: true, recipient: true })),
  state('link-waiting', async (visitor, mock) => {
    const page = await atLink(visitor, mock, { approval: true });
    await page.getByLabel('Your name').fill('Mia');
    await page.getByRole('button', { name: 'Knock' }).click();
    await page.getByText('4711').waitFor();
    return page;
  }),
  state('link-used', async (visitor, mock) => {
    const { page } = visitor;
    welcome(mock, { contact });
    const message = 'This link was used already. Ask whoever gave it to you for a new one.';
    mock.api['POST /api/link/preview'] = () => ({ status: 410, error: 'link_used', message });
    await page.goto(guestLink(mock));
    await page.getByRole('alert').waitFor();
    return page;
  }),
  state('kiosk-in', async (visitor, mock) => {
    const page = await atLink(visitor, mock, { kiosk: true });
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('heading', { name: 'Open to you' }).waitFor();
    return page;
  }),
  state('kiosk-ended', async ({ page }, mock) => {
    welcome(mock, { contact });
    await page.goto(`${mock.shell}/ended`);
    await page.locator('[data-wiped=done]').waitFor();
    return page;
  }),
  state('hub-provider', signedOut),
  state('hub-provider-refused', async (visitor, mock) => {
    const page = await signedOut(visitor, mock);
    await page.goto(`${mock.hub}/saml/callback#${'t'.repeat(43)}`);
    await page.getByRole('alert').waitFor();
    return page;
  }),
  state('hub-device-replaced', async (visitor, mock) => {
    const page = await signedOut(visitor, mock);
    const message =
      'Your access was recovered in another browser, which took this one’s place. If that was not you, tell your administrator at once.';
    mock.api['POST /api/login/begin'] = () => ({ status: 403, error: 'device_replaced', message });
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('alert').waitFor();
    return page;
  }),
];
