/** Windows that an app opens: pages of the app, with their opener, through the tunnel of the tab they came from. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Frame, Page } from 'playwright-core';
import { LocalPeer } from './support/browser-peer.ts';
import { fidelityService } from './support/fidelity-service.ts';
import { endOf, eventsAfter } from './support/node-audit.ts';
import { type OpenService, Person } from './support/person.ts';
import { Product } from './support/product.ts';
import { answerUpgrade } from './support/shim-service.ts';

let product: Product;
let person: Person;
let peer: LocalPeer;
let tab: OpenService;
/** Tells of each target that the service is asked for. */
const asked = new EventEmitter();
/** Of the WebSockets that the service took, in their order. */
const socketEnds: Promise<unknown>[] = [];

before(async () => {
  product = await Product.start();
  peer = await LocalPeer.publish(product, 'depot');
  const service = fidelityService();
  const answer: RequestListener = (request, response) => {
    asked.emit(request.url ?? '');
    service(request, response);
  };
  peer.serve(answer, (request, socket, head) => {
    socketEnds.push(once(socket, 'close'));
    answerUpgrade(request, socket, head);
  });
  person = await Person.arrive({ backForwardCache: true });
  await person.enrol(product.ready.enrol ?? '');
  tab = await person.open('depot');
});
after(async () => {
  await person?.[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
});

/** Opens a window out of the app, in a click as browsers want it. */
async function openFrom({ app }: OpenService, act: string): Promise<Page> {
  const opening = person.context.waitForEvent('page');
  await app.evaluate((code) => {
    const button = document.createElement('button');
    button.textContent = 'open';
    document.body.append(button);
    button.addEventListener('click', () => {
      button.remove();
      if (code.startsWith('/')) Object.assign(window, { popup: window.open(code) });
      else {
        const link = document.createElement('a');
        Object.assign(link, { href: '/popup?link', target: '_blank', rel: code });
        document.body.append(link);
        link.click();
      }
    });
  }, act);
  await app.getByRole('button', { name: 'open', exact: true }).click();
  return opening;
}

/** With all that another site cannot have go along. */
function setStrictCookie(app: Frame): Promise<unknown> {
  return app.evaluate(() => fetch('/set-cookie?line=strict%3D1%3BSameSite%3DStrict%3BHttpOnly'));
}

/** In a page: from now on it says nowhere where one comes from. */
function hideReferrer(): void {
  document.head.insertAdjacentHTML('beforeend', '<meta name="referrer" content="no-referrer">');
}

/** In a page. */
function sendForm({ action, target = '' }: { action: string; target?: string }): void {
  const form = document.createElement('form');
  Object.assign(form, { method: 'post', action, target });
  document.body.append(form);
  form.submit();
}

/** What a window says that shows the service's echo. */
async function echoed(window: Page): Promise<{ method: string; cookie: string | undefined }> {
  await window.waitForURL(/\/echo\?/);
  const { method, headers } = JSON.parse(await window.evaluate(() => document.body.textContent));
  return { method, cookie: headers.cookie };
}

test('app-access: a pop-up of an app is a page of the app, and speaks to the page that opened it', async () => {
  const { app } = tab;
  const heard = app.evaluate(
    () =>
      new Promise((resolve) =>
        addEventListener('message', ({ data }) => data.popup && resolve(data.popup), { once: true }),
      ),
  );
  const popup = await openFrom(tab, '/popup?asked');
  await popup.getByRole('heading', { name: 'Pop-up' }).waitFor();
  assert.equal(await heard, '?asked');
  assert.equal(await popup.evaluate(async () => (await (await fetch('/echo?pop')).json()).target), '/echo?pop');
  const back = popup.evaluate(
    () => new Promise((resolve) => addEventListener('message', ({ data }) => resolve(data), { once: true })),
  );
  await app.evaluate(() => (window as unknown as { popup: Window }).popup.postMessage('answer', location.origin));
  assert.equal(await back, 'answer');
  const cdp = await person.context.newCDPSession(popup);
  await cdp.send('Page.reload', { ignoreCache: true });
  await popup.getByRole('heading', { name: 'Pop-up' }).waitFor();
  assert.equal(new URL(popup.url()).search, '?asked', 'also past its service worker');
  await popup.close();
});

test('app-access: a link to a new tab opens it, with and without an opener', async () => {
  for (const rel of ['opener', 'noopener']) {
    const page = await openFrom(tab, rel);
    await page.getByRole('heading', { name: 'Pop-up' }).waitFor();
    assert.equal(await page.evaluate(() => window.opener !== null), rel === 'opener');
    await page.close();
  }
});

test('app-access: an object and an embed, which pass every service worker, show what they name, with the cookies of the page', async () => {
  const { app } = tab;
  await setStrictCookie(app);
  const seen = await app.evaluate(async () => {
    document.body.insertAdjacentHTML(
      'beforeend',
      '<object data="/picture.svg"></object><embed src="/picture.svg"><object data="/echo?object"></object>',
    );
    const inside = (of: Window): Document[] => [of.document, ...within(of)];
    const within = (of: Window) => Array.from(of, (_, at) => inside(of[at] as Window)).flat();
    const count = () => within(window).filter(({ documentElement }) => documentElement?.localName === 'svg').length;
    const echo = () => within(window).find(({ body }) => body?.textContent?.includes('/echo?object'))?.body.textContent;
    while (count() < 2 || echo() === undefined) await new Promise(requestAnimationFrame);
    const said = echo();
    for (const element of document.querySelectorAll('object, embed')) element.remove();
    return said;
  });
  assert.match(seen ?? '', /strict=1/);
});

test('app-access: a pop-up of an app asks synchronously as its opener does; a window without one fails and reaches nothing', async () => {
  const from = await endOf(product);
  for (const rel of ['opener', 'noopener']) {
    const page = await openFrom(tab, rel);
    await page.getByRole('heading', { name: 'Pop-up' }).waitFor();
    const seen = await page.evaluate(() => {
      const request = new XMLHttpRequest();
      request.open('GET', '/echo?synchronous', false);
      try {
        request.send();
        return JSON.parse(request.responseText).target;
      } catch (error) {
        return (error as Error).name;
      }
    });
    assert.equal(seen, rel === 'opener' ? '/echo?synchronous' : 'NetworkError');
    await page.close();
  }
  assert.deepEqual(
    (await eventsAfter(product, from)).filter(({ type }) => type === 'bypass'),
    [],
  );
});

test('app-access: the shell opens the app in a window of its own, where it is, unframed and isolated when it asks for that', async () => {
  const { shell, app } = tab;
  await app.goto(new URL('/isolated?here', app.url()).href);
  await app.getByRole('heading', { name: 'Isolated' }).waitFor();
  // In the frame too, where it would not be by COOP and COEP alone.
  assert.deepEqual(await app.evaluate(() => [window.top === window, crossOriginIsolated]), [false, true]);
  await shell.waitForURL(/#%2Fisolated%3Fhere$/);
  await shell.getByRole('button', { name: 'Connection and sign-out' }).click();
  const opening = person.context.waitForEvent('page');
  await shell.getByRole('link', { name: 'In a window of its own' }).click();
  const own = await opening;
  await own.getByRole('heading', { name: 'Isolated' }).waitFor();
  assert.equal(own.url(), app.url());
  assert.deepEqual(await own.evaluate(() => [window.top === window, window.opener, crossOriginIsolated]), [
    true,
    null,
    true,
  ]);
  assert.equal(await own.evaluate(async () => (await (await fetch('/echo?own')).json()).target), '/echo?own');
  await own.close();
});

test('app-access: a link that is meant for the whole tab leads the frame, and the shell stays', async () => {
  const { shell, app } = tab;
  await shell.evaluate(() => Object.assign(window, { stayed: true }));
  await app.evaluate(() => {
    document.body.insertAdjacentHTML('beforeend', '<a href="/second?top#part" target="_top">whole tab</a>');
  });
  await app.getByRole('link', { name: 'whole tab' }).click();
  await app.getByRole('heading', { name: 'Second' }).waitFor();
  assert.equal(new URL(app.url()).hash, '#part');
  await shell.waitForURL(/#%2Fsecond%3Ftop%23part$/);
  assert.equal(await shell.evaluate(() => (window as unknown as { stayed?: true }).stayed), true);
});

test('app-access: a page that will not be framed gets a window of its own, also when a click led to it', async () => {
  const { shell, app } = await person.open('depot');
  // The tab is led away and answered by 204: the driver may go on waiting for that page, which never comes.
  process.env['PLAYWRIGHT_SKIP_NAVIGATION_CHECK'] = '1';
  await app.evaluate(() => document.body.insertAdjacentHTML('beforeend', '<a href="/busts?clicked#two">busts</a>'));
  await app.getByRole('link', { name: 'busts' }).click();
  await shell.getByRole('heading', { name: 'depot wants a window of its own' }).waitFor();
  await shell.close();
});

test('app-access: a page that will not be framed gets a window of its own, through the tunnel of the tab it left', async () => {
  const { shell, app } = await person.open('depot');
  await shell.evaluate(() => Object.assign(window, { stayed: true }));
  await setStrictCookie(app);
  await app.evaluate(() => location.assign('/busts?one#two'));
  await shell.getByRole('heading', { name: 'depot wants a window of its own' }).waitFor();
  const opening = person.context.waitForEvent('page');
  await shell.getByRole('link', { name: 'Open the window' }).click();
  const own = await opening;
  await own.getByRole('heading', { name: 'Busts' }).waitFor();
  assert.equal(own.url(), new URL('/busts?one#two', tab.app.url()).href);
  assert.equal(await own.evaluate(async () => (await (await fetch('/echo?own')).json()).target), '/echo?own');
  // A page that hides where it comes from is itself all the same, also where the service redirects what it sends.
  await own.evaluate(hideReferrer);
  await own.evaluate(sendForm, { action: '/echo?form' });
  assert.deepEqual(await echoed(own), { method: 'POST', cookie: 'strict=1' });
  await own.goBack();
  await own.evaluate(hideReferrer);
  await own.evaluate(sendForm, { action: `/redirect/303?to=${encodeURIComponent('/echo?redirected')}` });
  assert.deepEqual(await echoed(own), { method: 'GET', cookie: 'strict=1' });
  await shell.getByRole('button', { name: 'Show it here' }).click();
  await shell.frameLocator('iframe[title="depot"]').getByRole('heading', { name: 'Start' }).waitFor();
  assert.equal(await shell.evaluate(() => (window as unknown as { stayed?: true }).stayed), true);
  await Promise.all([own.close(), shell.close()]);
});

/** The app in a window of its own, as the shell offers it. */
async function ownWindow({ shell, app }: OpenService): Promise<Page> {
  await shell.getByRole('button', { name: 'Connection and sign-out' }).click();
  const opening = person.context.waitForEvent('page');
  await shell.getByRole('link', { name: 'In a window of its own' }).click();
  const own = await opening;
  await own.waitForURL(app.url());
  await own.waitForLoadState();
  return own;
}

/** In a page: what a request, a WebSocket and the cookies come to. */
async function useOfPage(): Promise<{ target: string; echoed: unknown; cookies: string[] }> {
  const { target } = await (await fetch('/echo?used')).json();
  const socket = new WebSocket('/echo');
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
  const heard = new Promise((resolve) => socket.addEventListener('message', ({ data }) => resolve(data)));
  socket.send('used');
  const echoed = await heard;
  socket.close();
  return { target, echoed, cookies: document.cookie.split('; ').filter((one) => one.startsWith('page-')) };
}

for (const where of ['frame', 'window']) {
  test(`app-access: a page that one comes back to works, out of the back/forward cache or not (in a ${where})`, async (t) => {
    const opened = await person.open('depot');
    const page = where === 'frame' ? opened.app : await ownWindow(opened);
    const { origin: start } = new URL(page.url());
    // Of all its pages one that may be kept: the others are `no-store`.
    await page.goto(`${start}/charset/utf-16`);
    await page.evaluate(() => {
      // biome-ignore lint/suspicious/noDocumentCookie: what apps do
      document.cookie = 'page-a=1; SameSite=Strict';
      Object.assign(window, { socket: new WebSocket('/echo') });
      addEventListener('pageshow', ({ persisted }) => Object.assign(window, { persisted }));
    });
    await page.goto(`${start}/second`);
    await page.evaluate(async () => {
      // biome-ignore lint/suspicious/noDocumentCookie: what apps do
      document.cookie = 'page-b=2; SameSite=Strict';
      await fetch('/set-cookie?line=page-c%3D3%3BSameSite%3DStrict');
      history.back();
    });
    await page.waitForURL(/utf-16$/, { waitUntil: 'commit' });
    t.diagnostic(
      `kept: ${await page.evaluate(() => (window as unknown as { persisted?: boolean }).persisted ?? false)}`,
    );
    assert.deepEqual(await page.evaluate(useOfPage), {
      ...{ target: '/echo?used', echoed: 'used' },
      cookies: ['page-a=1', 'page-b=2', 'page-c=3'],
    });
    await page.evaluate(() => {
      // biome-ignore lint/suspicious/noDocumentCookie: what apps do
      for (const name of ['page-b', 'page-c']) document.cookie = `${name}=; Max-Age=0; Path=/`;
    });
    if (page !== opened.app) await (page as Page).close();
    await opened.shell.close();
  });
}

// The driven Chromium fetches a page that it is to show in advance, and shows it only when one goes there.
test('app-access: a page that is fetched before one goes there, by rules of prefetch or prerender, is the service’s, through the tunnel', async (t) => {
  const from = await endOf(product);
  const opened = await person.open('depot');
  const own = await ownWindow(opened);
  for (const way of ['prefetch', 'prerender']) {
    await own.goto(new URL('/', opened.app.url()).href);
    const target = `/popup?${way}`;
    const early = once(asked, target);
    await own.evaluate(
      (rules) => {
        const script = document.createElement('script');
        Object.assign(script, { type: 'speculationrules', textContent: rules });
        document.head.append(script);
      },
      JSON.stringify({ [way]: [{ urls: [target], eagerness: 'immediate' }] }),
    );
    await early;
    await own.evaluate((to) => location.assign(to), target);
    await own.waitForURL(/popup/, { waitUntil: 'commit' });
    await own.getByRole('heading', { name: 'Pop-up' }).waitFor();
    const seen = await own.evaluate(() => {
      const [entry] = performance.getEntriesByType('navigation');
      const { deliveryType, activationStart } = entry as unknown as Record<string, unknown>;
      return `${deliveryType}, activated at ${activationStart}`;
    });
    t.diagnostic(`${way}: ${seen}`);
    assert.equal((await own.evaluate(useOfPage)).target, '/echo?used');
  }
  await Promise.all([own.close(), opened.shell.close()]);
  assert.deepEqual(
    (await eventsAfter(product, from)).filter(({ type }) => type === 'bypass'),
    [],
  );
});

test('app-access: a machine that slept until it was given up: the page goes on without being loaded anew', async () => {
  const { shell, app } = await person.open('depot');
  await app.evaluate(async () => {
    const source = new EventSource('/ticks');
    await new Promise((resolve) => source.addEventListener('message', resolve, { once: true }));
    const socket = new WebSocket('/echo');
    await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
    const closed = new Promise((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)));
    Object.assign(window, { slept: { source, closed } });
  });
  {
    using _sleeping = person.sleep();
    await socketEnds.at(-1);
  }
  assert.deepEqual(
    await app.evaluate(async () => {
      const { source, closed } = (window as unknown as { slept: { source: EventSource; closed: Promise<number> } })
        .slept;
      const { status } = await fetch('/echo?awake');
      const code = await closed;
      if (source.readyState === EventSource.CLOSED) return 'the source is given up';
      await new Promise((resolve) => source.addEventListener('message', resolve, { once: true }));
      source.close();
      return { status, code };
    }),
    { status: 200, code: 1006 },
  );
  assert.equal((await app.evaluate(useOfPage)).echoed, 'used');
  await shell.close();
});

/** A site that has nothing to do with us. */
async function foreignSite(): Promise<{ address: string } & Disposable> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Elsewhere</title>');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { address: `http://elsewhere.localhost:${port}/`, [Symbol.dispose]: () => server.close() };
}

for (const isHidden of [false, true]) {
  const how = isHidden ? 'that sends no referrer' : 'as it is';
  test(`app-access: a form of another site, ${how}, is of another site in any window it is sent into`, async () => {
    using foreign = await foreignSite();
    await setStrictCookie(tab.app);
    const { origin } = new URL(tab.app.url());
    const action = `${origin}/echo?foreign`;
    const page = await person.context.newPage();
    const arrive = async (where: Page | Frame) => {
      await where.goto(foreign.address);
      if (isHidden) await where.evaluate(hideReferrer);
    };
    const ofNobody = { method: 'POST', cookie: undefined };

    await arrive(page);
    await page.evaluate(sendForm, { action });
    assert.deepEqual(await echoed(page), ofNobody, 'in its own window');

    await arrive(page);
    const opening = person.context.waitForEvent('page');
    await page.evaluate((address) => void open(address, 'named'), `${origin}/second`);
    const named = await opening;
    await named.getByRole('heading', { name: 'Second' }).waitFor();
    await page.evaluate(sendForm, { action, target: 'named' });
    assert.deepEqual(await echoed(named), ofNobody, 'in a window that shows the app');

    // A fragment is gone to without a document, by whoever has the window's name, and the page hears of it.
    const lead = (address: string) => page.evaluate((to) => void open(to, 'led'), `${origin}/form?${address}`);
    const opened = person.context.waitForEvent('page');
    await lead('foreign');
    const led = await opened;
    assert.equal(await led.locator('#cookie').textContent(), '');
    await lead('foreign#part');
    await led.waitForURL(/#part$/);
    await lead('foreign');
    await led.waitForURL(/foreign$/);
    assert.equal(await led.locator('#cookie').textContent(), '', 'where it went to a fragment before');
    await led.reload();
    assert.equal(await led.locator('#cookie').textContent(), '', 'loaded anew');
    await led.close();

    await named.goto(`${origin}/second`);
    await named.evaluate(() => document.body.append(document.createElement('iframe')));
    const frame = named.frames()[1]!;
    await arrive(frame);
    await frame.evaluate(() => document.body.insertAdjacentHTML('beforeend', '<button>send</button>'));
    await frame.evaluate((to) => {
      document.querySelector('button')?.addEventListener('click', () => {
        document.body.innerHTML = `<form method=post target=_top action="${to}"></form>`;
        document.forms[0]?.submit();
      });
    }, action);
    await frame.getByRole('button', { name: 'send' }).click();
    assert.deepEqual(await echoed(named), ofNobody, 'out of a frame in a page of the app');
    await Promise.all([named.close(), page.close()]);
  });
}
