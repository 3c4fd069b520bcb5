/**
 * Every page that a person can see, in every state it can be in: for the accessibility tests and for screenshots. The
 * bundles and their headers are the real ones; what a tunnel would say is told to the shell's element.
 */
import type { BrowserContext, Page } from 'playwright-core';
import { failurePage } from '../../../worker/sw/failure-page.ts';
import { enrolmentLink, welcome } from './fake-api.ts';
import { guestStates } from './guest-states.ts';
import type { MockInstallation } from './mock-installation.ts';
import { type PageState, state } from './page-state.ts';
import type { Visitor } from './visitor.ts';

const contact = 'Platform team, help@corp.example, extension 2214';
const few = { wiki: 'Team wiki', builds: 'Build monitor', incidents: 'Incident board', stock: 'Spare parts' };
const twelve = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`service-${i}`, `Service number ${i}`]));
const correlation = 'f3a9c1d2e4b58607';

const app = `<!doctype html><html lang="en"><title>Team wiki</title><meta name="viewport" content="width=device-width">
<style>:root{color-scheme:light dark}body{font:16px/1.5 sans-serif;margin:2rem}</style>
<main><h1>Team wiki</h1><p>On call this week: platform until Thursday noon, then storage. <a href="#more">More</a></p></main></html>`;

/** What a shell shows: the fields of its element, as a tunnel would have set them. */
interface Shown {
  readonly status?: object;
  readonly wasOpen?: boolean;
  readonly transfers?: object;
  readonly stepUp?: string;
  readonly stepUpFailure?: object;
  readonly password?: string;
  readonly unframedAt?: string;
  readonly signedOut?: boolean;
  readonly failure?: object;
  readonly framed?: boolean;
}

const open = { state: 'open', transport: 'webtransport', epoch: 3 };
const done = { bodies: 1, movedBytes: 52_400_000, totalBytes: 134_217_728 };

const shellStates: Readonly<Record<string, Shown>> = {
  opening: { framed: false },
  open: { status: open },
  'open-websocket': { status: { ...open, transport: 'websocket', epoch: 0 } },
  transfer: { status: open, transfers: done },
  'transfer-unknown': { status: open, transfers: { ...done, totalBytes: undefined } },
  reconnecting: { status: { state: 'connecting', epoch: 0, retryInMs: 60_000 }, wasOpen: true },
  'step-up': { status: open, stepUp: 'asked' },
  'step-up-blocked': {
    status: open,
    stepUp: 'asked',
    stepUpFailure: {
      code: 'popup_blocked',
      message: 'The browser opened no window. Allow pop-ups for this page and try again.',
    },
  },
  'step-up-refused': { status: open, stepUp: 'refused' },
  lapsed: { status: open, stepUp: 'lapsed' },
  password: { status: open, password: 'asked' },
  'password-wrong': { status: open, password: 'wrong' },
  'own-window': { status: open, unframedAt: '/' },
  revoked: { status: { state: 'refused', epoch: 0, reason: 'revoked', correlation } },
  closed: { status: { state: 'closed', epoch: 0, reason: 'idle' } },
  'signed-out': { status: { state: 'closed', epoch: 0, reason: 'done' }, signedOut: true },
  denied: {
    framed: false,
    failure: {
      code: 'denied',
      message: 'No policy lets you open this service from this device. Ask your administrator for access.',
      correlation,
    },
  },
};

/** A shell whose hub never answers, so that it stays as it is told to be. */
async function shellShowing(visitor: Visitor, mock: MockInstallation, shown: Shown): Promise<Page> {
  await launcher(visitor, mock, few);
  mock.api['POST /api/launch/begin'] = () => new Promise(() => undefined);
  await visitor.context.route(`${mock.app('page-of-wiki')}/`, (route) =>
    route.fulfill({ contentType: 'text/html', body: app }),
  );
  const opened = visitor.context.waitForEvent('page');
  await visitor.page.getByRole('link', { name: 'Team wiki', exact: true }).click();
  const shell = await opened;
  await shell.locator('[role=status][data-state=connecting]').waitFor();
  const service = { name: 'wiki', title: 'Team wiki', app: mock.app('page-of-wiki') };
  await shell.locator('lk-shell').evaluate(
    async (element, fields) => {
      // What the Worker says of its own accord has been heard when it has answered something else.
      await (element as unknown as { counts(): Promise<unknown> }).counts();
      Object.assign(element, fields);
      await (element as unknown as { updateComplete: Promise<unknown> }).updateComplete;
    },
    { service, framed: true, ...shown },
  );
  if (shown.framed !== false && shown.unframedAt === undefined)
    await shell.frameLocator('iframe.app').locator('body').waitFor({ state: 'attached' });
  return shell;
}

