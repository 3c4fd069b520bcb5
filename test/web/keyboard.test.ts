/** Shell and hub by keyboard and by ear: what Tab reaches, what Enter and Escape do, what is read out and what is not. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { MockInstallation } from './support/mock-installation.ts';
import { pageStates } from './support/page-states.ts';
import { Visitor } from './support/visitor.ts';

let mock: MockInstallation;
let visitor: Visitor;
before(async () => {
  mock = await MockInstallation.start();
  visitor = await Visitor.arrive();
});
after(async () => {
  await visitor[Symbol.asyncDispose]();
  await mock[Symbol.asyncDispose]();
});

async function shellIn(name: string): Promise<Page> {
  const found = pageStates.find((state) => state.name === `shell-${name}`);
  assert.ok(found, name);
  return found.reach(visitor, mock);
}

/** The name of what has the focus, through every shadow root, and whether it can be seen to have it. */
function focused(page: Page): Promise<{ name: string; seen: boolean }> {
  return page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    const label = (element as HTMLInputElement | null)?.labels?.[0]?.textContent;
    const name =
      element?.getAttribute('aria-label') ?? element?.getAttribute('title') ?? (label || element?.textContent)?.trim();
    // On a card it is the card that is outlined, by what lies over it.
    const isOutlined = (part?: string) => element != null && getComputedStyle(element, part).outlineStyle === 'solid';
    return { name: name ?? '', seen: isOutlined() || isOutlined('::after') || element?.localName === 'iframe' };
  });
}

async function walk(page: Page, steps: number): Promise<string[]> {
  const names: string[] = [];
  for (let step = 0; step < steps; step += 1) {
    await page.keyboard.press('Tab');
    const { name, seen } = await focused(page);
    assert.ok(seen, `the focus on ${name} cannot be seen`);
    names.push(name);
  }
  return names;
}

test('BR-11: Tab goes through the toolbar, then what is asked, then the app, and the focus is always seen', async () => {
  await using shell = await shellIn('step-up');
  assert.deepEqual(await walk(shell, 5), [
    'Your services',
    'Connection and sign-out',
    'Confirm with your passkey',
    'Not now',
    'Team wiki',
  ]);
});

test('BR-11: the menu opens by keyboard, tells of transport and keys, and Escape closes it and gives the focus back', async () => {
  await using shell = await shellIn('open');
  const menu = shell.locator('#menu');
  await shell.getByRole('button', { name: 'Connection and sign-out' }).focus();
  await shell.keyboard.press('Enter');
  await menu.waitFor();
  assert.match((await menu.textContent()) ?? '', /WebTransport[\s\S]*End-to-end keys\s*Renewed 3 times/);
  assert.deepEqual(await walk(shell, 4), ['Reconnect', 'In a window of its own', 'Your services', 'Sign out']);
  await shell.keyboard.press('Escape');
  await menu.waitFor({ state: 'hidden' });
  assert.equal((await focused(shell)).name, 'Connection and sign-out');
  await shell.keyboard.press('Space');
  await menu.waitFor();
});

test('BR-11: Escape in the question for a passkey is "not now", and the app has the focus again', async () => {
  await using shell = await shellIn('step-up');
  await shell.getByRole('button', { name: 'Confirm with your passkey' }).focus();
  await shell.keyboard.press('Escape');
  await shell.getByRole('button', { name: 'Not now' }).waitFor({ state: 'detached' });
  assert.equal((await focused(shell)).name, 'Team wiki');
});

test('BR-11: the question for a password is answered by keyboard alone, and Escape in it is "not now"', async () => {
  await using shell = await shellIn('password');
  const names = [
    'Your services',
    'Connection and sign-out',
    'User name',
    'Password',
    'Sign in',
    'Not now',
    'Team wiki',
  ];
  assert.deepEqual(await walk(shell, names.length), names);
  await shell.locator('lk-password-bar').evaluate((bar) => {
    const said: unknown[] = [];
    Object.assign(window, { said });
    for (const name of ['dismiss', 'given'])
      bar.addEventListener(name, (event) => said.push([name, (event as CustomEvent).detail]));
  });
  await shell.getByLabel('User name').focus();
  await shell.keyboard.press('Escape');
  await shell.keyboard.type('grace');
  await shell.keyboard.press('Tab');
  await shell.keyboard.type('hopper');
  await shell.keyboard.press('Enter');
  assert.deepEqual(await shell.evaluate(() => (window as unknown as { said: unknown }).said), [
    ['dismiss', undefined],
    ['given', { user: 'grace', password: 'hopper' }],
  ]);
});

test('BR-11: in the hub Tab reaches sign-out and every service, and Enter opens one', async () => {
  const launcher = pageStates.find(({ name }) => name === 'hub-launcher');
  const hub = await launcher?.reach(visitor, mock);
  assert.ok(hub !== undefined);
  await hub.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const names = await walk(hub, 6);
  const services = ['Build monitor', 'Incident board', 'Spare parts', 'Team wiki'];
  assert.deepEqual(names.filter((name) => services.includes(name)).sort(), services);
  assert.ok(names.indexOf('Sign out') >= 0 && names.indexOf('Sign out') < names.indexOf('Team wiki'), names.join());
  while ((await focused(hub)).name !== 'Team wiki') await hub.keyboard.press('Shift+Tab');
  const opening = visitor.context.waitForEvent('page');
  await hub.keyboard.press('Enter');
  await using shell = await opening;
  await shell.waitForURL(/\/open\/wiki/);
});

