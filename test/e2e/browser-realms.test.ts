/**
 * Which window can do what: script injected into hub, shell and app, people without a grant, another browser, and what
 * the hub leaves on the device.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  askWorkerFromApp,
  askWorkerFromHelper,
  belongingsOf,
  catchWorker,
  forgeWorkerMessages,
  launchWithOwnHub,
  reachForShell,
  requestLaunch,
  takeDeviceKeys,
  usualGlobals,
} from './support/browser-intruder.ts';
import { alpha, beta, invite, publishTwo } from './support/browser-world.ts';
import { endOf, eventAfter, eventsAfter } from './support/node-audit.ts';
import { type OpenService, Person } from './support/person.ts';
import { Product } from './support/product.ts';

/** What Lit leaves on a window: its versions, and how properties are declared. */
const litGlobals = ['litElementVersions', 'litHtmlVersions', 'litPropertyMetadata', 'reactiveElementVersions'];
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0';

let product: Product;
/** An administrator: may open both services. */
let admin: Person;
/** May open alpha and nothing else, in a browser that calls itself Firefox. */
let ada: Person;
let tab: OpenService;
let shellOrigin: string;
let usual: string[];

before(async () => {
  product = await Product.start();
  await publishTwo(product);
  admin = await Person.arrive();
  await admin.enrol(product.ready.enrol ?? '');
  tab = await admin.open(alpha);
  shellOrigin = new URL(tab.shell.url()).origin;
  usual = await usualGlobals(admin.context, `${product.ready.hub}.well-known/latchkey/pins`);
});
after(async () => {
  await ada?.[Symbol.asyncDispose]();
  await admin?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
});

test('BR-5: script on the hub can use the device key while it runs there, and can take no key away', async () => {
  assert.deepEqual(await takeDeviceKeys(admin.hub), {
    'signing as pkcs8': 'InvalidAccessError',
    'signing as jwk': 'InvalidAccessError',
    'signing wrapped as pkcs8': 'InvalidAccessError',
    'signing wrapped as jwk': 'InvalidAccessError',
    'jar root as raw': 'NotSupportedError',
    'jar root as jwk': 'NotSupportedError',
    'public key': 'taken',
    'a signature while here': 'taken',
  });
  const { globals, databases, storage } = await belongingsOf(admin.hub, usual);
  assert.deepEqual(
    { globals: globals.toSorted(), databases, storage },
    { globals: litGlobals, databases: ['latchkey'], storage: [] },
  );
});

test('BR-5: script in the shell finds no key in its realm or its storage', async () => {
  const { globals, ...rest } = await belongingsOf(tab.shell, usual);
  assert.deepEqual(globals.toSorted(), litGlobals);
  assert.deepEqual(rest, { databases: [], storage: [], caches: [] });
});

test('BR-5: script in the shell gets nothing out of the Worker but what its few members tell', async () => {
  await catchWorker(tab.shell);
  const { forged, honest } = await forgeWorkerMessages(tab.shell);
  assert.deepEqual(forged, [], 'messages that walk elsewhere are not answered');
  assert.deepEqual(Object.keys(honest as object).sort(), ['recordsSent', 'sealedInWasm']);
});

test('BR-5: script in the shell cannot have the session key sign for a hub of its own', async () => {
  assert.deepEqual(await launchWithOwnHub(tab.shell, alpha), { code: 'launched', told: [] });
  assert.equal(await tab.app.evaluate(async () => (await fetch('/whoami')).status), 200);
});

test('BR-5: script in the shell cannot start script that did not come with it', async () => {
  const outcomes = await tab.shell.evaluate(async () => {
    // In a task of its own: what a debugger evaluates may do more than a page.
    await new Promise((resolve) => setTimeout(resolve));
    const attempt = (run: () => unknown) => {
      try {
        run();
        return 'ran';
      } catch (error) {
        return (error as Error).name;
      }
    };
    type Policies = { trustedTypes: { createPolicy(name: string, rules: object): unknown } };
    return {
      worker: attempt(() => new Worker('/assets/any.js')),
      text: attempt(() => Reflect.construct(Function, ['return 1'])),
      markup: attempt(() => {
        document.body.innerHTML = '<p>x</p>';
      }),
      policy: attempt(() => (window as unknown as Policies).trustedTypes.createPolicy('intruder', {})),
    };
  });
  assert.deepEqual(outcomes, { worker: 'TypeError', text: 'EvalError', markup: 'TypeError', policy: 'TypeError' });
});