async function launcher(
  visitor: Visitor,
  mock: MockInstallation,
  services: Record<string, string>,
  more: { readonly recovered?: number } = {},
): Promise<Page> {
  welcome(mock, { services, contact, ...more });
  await visitor.page.goto('about:blank');
  await visitor.enrol(enrolmentLink(mock));
  return visitor.page;
}

/** Signed out in a browser that is enrolled. */
async function signedOut(visitor: Visitor, mock: MockInstallation): Promise<Page> {
  const page = await launcher(visitor, mock, few);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  return page;
}

const hubStates: readonly PageState[] = [
  state('hub-stranger', async ({ page }, mock) => {
    welcome(mock, { contact });
    await page.goto(mock.hub);
    await page.getByRole('heading').waitFor();
    return page;
  }),
  state('hub-enrol', async ({ page }, mock) => {
    welcome(mock, { contact });
    await page.goto(enrolmentLink(mock));
    await page.getByRole('button').waitFor();
    return page;
  }),
  state('hub-enrol-broken', async ({ page }, mock) => {
    welcome(mock, { contact });
    await page.goto(`${mock.hub}/enrol#half-a-link`);
    await page.getByRole('alert').waitFor();
    return page;
  }),
  state('hub-recover', async ({ page }, mock) => {
    welcome(mock, { contact });
    await page.goto(enrolmentLink(mock).replace('/enrol#', '/regain#'));
    await page.getByRole('heading', { name: 'Recover your access' }).waitFor();
    return page;
  }),
  state('hub-signed-out', signedOut),
  state('hub-launcher', (visitor, mock) => launcher(visitor, mock, few)),
  state('hub-launcher-many', (visitor, mock) => launcher(visitor, mock, twelve)),
  state('hub-launcher-none', (visitor, mock) => launcher(visitor, mock, {})),
  state('hub-recovered', async (visitor, mock) => {
    const page = await launcher(visitor, mock, few, { recovered: 2 });
    await page.getByText('The 2 devices you had before are out.').waitFor();
    await page.getByText('Your devices').click();
    await page.getByRole('button', { name: 'Take out Phone' }).click();
    return page;
  }),
  state('hub-wish', async (visitor, mock) => {
    const page = await launcher(visitor, mock, few);
    await page.goto(`${mock.hub}/launch?service=wiki`);
    await page.getByRole('button', { name: 'Open Team wiki' }).waitFor();
    return page;
  }),
  state('hub-denied', async (visitor, mock) => {
    const page = await launcher(visitor, mock, few);
    await page.goto(`${mock.hub}/launch?service=payroll`);
    await page.getByRole('alert').waitFor();
    return page;
  }),
  state('hub-sign-out', async (visitor, mock) => {
    const page = await launcher(visitor, mock, few);
    await page.goto(`${mock.hub}/sign-out`);
    await page.getByRole('heading', { name: 'Sign out?' }).waitFor();
    return page;
  }),
  state('hub-away', async (visitor, mock) => {
    const page = await launcher(visitor, mock, few);
    mock.api['GET /api/session'] = () => ({
      status: 503,
      error: 'no_gateway',
      message: 'No gateway is connected. Try again in a moment.',
    });
    await page.goto(mock.hub);
    await page.getByRole('alert').waitFor();
    return page;
  }),
  state('hub-step-up', async (visitor, mock) => {
    const page = await launcher(visitor, mock, few);
    await page.goto(`${mock.hub}/step-up`);
    await page.getByRole('alert').waitFor();
    await page.locator('lk-step-up').evaluate((element) => {
      Object.assign(element, { failure: undefined, asked: { service: 'Team wiki', answer: async () => undefined } });
    });
    await page.getByRole('button', { name: 'Use your passkey' }).waitFor();
    return page;
  }),
];