test('BR-11: a panel over the app takes the focus, which the app can have no more', async () => {
  await using shell = await shellIn('revoked');
  assert.equal((await focused(shell)).name, 'Your access was withdrawn');
  assert.equal(await shell.locator('iframe.app').getAttribute('inert'), '');
});

test('BR-11: a countdown and a transfer change what is seen, and nothing in a live region', async () => {
  await using shell = await shellIn('reconnecting');
  const changes = await shell.locator('lk-shell-bar').evaluate(async (bar) => {
    const root = bar.shadowRoot as ShadowRoot;
    const seen: string[] = [];
    const status = root.querySelector('[role=status]') as Element;
    new MutationObserver((records) => seen.push(...records.map(({ type }) => type))).observe(status, {
      childList: true,
      characterData: true,
      subtree: true,
    });
    const left = () => root.querySelector('.left')?.textContent;
    const before = left();
    await new Promise<void>((resolve) => {
      const watch = new MutationObserver(() => {
        if (left() !== before) resolve();
      });
      watch.observe(root, { childList: true, characterData: true, subtree: true });
    });
    Object.assign(bar, { transfers: { bodies: 1, movedBytes: 1e6, totalBytes: 2e6 } });
    await (bar as unknown as { updateComplete: Promise<unknown> }).updateComplete;
    return { seen, before, transfer: root.querySelector('progress')?.position };
  });
  assert.match(changes.before ?? '', /^in \d+ s$/);
  assert.equal(changes.transfer, 0.5);
  assert.deepEqual(changes.seen, []);
});

test('BR-11: the toolbar is 40 pixels high in every state, and all of it is there on a phone too', async () => {
  for (const name of ['open', 'transfer', 'reconnecting', 'revoked']) {
    await using shell = await shellIn(name);
    for (const width of [1_280, 360, 320]) {
      await shell.setViewportSize({ width, height: 740 });
      const bar = await shell.locator('header').boundingBox();
      const last = await shell.getByRole('button', { name: 'Connection and sign-out' }).boundingBox();
      assert.ok(bar !== null && last !== null);
      const seen = `${name} at ${width}: ${bar.width} by ${bar.height}, its last button up to ${last.x + last.width}`;
      assert.ok(bar.height <= 40 && bar.width <= width && last.x + last.width <= width, seen);
    }
  }
});

/** The administration's list, as it is reached. */
function adminAt(name: string): Promise<Page> {
  const found = pageStates.find((state) => state.name === `admin-${name}`);
  assert.ok(found, name);
  return found.reach(visitor, mock);
}

/** Tab until what has the focus is called so; every stop on the way can be seen. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const passed: string[] = [];
  while (passed.length < 60) {
    const [stop = ''] = await walk(page, 1);
    if (name.test(stop)) return;
    passed.push(stop);
  }
  assert.fail(`${name} is not among ${passed.join(', ')}`);
}

test('BR-11: in the administration a session is cut by keyboard alone, and Escape takes the question back', async () => {
  const page = await adminAt('sessions');
  const cut: unknown[] = [];
  mock.api[`DELETE /api/admin/sessions/${'0'.repeat(24)}`] = () => {
    cut.push('cut');
    return { json: {} };
  };
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await tabTo(page, /^Cut: /);
  const { name } = await focused(page);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  assert.deepEqual([(await focused(page)).name, cut], [name, []]);
  await page.keyboard.press('Enter');
  await dialog.waitFor();
  // A key that is held down takes nothing away.
  assert.equal((await focused(page)).name, 'Cancel');
  await page.keyboard.press('Shift+Tab');
  assert.deepEqual(await focused(page), { name: 'Cut', seen: true });
  const asked = page.waitForResponse((response) => response.request().method() === 'DELETE');
  await page.keyboard.press('Enter');
  assert.equal((await asked).status(), 200);
  assert.equal((await focused(page)).name, name);
  assert.deepEqual(cut, ['cut']);
});

test('BR-11: a question that is asked again before its dialog has told that it closed stays on the screen', async () => {
  const page = await adminAt('sessions');
  const button = page.getByRole('button', { name: /^Cut: / }).first();
  await button.evaluate(async (cut: HTMLElement) => {
    const root = (cut.getRootNode() as ShadowRoot).host.getRootNode() as ShadowRoot;
    const dialog = root.querySelector('dialog') as HTMLDialogElement;
    const toggled = (isOpen: boolean) =>
      new Promise<void>((resolve) => {
        new MutationObserver((_, watch) => {
          if (dialog.open !== isOpen) return;
          watch.disconnect();
          resolve();
        }).observe(dialog, { attributeFilter: ['open'] });
      });
    cut.click();
    await toggled(true);
    const told = new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
    dialog.close();
    cut.click();
    await toggled(true);
    await told;
  });
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
});

test('BR-11: in the administration a link is made by keyboard alone', async () => {
  const page = await adminAt('links');
  const url = `${mock.hub}/link#${'1'.repeat(24)}.${'s'.repeat(43)}.${'p'.repeat(43)}`;
  const wanted: unknown[] = [];
  mock.api['POST /api/admin/links'] = (body) => {
    wanted.push(body);
    return { json: { url, link: {} } };
  };
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await tabTo(page, /^Make a link/);
  await page.keyboard.press('Enter');
  await tabTo(page, /^Kiosk/);
  await page.keyboard.press('Space');
  await tabTo(page, /^Make the link$/);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByText('The link, shown this once').waitFor();
  const [{ kiosk, readOnly, uses }] = wanted as [Record<string, unknown>];
  assert.deepEqual([wanted.length, kiosk, readOnly, uses], [1, true, false, 1]);
  await tabTo(page, /^Done$/);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
});