test('BR-5: an app’s page sees nothing of the shell around it, and keeps nothing of ours', async () => {
  await tab.shell.evaluate(() => Object.assign(window, { secret: 'of the shell' }));
  for (const [name, outcome] of Object.entries(await reachForShell(tab.app)))
    assert.equal(outcome, 'SecurityError', name);
  const { globals, databases, storage, caches } = await belongingsOf(tab.app, usual);
  // The demo service's own script declares these.
  assert.deepEqual(
    globals.filter((name) => !['identity', 'socket', 'connected'].includes(name)),
    [],
  );
  assert.deepEqual({ databases, storage, caches }, { databases: [], storage: [], caches: [] });
  assert.equal(await tab.app.evaluate(() => document.cookie), '');
});

test('BR-5: what an app’s page says to the shell or on its WebSocket’s port opens WebSockets and nothing else', async () => {
  const from = await endOf(product);
  assert.deepEqual(await askWorkerFromApp(tab.app), { overTop: [], overWebSocketPort: [] });
  await eventAfter(product, from, ({ type }) => type === 'stream.open');
  const streams = (await eventsAfter(product, from)).filter(({ type }) => type === 'stream.open');
  assert.equal(streams.length, 1, 'the honest WebSocket');
});

test('BR-5: a port to the Worker opens its own service and no other, whatever is asked of it', async () => {
  const from = await endOf(product);
  const helper = tab.shell.frames().find((frame) => frame.url().endsWith('/.latchkey/helper.html'));
  assert.ok(helper !== undefined);
  const outcomes = await askWorkerFromHelper(helper, beta);
  const session = await admin.hub.evaluate(async () => (await fetch('/api/session')).json());
  const host = new URL(tab.app.url()).host;
  for (const [name, { status, body }] of Object.entries(outcomes)) {
    // A path may look like an address; whatever is answered is of this service and this person.
    const { host: answered, user } = status === 200 ? JSON.parse(body) : { host, user: session.user.id };
    assert.deepEqual([answered, user], [host, session.user.id], name);
  }
  assert.equal(outcomes['other names in headers']?.status, 200);
  // What comes of them in a tenth of a second goes there in one message.
  await eventAfter(product, from, ({ type }) => type === 'stream.open');
  const services = new Set((await eventsAfter(product, from)).map(({ service }) => service));
  assert.deepEqual([...services], [alpha]);
});

test('BR-5: the hub hears launch requests from the shell’s exact origin alone', async () => {
  const { protocol, host } = new URL(shellOrigin);
  const strangers = [
    new URL(tab.app.url()).origin,
    `${protocol}//${host.replace('shell.', 'shell.shell.')}`,
    `${protocol}//evil-${host}`,
    `${protocol}//${host.replace(/:\d+$/, ':1')}`,
    `https://${host}`,
    new URL(product.ready.hub).origin,
    'null',
    '',
  ];
  const heard = await requestLaunch(admin.hub, [...strangers, shellOrigin], alpha);
  assert.deepEqual(heard, [...strangers.map(() => []), ['heard', 'challenge']]);
});

test('BR-5: a hub that an app’s page opens is out of its reach', async () => {
  const opened = admin.context.waitForEvent('page');
  await tab.app.evaluate((address) => {
    Object.assign(window, { opened: window.open(address) });
  }, product.ready.hub);
  const hub = await opened;
  await hub.getByRole('heading', { name: 'Your services' }).waitFor();
  const handle = await tab.app.evaluate(() => (window as unknown as { opened: Window | null }).opened?.closed ?? true);
  assert.equal(handle, true);
  assert.equal(await hub.evaluate(() => window.opener), null);
  await hub.close();
});