/** A control plane with ten thousand of everything, of which a page is told a part. */
function manyThings(mock: MockInstallation): void {
  const total = 10_000;
  const part = <T>(name: string, make: (at: number) => T) => {
    mock.api[`GET /api/admin/${name}`] = (_body, query) => {
      const [offset, limit] = [Number(query?.get('offset') ?? 0), Number(query?.get('limit') ?? 100)];
      return { json: { [name]: Array.from({ length: limit }, (_, i) => make(offset + i)), total } };
    };
  };
  const time = 1_790_000_000_000;
  const id = (at: number) => at.toString(16).padStart(24, '0');
  part('users', (at) => ({
    ...{
      id: id(at),
      name: `Person number ${at}`,
      groups: ['field'],
      roles: [],
      enrolled: true,
      disabled: at % 7 === 3,
      ...(at % 7 === 3 && { disabledAt: time, reason: 'Left for another firm, gave the laptop back' }),
    },
    devices: [],
  }));
  part('devices', (at) => ({
    ...{
      id: id(at),
      user: id(at),
      userName: `Person number ${at}`,
      name: `Laptop ${at}`,
      archived: false,
      createdAt: time,
    },
    state: (['waiting', 'approved', 'revoked'] as const)[at % 3],
  }));
  part('links', (at) => ({
    ...{
      id: id(at),
      services: ['wiki'],
      expiresAt: time,
      maxUses: 1,
      used: 0,
      kiosk: true,
      readOnly: true,
      approval: true,
    },
    ...{ state: (['live', 'used', 'revoked'] as const)[at % 3], hours: ['08:00-18:00'], zone: 'UTC', createdAt: time },
  }));
  part('sessions', (at) => ({
    ...{ id: id(at), actor: 'spiffe://latchkey.local/guest/1/1', name: '', service: 'wiki', since: time, endsAt: time },
    credentialEnds: time,
    traffic: { address: '192.0.2.1', transport: 'websocket', streams: 2, bytesIn: 52_000, bytesOut: 9_400_000 },
  }));
  const knock = { id: id(1), link: id(2), code: '4711', name: 'Mia', address: '192.0.2.7', at: time };
  mock.api['GET /api/admin/knocks'] = () => ({ json: { knocks: [knock] } });
  const service = { name: 'wiki', title: 'Team wiki', url: 'http://10.20.0.5:8080', suspended: true };
  mock.api['GET /api/admin/services'] = () => ({ json: { services: [service], total: 1 } });
  const text = 'permit (principal in Group::"admins", action, resource);';
  mock.api['GET /api/admin/policies'] = () => ({ json: { policies: { admins: text } } });
  mock.api['GET /api/admin/keys'] = () => ({ json: trust });
  mock.api['GET /api/admin/audit/state'] = () => ({ json: audit });
}

const digest = (name: string) => Buffer.from(name).toString('hex').padEnd(64, '0');
const [day0, day90] = [1_790_000_000_000, 1_797_776_000_000];
const trust = {
  roots: [
    { fingerprint: digest('second'), inForce: true },
    { fingerprint: digest('first'), inForce: false },
  ],
  nextRoot: digest('third'),
  keys: (['root', 'directory', 'svid', 'policy', 'notary', 'audit', 'revocation'] as const).map((role) => ({
    ...{ role, id: digest(role), notBefore: day0, notAfter: day90, signs: role !== 'root' },
  })),
  authority: { fingerprint: digest('ca'), notAfter: day90 },
  tokenKeys: ['x'.repeat(43)],
  rotation: { requestedAt: day0, approvals: 1, needed: 2 },
};
const audit = {
  ...{ first: 4_001, last: 1_204_512, anchors: 1_205, days: 365, anchor: { position: 1_204_512, at: day0 } },
  check: {
    ...{ state: 'whole', at: day0 },
    whole: { last: 1_204_512, anchors: 1_206, fingerprint: digest('second') },
  },
};
const brokenAudit = {
  ...audit,
  check: {
    ...{ state: 'broken', at: day0 },
    broken: { fault: 'edited', message: 'Event 17 was changed after it was written.' },
  },
};

const adminState = (list: string, open?: string) =>
  state(`admin-${list}${open === undefined ? '' : '-form'}`, async (visitor, mock) => {
    welcome(mock, { contact, roles: ['manager', 'policy', 'pki', 'notary'] });
    await visitor.enrol(enrolmentLink(mock));
    manyThings(mock);
    await visitor.page.goto(`${mock.hub}/admin/${list}`);
    if (list === 'policies') await visitor.page.getByLabel('Cedar policies').waitFor();
    else if (list === 'audit') await visitor.page.getByText('Whole', { exact: true }).waitFor();
    else await visitor.page.getByRole('listitem').first().waitFor();
    if (open !== undefined) await visitor.page.getByText(open).click();
    return visitor.page;
  });