test('QHX-6: a second person in another browser does not see the service, and is denied it by name', async () => {
  ada = await invite(product, 'Ada', { group: 'field', userAgent: firefox });
  assert.deepEqual(await ada.launcher(product.ready.hub), [alpha]);
  const { app } = await ada.open(alpha);
  await app.getByRole('heading', { name: 'Field notes' }).waitFor();

  const from = await endOf(product);
  const opened = ada.context.waitForEvent('page');
  await ada.hub.evaluate((address) => {
    window.open(address);
  }, `${shellOrigin}/open/${beta}`);
  const shell = await opened;
  const alert = shell.locator('[role=alert][data-code]');
  await alert.waitFor();
  assert.equal(await alert.getAttribute('data-code'), 'denied');
  assert.match((await alert.textContent()) ?? '', /No policy lets you open this service.+Ask your administrator/);
  assert.equal(await shell.locator('iframe.app').count(), 0);
  const correlation = (await alert.locator('code').textContent()) ?? '';
  const event = await eventAfter(product, from, (one) => one.correlation === correlation);
  assert.deepEqual(
    [event.type, event.service, event.decision, event.policies],
    ['launch', beta, 'deny', ['default-deny']],
  );
  await shell.close();
});

test('QHX-6: who visits the shell’s address of a service without a grant is told so by the hub', async () => {
  const from = await endOf(product);
  const page = await ada.context.newPage();
  await page.goto(`${shellOrigin}/open/${beta}`);
  const alert = page.locator('[role=alert][data-code]');
  await alert.waitFor();
  assert.match((await alert.textContent()) ?? '', /Ask your administrator/);
  const correlation = (await alert.locator('code').textContent()) ?? '';
  const event = await eventAfter(product, from, (one) => one.correlation === correlation);
  assert.deepEqual([event.type, event.service, event.decision], ['launch', beta, 'deny']);
  await page.close();
});

test('QZ-34: another user agent is another posture in the audit', async () => {
  const events = await eventsAfter(product, 0);
  const browsers = events.flatMap(({ type, actor, detail = {} }) =>
    type === 'posture' ? [{ actor, name: detail['browser.name'], version: detail['browser.version'] }] : [],
  );
  const actors = [...new Set(browsers.map(({ actor }) => actor))];
  assert.equal(actors.length, 2);
  const [mine, hers] = actors.map((actor) => browsers.filter((one) => one.actor === actor));
  const real = await admin.hub.evaluate(() => /Chrome\/(\d+)/.exec(navigator.userAgent)?.[1]);
  assert.ok(mine !== undefined && mine.length >= 2 && hers !== undefined && hers.length >= 2, 'enrolment and launch');
  for (const { name, version } of mine) assert.deepEqual([name, version], ['Chrome', Number(real)]);
  for (const { name, version } of hers) assert.deepEqual([name, version], ['Firefox', 141]);
});

test('BR-11: the hub is an installable app that keeps its own files and nothing of a service', async () => {
  const { hub, context } = admin;
  await hub.goto(product.ready.hub);
  await hub.evaluate(async () => void (await navigator.serviceWorker.ready));
  await hub.reload();
  await hub.getByRole('heading', { name: 'Your services' }).waitFor();
  const origin = new URL(hub.url()).origin;
  const controller = await hub.evaluate(() => navigator.serviceWorker.controller?.scriptURL);
  assert.equal(controller, `${origin}/sw.js`);

  const cdp = await context.newCDPSession(hub);
  const manifest = await cdp.send('Page.getAppManifest');
  assert.deepEqual(manifest.errors, []);
  const { installabilityErrors } = await cdp.send('Page.getInstallabilityErrors');
  assert.deepEqual(installabilityErrors, []);

  const kept = await hub.evaluate(async () => {
    const names = await caches.keys();
    const lists = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return lists.flat().map(({ url }) => url);
  });
  assert.ok(kept.length >= 3, 'what is kept');
  for (const url of kept) {
    assert.equal(new URL(url).origin, origin);
    assert.match(
      new URL(url).pathname,
      /^\/(index\.html|manifest\.webmanifest|icon[\w-]*\.(svg|png)|assets\/[\w-]+\.(js|css))$/,
    );
  }
  const policy = await hub.evaluate(async () => (await fetch('/')).headers.get('content-security-policy'));
  assert.match(policy ?? '', /require-trusted-types-for 'script'/, 'a page from the cache has its policy still');
});