/** What waits for two policy administrators, one of whom has signed it. */
const changes = [
  {
    ...{ id: 'c'.repeat(24), kind: 'policy.replace', state: 'waiting', needed: 2, requestedBy: 'system' },
    ...{ requestedAt: 1_790_000_000_000, expires: 1_790_086_400_000 },
    dangers: [{ code: 'allow_all', message: 'A person of no group could open any service.', policies: ['everybody'] }],
    document: JSON.stringify({
      policies: { everybody: 'permit (principal, action, resource);' },
      before: '0'.repeat(64),
    }),
    approvals: [{ user: 'b'.repeat(24), name: 'Bob', at: 1_790_000_000_000 }],
  },
];

const adminStates: readonly PageState[] = [
  state('admin-changes', async (visitor, mock) => {
    welcome(mock, { contact, roles: ['policy'] });
    await visitor.enrol(enrolmentLink(mock));
    mock.api['GET /api/changes'] = () => ({ json: { changes } });
    await visitor.page.goto(`${mock.hub}/changes`);
    await visitor.page.getByRole('button', { name: 'Approve with your passkey' }).waitFor();
    return visitor.page;
  }),
  ...['sessions', 'links', 'knocks', 'people', 'devices', 'services', 'policies', 'keys', 'audit'].map((list) =>
    adminState(list),
  ),
  adminState('links', 'Make a link'),
  state('admin-audit-broken', async (visitor, mock) => {
    welcome(mock, { contact, roles: ['notary'] });
    await visitor.enrol(enrolmentLink(mock));
    mock.api['GET /api/admin/audit/state'] = () => ({ json: brokenAudit });
    await visitor.page.goto(`${mock.hub}/admin`);
    await visitor.page.getByText('Event 17 was changed').waitFor();
    return visitor.page;
  }),
];

const appStates: readonly PageState[] = [
  ...(['unreachable', 'denied', 'no_answer'] as const).map((code) =>
    state(`app-${code}`, async ({ context, page }, mock) => {
      const again = `${mock.app('pages')}/page`;
      const answer = failurePage({ code, correlation, again, hub: `${mock.hub}/`, contact });
      const body = await answer.text();
      await context.route(again, (route) =>
        route.fulfill({ status: answer.status, headers: Object.fromEntries(answer.headers), body }),
      );
      await page.goto(again);
      await page.getByRole('alert').waitFor();
      return page;
    }),
  ),
  state(
    'app-boot-gave-up',
    async ({ context, page }, mock) => {
      const body = `<!doctype html><html lang="en"><title>Latchkey</title><body><script type="module" src="/.latchkey/boot.js"></script></html>`;
      await gaveUp(context, mock, body);
      await page.goto(`${mock.app('pages')}/frame`);
      await page.frameLocator('iframe').getByRole('alert').waitFor();
      return page;
    },
    (page) => page.mainFrame().childFrames()[0]!,
  ),
];

/** A frame in which the boot page has tried as often as it may. */
async function gaveUp(context: BrowserContext, mock: MockInstallation, boot: string): Promise<void> {
  const parent = `<!doctype html><html lang="en"><title>Frame</title><style>body{margin:0}iframe{border:0;height:100vh;width:100vw}</style>
<script>sessionStorage.setItem('latchkey-boot-tries','3 '+Date.now())</script><main><iframe title="App" src="/boot"></iframe></main></html>`;
  await context.route(`${mock.app('pages')}/frame`, (route) =>
    route.fulfill({ contentType: 'text/html', body: parent }),
  );
  await context.route(`${mock.app('pages')}/boot`, (route) => route.fulfill({ contentType: 'text/html', body: boot }));
  await context.route(`${mock.app('pages')}/.latchkey/installation.json`, (route) =>
    route.fulfill({ json: { hub: mock.hub, contact } }),
  );
}

export const pageStates: readonly PageState[] = [
  ...hubStates,
  ...guestStates,
  ...adminStates,
  ...Object.entries(shellStates).map(([name, shown]) =>
    state(`shell-${name}`, (visitor, mock) => shellShowing(visitor, mock, shown)),
  ),
  state('shell-menu', async (visitor, mock) => {
    const shell = await shellShowing(visitor, mock, { status: open });
    await shell.getByRole('button', { name: 'Connection and sign-out' }).click();
    return shell;
  }),
  ...appStates,
];
