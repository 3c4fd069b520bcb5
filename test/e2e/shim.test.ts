/**
 * What a service worker cannot route, in both browsers: WebSocket in pages, workers and blank frames, compared with the
 * same service reached directly; and what slips past the service worker, which reaches no service.
 */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inLong } from '../support/long.ts';
import { arrive } from './support/arrive.ts';
import { LocalPeer } from './support/browser-peer.ts';
import { linkFor } from './support/browser-world.ts';
import { fidelityService } from './support/fidelity-service.ts';
import { endOf, eventAfter, eventsAfter } from './support/node-audit.ts';
import { Product } from './support/product.ts';
import { answerPage, answerUpgrade, asked } from './support/shim-service.ts';
import { browsers, type Realm, type Visit, type Visitor } from './support/visitor.ts';
import { behaviours } from './support/websocket-behaviours.ts';
import { beginLasting, endOfLasting, talkInPage, talkInWorker } from './support/websockets/talk.ts';
import * as wpt from './support/websockets/wpt.ts';

const shimLimitBytes = 10 * 1024;
const rows = Object.keys(behaviours).length;
/** Going away (RFC 6455 section 7.4.1). */
const goingAway = 1001;
/** The most that the tunnel carries in one message (protocol/exchange/websocket.ts). */
const largeBytes = inLong(4, 64) * 2 ** 20;
const smallMessages = inLong(500, 60_000);
/** Firefox ends what a service worker answers after 30 s, silently, unless it is kept from that. */
const drops = { everyMs: 500, count: inLong(64, 1_200) };
const lastingS = (drops.count * drops.everyMs) / 1_000;
/** What a worker whose script is a blob sees differently, and why that is allowed to stay. */
const knownInBlobs: Readonly<Record<string, string>> = {
  'a relative address':
    'Firefox takes it by the page that made the blob, Chromium and the standard by the blob: not at all',
  'a query alone': 'the same',
};

/** What Firefox lets pass and the standard does not (WebSockets, "establish a WebSocket connection"); nor does the gateway. */
const knownInFirefox: Readonly<Record<string, string>> = {
  'the service names one that nobody asked for': 'opens without one',
  'the service names none': 'opens without one',
};

const early = 'close before it is open';
const knownInFirefoxWorkers: Readonly<Record<string, string>> = {
  [early]: 'its own close may come when the handshake is over: an error, and yet a clean end with 1005',
};
/**
 * After a WebSocket that failed Firefox lets the next to the same host and port wait, up to a minute at last, and many of
 * the rows ask for one that fails: without Latchkey a run of them would take what chance makes of it.
 */
const impatient = { 'network.websocket.delay-failed-reconnects': false };

declare global {
  var runBehaviours: () => Promise<Record<string, unknown>>;
}

const direct = createServer(answerPage).on('upgrade', answerUpgrade);
let product: Product;
let peer: LocalPeer;

before(async () => {
  await new Promise<void>((resolve) => direct.listen(0, '127.0.0.1', resolve));
  product = await Product.start();
  peer = await LocalPeer.publish(product, 'depot');
  const lasting = fidelityService();
  peer.serve((request, response) => {
    if (request.url?.startsWith('/drip')) lasting(request, response);
    else answerPage(request, response);
  }, answerUpgrade);
});
after(async () => {
  await peer?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
  direct.closeAllConnections();
  direct.close();
});

test('app-access: the shim is at most 10 KB', () => {
  const { size } = statSync(join(import.meta.dirname, '../../dist/app/shim.js'));
  console.log(`shim: ${size} bytes; ${rows} behaviours of WebSocket`);
  assert.ok(size <= shimLimitBytes, `${size} bytes`);
});

test('app-access: WebSocket fidelity: each file of web-platform-tests has a row that asks the same, or a reason', () => {
  const named = Object.values(wpt.asked).flat();
  assert.deepEqual(
    named.filter((row) => !(row in behaviours)),
    [],
  );
  const files = [wpt.asked, wpt.notAsked].map((table) => Object.keys(table).length);
  console.log(
    `web-platform-tests, websockets: ${files[0]} files asked by ${new Set(named).size} rows, ${files[1]} not`,
  );
  assert.deepEqual(
    Object.entries(wpt.asked).filter(([file, rowsOfFile]) => rowsOfFile.length === 0 || file in wpt.notAsked),
    [],
  );
});

for (const browser of browsers)
  describe(browser, () => {
    let visitor: Visitor;
    let depot: Visit;
    /** A page of the same service without Latchkey. */
    let without: Realm;
    const known = browser === 'firefox' ? knownInFirefox : {};
    const lasts = inLong(browser === 'firefox', true);

    before(async () => {
      visitor = await arrive(browser, impatient);
      await visitor.enrol(await linkFor(product, browser, 'admins'));
      depot = await visitor.open('depot');
      // Goes on beside the other tests.
      if (lasts) await beginLasting(depot.app, drops);
      without = await visitor.visit(`http://127.0.0.1:${(direct.address() as AddressInfo).port}/`);
    });
    after(() => visitor?.[Symbol.asyncDispose]());

    test(`app-access: WebSocket fidelity: a page sees what it sees without Latchkey (${browser})`, async () => {
      const [seen, expected] = await both([depot.app, without], (realm) => realm.evaluate(() => runBehaviours()));
      assertAlike(seen, expected, known);
    });

    for (const kind of ['classic', 'module', 'shared', 'blob'] as const)
      test(`app-access: workers get the shim: ${kind} (${browser})`, async () => {
        const [seen, expected] = await both([depot.app, without], (realm) => inWorker(realm, kind));
        const ofWorkers = browser === 'firefox' ? knownInFirefoxWorkers : {};
        assertAlike(seen, expected, { ...known, ...ofWorkers, ...(kind === 'blob' ? knownInBlobs : {}) });
        const failed = { seen: ['error'], code: 1006, reason: '', wasClean: false, readyState: WebSocket.CLOSED };
        assert.deepEqual(seen[early], [WebSocket.CLOSING, failed]);
      });

    for (const [policy, connects] of [
      ['nonce', true],
      ['trusted', true],
      // It lets nobody but the app make what a worker may be started from.
      ['trusted-by-name', false],
    ] as const)
      test(`app-access: workers get the shim: of a blob, under a policy: ${policy} (${browser})`, async () => {
        const [seen, expected] = await both([depot.app, without], (realm) => inGuardedWorker(realm, policy));
        assert.deepEqual(expected, ['said', 'connected']);
        assert.deepEqual(seen, ['said', connects ? 'connected' : 'closed']);
      });

    for (const how of ['terminate', 'close', 'leave', 'leave shared'] as const)
      test(`app-access: WebSocket fidelity: a worker's sockets end with it, however it ends: ${how} (${browser})`, async () => {
        const codes = await both([depot.app, without], (realm) => endOfSocketsInWorker(realm, how));
        const expected = how === 'leave shared' ? [goingAway] : [goingAway, goingAway];
        assert.deepEqual(codes, [expected, expected]);
      });

    for (const [where, talk] of [
      ['page', talkInPage],
      ['worker', talkInWorker],
    ] as const)
      test(`app-access: WebSocket fidelity: ${largeBytes / 2 ** 20} MiB in a message, and ${smallMessages} at 1,000 a second, come back in order (${browser}, ${where})`, async (t) => {
        const address = new URL('/echo', depot.app.url()).href.replace('http', 'ws');
        const { ms, ...heard } = await talk(depot.app, { address, bytes: largeBytes, messages: smallMessages });
        t.diagnostic(`${smallMessages} messages there and back in ${Math.round(ms)} ms`);
        assert.deepEqual(heard, { length: largeBytes, wrongBytes: 0, wrongMessages: 0 });
      });

    test(`app-access: a fresh blank frame fetches and connects (${browser})`, async () => {
      const outcome = await depot.app.evaluate(async () => {
        const frame = document.createElement('iframe');
        document.body.append(frame);
        const inside = frame.contentWindow as Window & typeof globalThis;
        const text = await (await inside.fetch('/text')).text();
        const request = new inside.XMLHttpRequest();
        request.open('GET', '/text');
        const loaded = new Promise((resolve) => {
          request.onload = () => resolve(request.responseText);
          request.onerror = () => resolve('error');
        });
        request.send();
        const socket = new inside.WebSocket('/echo');
        const echoed = new Promise((resolve) => {
          socket.onopen = () => socket.send('from a frame');
          socket.onmessage = ({ data }) => resolve(data);
          socket.onclose = ({ code }) => resolve(code);
        });
        return [text, await loaded, await echoed];
      });
      assert.deepEqual(outcome, ['of the service', 'of the service', 'from a frame']);
    });

    for (const where of ['frame', 'pop-up'] as const)
      test(`app-access: bypass leaks: what a page written into a blank ${where} names is brought (${browser})`, async () => {
        const write = async (into: 'frame' | 'pop-up') => {
          const frame = document.createElement('iframe');
          if (into === 'frame') document.body.append(frame);
          const inside = (into === 'frame' ? frame.contentWindow : open('')) as Window & { named?: true };
          const page = inside.document;
          page.open();
          page.write('<link rel="stylesheet" href="/style/first.css"><p>text <img src="picture.svg"></p>');
          page.close();
          // Made by the window around.
          const script = page.head.appendChild(Object.assign(document.createElement('script'), { src: '/named.js' }));
          const image = page.images[0] as HTMLImageElement;
          const ends = [page.querySelector('link') as HTMLLinkElement, image, script].map(
            (element) =>
              new Promise<string>((resolve) => {
                for (const type of ['load', 'error']) element.addEventListener(type, () => resolve(type));
              }),
          );
          const types = await Promise.all(ends);
          // Firefox draws it a little later; another picture would be taller.
          while (image.offsetHeight < 34) await new Promise((resolve) => setTimeout(resolve, 20));
          const { color } = getComputedStyle(page.querySelector('p') as Element);
          const seen = [types.join(), color, image.offsetHeight, image.getAttribute('src'), inside.named];
          if (into === 'frame') frame.remove();
          else inside.close();
          return seen;
        };
        const [seen, expected] = await both([depot.app, without], (realm) => realm.evaluate(write, where));
        assert.deepEqual(expected, ['load,load,load', 'rgb(1, 2, 3)', 34, 'picture.svg', true]);
        assert.deepEqual(seen, expected);
      });

    test(`app-access: bypass leaks: what a page of a blob or of a javascript: address names is brought (${browser})`, async () => {
      const show = async () => {
        const heights: number[] = [];
        const page = `<img src="${origin}/tall.svg"><img src="${origin}/picture.svg">`;
        const blob = URL.createObjectURL(new Blob([page], { type: 'text/html' }));
        for (const src of [blob, `javascript:'${page}'`]) {
          const frame = Object.assign(document.createElement('iframe'), { src });
          const loaded = () => new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
          const first = loaded();
          document.body.append(frame);
          await first;
          // The blank page before it has none.
          while (!frame.contentDocument?.images[1]) await loaded();
          const images = [...frame.contentDocument.images];
          const ends = images.map(async (image) => {
            if (image.naturalHeight > 0) return;
            await new Promise((resolve) => ['load', 'error'].map((type) => image.addEventListener(type, resolve)));
            // Firefox draws it a little later.
            while (image.offsetHeight < 34) await new Promise((resolve) => setTimeout(resolve, 20));
          });
          await Promise.all(ends);
          heights.push(...images.map((image) => image.offsetHeight));
          frame.remove();
        }
        return heights;
      };
      const [seen, expected] = await both([depot.app, without], (realm) => realm.evaluate(show));
      assert.deepEqual(expected, [56, 34, 56, 34]);
      assert.deepEqual(seen, expected);
    });

    for (const how of ['of the page', 'of its own'] as const)
      test(`app-access: bypass leaks: what a policy ${how} forbids a blank page is neither fetched nor run (${browser})`, async () => {
        asked.length = 0;
        const seen = await depot.app.evaluate(async (which) => {
          const added = (page: Document, made: Partial<HTMLIFrameElement>) => {
            const frame = Object.assign(page.createElement('iframe'), made);
            const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
            page.body.append(frame);
            return loaded.then(() => frame);
          };
          const names =
            '<link rel="stylesheet" href="/style/first.css"><img src="/hidden.svg"><script src="/counted.js"></script>';
          const own = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'">`;
          const isOwn = which === 'of its own';
          const around = await added(document, { src: isOwn ? '/untyped' : '/policy/nonce-dynamic' });
          const page = around.contentDocument as Document;
          await added(page, { srcdoc: (isOwn ? own : '') + names });
          const blank = page.body.appendChild(page.createElement('iframe')).contentWindow as Window & {
            count?: number;
          };
          const { document: written } = blank;
          written.open();
          const ends = new Map<string, string>();
          const all = new Promise<void>((resolve) => {
            for (const type of ['load', 'error'])
              written.addEventListener(
                type,
                ({ target }) => {
                  ends.set((target as Element).localName, type);
                  if (ends.size === 3) resolve();
                },
                true,
              );
          });
          written.write((isOwn ? own : '') + names);
          written.close();
          await all;
          // Whatever was asked for before is there before this is.
          await (around.contentWindow as Window).fetch('/text');
          const { count } = blank;
          around.remove();
          return [ends.get('link'), ends.get('img'), ends.get('script'), count];
        }, how);
        assert.deepEqual(seen, ['error', 'error', 'error', undefined]);
        const forbidden = asked.filter((one) => /first|counted|hidden/.test(one));
        assert.deepEqual(forbidden, []);
      });

    for (const [named, end] of [
      ['styles', 'load'],
      // As without Latchkey, where what it imports is forbidden.
      ['imports', 'error'],
    ] as const)
      test(`app-access: bypass leaks: what a brought stylesheet names is fetched where a policy allows it: ${named} (${browser})`, async () => {
        asked.length = 0;
        const type = await depot.app.evaluate(async (policy) => {
          const around = document.createElement('iframe');
          around.src = `/policy/${policy}`;
          const loaded = new Promise((resolve) => around.addEventListener('load', resolve, { once: true }));
          document.body.append(around);
          await loaded;
          const page = around.contentDocument as Document;
          const blank = page.body.appendChild(page.createElement('iframe')).contentDocument as Document;
          blank.open();
          blank.write(`<link rel="stylesheet" href="/style/${policy}.css" nonce="abc"><p>text`);
          const link = blank.querySelector('link') as HTMLLinkElement;
          const end = new Promise<string>((resolve) => {
            for (const name of ['load', 'error']) link.addEventListener(name, () => resolve(name));
          });
          blank.close();
          const said = await end;
          await (around.contentWindow as Window).fetch('/text');
          around.remove();
          return said;
        }, named);
        assert.equal(type, end);
        assert.deepEqual(
          asked.filter((one) => /^GET \/style\/|hidden/.test(one)),
          [`GET /style/${named}.css`],
        );
      });

    if (browser === 'chromium')
      test('app-access: bypass leaks: neither a file of another type nor one that leads on is brought to a blank page', async () => {
        const types = await depot.app.evaluate(async () => {
          const frame = document.body.appendChild(document.createElement('iframe'));
          const page = frame.contentDocument as Document;
          const made = [
            Object.assign(page.createElement('link'), { rel: 'stylesheet', href: '/text' }),
            Object.assign(page.createElement('script'), { src: '/text' }),
            Object.assign(page.createElement('img'), { src: '/led.svg' }),
          ];
          const ends = made.map(
            (element) =>
              new Promise<string>((resolve) => {
                for (const type of ['load', 'error']) element.addEventListener(type, () => resolve(type));
              }),
          );
          page.body.append(...made);
          const said = await Promise.all(ends);
          frame.remove();
          return said;
        });
        assert.deepEqual(types, ['error', 'error', 'error']);
      });

    test(`app-access: bypass leaks: a script of a pop-up runs once, however often its window is opened (${browser})`, async () => {
      asked.length = 0;
      const count = await depot.app.evaluate(async () => {
        const popup = open('', 'twice') as Window & { count?: number };
        const script = Object.assign(popup.document.createElement('script'), { src: '/counted.js' });
        const loaded = new Promise((resolve) => script.addEventListener('load', resolve));
        popup.document.body.append(script);
        await loaded;
        open('', 'twice');
        await fetch('/text');
        const { count: times } = popup;
        popup.close();
        return times;
      });
      assert.equal(count, 1);
      assert.deepEqual(
        asked.filter((one) => one.includes('counted')),
        ['GET /counted.js'],
      );
    });

    test(`app-access: bypass leaks: an image of a blank frame shows what it names last (${browser})`, async () => {
      const show = async () => {
        const frame = document.body.appendChild(document.createElement('iframe'));
        const page = frame.contentDocument as Document;
        const image = page.body.appendChild(page.createElement('img'));
        const heights: number[] = [];
        const named = async (src: string, least: number) => {
          const loaded = new Promise((resolve) => image.addEventListener('load', resolve, { once: true }));
          image.src = src;
          await loaded;
          while (image.offsetHeight < least) await new Promise((resolve) => setTimeout(resolve, 20));
          heights.push(image.offsetHeight);
        };
        await named('/picture.svg', 34);
        page.adoptedStyleSheets = [];
        await named('/tall.svg', 56);
        await named('/picture.svg', 34);
        const rules = page.adoptedStyleSheets.map(({ cssRules }) => cssRules.length);
        frame.remove();
        return [heights, rules.join()];
      };
      const [[seen, rules], [expected]] = await both([depot.app, without], (realm) => realm.evaluate(show));
      assert.deepEqual(expected, [34, 56, 34]);
      assert.deepEqual(seen, expected);
      assert.equal(rules, browser === 'chromium' ? '1' : '');
    });

    test(`app-access: an app that wraps addEventListener hears nothing of ours, nor of a page of XML in its frame (${browser})`, async () => {
      const calls = await depot.app.evaluate(async () => {
        const around = document.createElement('iframe');
        around.src = '/untyped';
        const loaded = new Promise((resolve) => around.addEventListener('load', resolve, { once: true }));
        document.body.append(around);
        await loaded;
        const { EventTarget: Target, document: page } = around.contentWindow as Window & typeof globalThis;
        const heard: string[] = [];
        const native = Target.prototype.addEventListener;
        Target.prototype.addEventListener = function (this: EventTarget, ...given: [string, null]) {
          heard.push(given[0]);
          native.apply(this, given);
        };
        const seen = new Promise((resolve) =>
          new MutationObserver(resolve).observe(page, { childList: true, subtree: true }),
        );
        page.body.append('text');
        await seen;
        // In a shadow tree, where nobody has looked at it before.
        const text = `<p xmlns="http://www.w3.org/1999/xhtml"><link xmlns="urn:x" href="${origin}/text"/></p>`;
        const src = URL.createObjectURL(new Blob([text], { type: 'application/xhtml+xml' }));
        const frame = Object.assign(page.createElement('iframe'), { src });
        const shown = new Promise((resolve) => {
          frame.onload = resolve;
        });
        const host = page.body.appendChild(page.createElement('div'));
        host.attachShadow({ mode: 'closed' }).append(frame);
        await shown;
        const { localName } = frame.contentDocument?.documentElement ?? page.body;
        around.remove();
        return [...heard, localName];
      });
      assert.deepEqual(calls, ['p']);
    });

    // Firefox has nothing to ask.
    if (browser === 'chromium')
      test('BR-1: in its frame an app may what no person is asked about, and not what one app would be given for all', async () => {
        const allowed = await depot.app.evaluate(() => {
          const { featurePolicy } = document as unknown as { featurePolicy: { allowsFeature(name: string): boolean } };
          const free = ['autoplay', 'fullscreen', 'gamepad', 'picture-in-picture', 'screen-wake-lock'];
          const asked = ['camera', 'microphone', 'geolocation', 'display-capture', 'publickey-credentials-get', 'usb'];
          return [...free, ...asked].filter((name) => featurePolicy.allowsFeature(name));
        });
        assert.deepEqual(allowed, ['autoplay', 'fullscreen', 'gamepad', 'picture-in-picture', 'screen-wake-lock']);
      });

    test(`app-access: an object and an embed, which pass every service worker, show the picture that they name (${browser})`, async () => {
      const shown = await depot.app.evaluate(async () => {
        const seen: boolean[] = [];
        for (const made of ['<object data="/picture.svg"></object>', '<embed src="/picture.svg">']) {
          const host = document.body.appendChild(document.createElement('div'));
          host.innerHTML = made;
          const inside = (of: Window): Document[] => [of.document, ...within(of)];
          const within = (of: Window) => Array.from(of, (_, at) => inside(of[at] as Window)).flat();
          // A page of the way to it may be there before.
          const isShown = ({ documentElement, images }: Document): boolean =>
            documentElement?.localName === 'svg' || [...images].some((one) => one.naturalHeight === 34);
          while (!within(window).some(isShown)) await new Promise((resolve) => setTimeout(resolve, 20));
          host.remove();
          seen.push(true);
        }
        return seen;
      });
      assert.deepEqual(shown, [true, true]);
    });

    if (browser === 'firefox')
      test('app-access: bypass leaks: a PDF is read to its end, since its viewer would ask for ranges of it past the service worker', async () => {
        const end = await depot.app.evaluate(async () => {
          const frame = document.body.appendChild(document.createElement('iframe'));
          frame.src = '/paper.pdf';
          const said = await (await fetch('/paper-end')).text();
          frame.remove();
          return said;
        });
        assert.equal(end, 'whole');
      });

    test(`app-access: a page of which the service says no type connects (${browser})`, async () => {
      const echoed = await depot.app.evaluate(async () => {
        const frame = document.createElement('iframe');
        frame.src = '/untyped';
        const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
        document.body.append(frame);
        await loaded;
        const socket = new (frame.contentWindow as Window & typeof globalThis).WebSocket('/echo');
        return new Promise((resolve) => {
          socket.onopen = () => socket.send('untyped');
          socket.onmessage = ({ data }) => resolve(data);
          socket.onclose = ({ code }) => resolve(code);
        });
      });
      assert.equal(echoed, 'untyped');
    });

    test(`app-access: a srcdoc frame's own script connects (${browser})`, async () => {
      const echoed = await depot.app.evaluate(() => {
        const frame = document.createElement('iframe');
        frame.srcdoc = `<script>
          const socket = new WebSocket(parent.location.origin.replace('http', 'ws') + '/echo');
          socket.onopen = () => socket.send('from srcdoc');
          socket.onmessage = ({ data }) => parent.postMessage(data, '*');
          socket.onclose = ({ code }) => parent.postMessage(code, '*');
        </script>`;
        const heard = new Promise((resolve) => {
          addEventListener('message', ({ data, source }) => source === frame.contentWindow && resolve(data));
        });
        document.body.append(frame);
        return heard;
      });
      assert.equal(echoed, 'from srcdoc');
    });

    test(`app-access: synchronous XHR brings the service's answer, and reaches nothing else (${browser})`, async () => {
      const from = await endOf(product);
      asked.length = 0;
      const seen = await depot.app.evaluate(() => {
        // biome-ignore lint/suspicious/noDocumentCookie: as apps do it.
        document.cookie = 'before=1';
        const request = new XMLHttpRequest();
        const events: string[] = [];
        request.onreadystatechange = () => events.push(`state ${request.readyState}`);
        for (const type of ['load', 'loadend', 'error']) request.addEventListener(type, () => events.push(type));
        const ask = (method: string, body: XMLHttpRequestBodyInit | null) => {
          request.open(method, '/synchronous?q#f', false);
          request.setRequestHeader('x-said', 'said');
          request.send(body);
          const { readyState, status, statusText, responseText, responseURL } = request;
          const own = request.getResponseHeader('X-Own');
          const all = request.getAllResponseHeaders().includes('x-own: yes\r\n');
          const { from, cookie, ...heard } = JSON.parse(responseText);
          const origins = `${from} ${responseURL}`.replaceAll(location.origin, '');
          const { cookie: now } = document;
          return {
            ...heard,
            readyState,
            status,
            statusText,
            own,
            all,
            origins,
            cookie: cookie.includes('before=1'),
            now,
          };
        };
        const form = new FormData();
        form.set('a', 'b');
        const answers = [ask('GET', null), ask('POST', 'text ü'), ask('PUT', new Uint8Array([0x68, 0x69]))];
        answers.push(ask('POST', new URLSearchParams({ a: 'b' })));
        const { body, type } = ask('POST', form);
        const isForm = /^--.*name="a".*\r\n\r\nb\r\n--/s.test(body) && /^multipart\/form-data; boundary=/.test(type);
        request.open('GET', '/text', true);
        return { answers, isForm, events: events.slice(0, 4), after: [request.readyState, request.status] };
      });
      const common = { said: 'said', ü: 'ü', readyState: 4, status: 409, statusText: 'Taken', own: 'yes', all: true };
      const answer = (method: string, body: string, type: string) => ({
        ...common,
        ...{ method, body, type, origins: '/ /synchronous?q', cookie: true },
      });
      assert.deepEqual(
        seen.answers.map(({ now: _, ...rest }) => rest),
        [
          answer('GET', '', ''),
          answer('POST', 'text ü', 'text/plain;charset=UTF-8'),
          answer('PUT', 'hi', ''),
          answer('POST', 'a=b', 'application/x-www-form-urlencoded;charset=UTF-8'),
        ],
      );
      assert.deepEqual(
        seen.answers.map(({ now, method }) => now.includes(`synchronous=${method}`)),
        [true, true, true, true],
      );
      assert.equal(seen.isForm, true);
      assert.deepEqual(seen.events, ['state 1', 'state 4', 'load', 'loadend']);
      assert.deepEqual(seen.after, [1, 0]);
      assert.deepEqual(
        asked,
        ['GET', 'POST', 'PUT', 'POST', 'POST'].map((method) => `${method} /synchronous`),
      );
      assert.deepEqual(
        (await eventsAfter(product, from)).filter(({ type }) => type === 'bypass'),
        [],
      );
    });

    test(`app-access: synchronous XHR reads XML, and bytes as a page wants them read (${browser})`, async () => {
      const seen = await depot.app.evaluate(() => {
        const request = new XMLHttpRequest();
        const ask = (address: string, type?: string) => {
          request.open('GET', address, false);
          if (type !== undefined) request.overrideMimeType(type);
          request.send();
          return request;
        };
        const xml = ask('/xml').responseXML?.documentElement.textContent;
        const isNone = [ask('/text').responseXML, ask('/text', 'text/xml').responseXML].every((one) => one === null);
        return [xml, isNone, ask('/xml', 'text/plain; charset=x-user-defined').responseText];
      });
      assert.deepEqual(seen, ['ü', true, '<a>\uf7c3\uf7bc</a>']);
    });

    test(`app-access: synchronous XHR obeys the page's connect-src (${browser})`, async () => {
      asked.length = 0;
      const name = await depot.app.evaluate(async () => {
        const frame = document.createElement('iframe');
        frame.src = '/closed';
        const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
        document.body.append(frame);
        await loaded;
        const request = new (frame.contentWindow as Window & typeof globalThis).XMLHttpRequest();
        request.open('GET', '/synchronous', false);
        try {
          request.send();
          return 'sent';
        } catch (error) {
          return (error as Error).name;
        }
      });
      assert.equal(name, 'NetworkError');
      assert.ok(!asked.includes('GET /synchronous'), asked.join());
    });

    test(`app-access: synchronous XHR of a worker brings the service's answer (${browser})`, async () => {
      const from = await endOf(product);
      const heard = await depot.app.evaluate(() => {
        const code = `const request = new XMLHttpRequest();
          request.open('POST', '${location.origin}/synchronous', false);
          request.send('of a worker');
          postMessage([request.status, JSON.parse(request.responseText).body]);`;
        const worker = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
        return new Promise((resolve) => {
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = ({ message }) => resolve(message);
        });
      });
      assert.deepEqual(heard, [409, 'of a worker']);
      assert.deepEqual(
        (await eventsAfter(product, from)).filter(({ type }) => type === 'bypass'),
        [],
      );
    });

    test(`app-access: to an app this is a browser without service workers, WebSocketStream and fetchLater (${browser})`, async () => {
      const seen = await depot.app.evaluate(() => {
        const frame = document.body.appendChild(document.createElement('iframe'));
        const inFrame = ['WebSocketStream', 'fetchLater'].some((name) => name in (frame.contentWindow as Window));
        frame.remove();
        const inPage = ['WebSocketStream', 'fetchLater'].some((name) => name in self);
        return ['serviceWorker' in navigator, typeof navigator.serviceWorker, inPage, inFrame];
      });
      assert.deepEqual(seen, [false, 'undefined', false, false]);
    });

    test(`QHX-3: a WebSocket of the browser's own reaches no service and is audited as a bypass (${browser})`, async () => {
      const from = await endOf(product);
      asked.length = 0;
      const code = await depot.app.evaluate(() => {
        // A page that nobody brought, in a shadow tree, where no observer of ours looks.
        const frame = document.createElement('iframe');
        frame.srcdoc = `<script>
          const socket = new WebSocket(parent.location.origin.replace('http', 'ws') + '/raw');
          socket.onopen = () => parent.postMessage('open', '*');
          socket.onclose = ({ code }) => parent.postMessage(code, '*');
        </script>`;
        const heard = new Promise((resolve) => {
          addEventListener('message', ({ data }) => (data === 'open' || typeof data === 'number') && resolve(data));
        });
        const host = document.createElement('div');
        host.attachShadow({ mode: 'closed' }).append(frame);
        document.body.append(host);
        return heard;
      });
      assert.equal(code, 1006);
      const event = await eventAfter(product, from, ({ type }) => type === 'bypass');
      assert.deepEqual([event.service, event.decision, event.detail?.['path']], ['depot', 'deny', '/raw']);
      assert.deepEqual(asked, []);
    });

    if (lasts)
      test(`BR-6: app-access: Firefox 30 s: a body of ${lastingS} s is whole, a WebSocket silent meanwhile stands (${browser})`, async () => {
        assert.deepEqual(await endOfLasting(depot.app), ['.'.repeat(drops.count), 'still here']);
      });
  });

function both<R>([one, other]: [Realm, Realm], run: (realm: Realm) => Promise<R>): Promise<[R, R]> {
  return Promise.all([run(one), run(other)]);
}

function assertAlike(
  seen: Record<string, unknown>,
  expected: Record<string, unknown>,
  known: Readonly<Record<string, string>>,
): void {
  assert.deepEqual([Object.keys(seen).length, Object.keys(expected).length], [rows, rows]);
  const differing = Object.keys(expected).filter(
    (name) => known[name] === undefined && JSON.stringify(seen[name]) !== JSON.stringify(expected[name]),
  );
  assert.deepEqual(
    Object.fromEntries(differing.map((name) => [name, seen[name]])),
    Object.fromEntries(differing.map((name) => [name, expected[name]])),
  );
}

/**
 * A worker of a frame and, in one of its own, another open a WebSocket each; then the first is ended, or the frame left.
 * @returns how the service heard them end.
 */
function endOfSocketsInWorker(realm: Realm, how: 'terminate' | 'close' | 'leave' | 'leave shared'): Promise<number[]> {
  return realm.evaluate(async (way) => {
    const isShared = way === 'leave shared';
    // Chromium's shared workers start none.
    const keys = Array.from({ length: isShared ? 1 : 2 }, () => crypto.randomUUID());
    const frame = document.createElement('iframe');
    frame.src = '/';
    document.body.append(frame);
    await new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
    const inside = frame.contentWindow as Window & typeof globalThis;
    const worker = isShared ? new inside.SharedWorker('/watched.js').port : new inside.Worker('/watched.js');
    await new Promise((resolve) => {
      worker.onmessage = resolve;
      worker.postMessage(keys);
    });
    if (way === 'terminate') (worker as Worker).terminate();
    else if (way === 'close') worker.postMessage([]);
    else frame.remove();
    const ends = keys.map(async (key) => Number(await (await fetch(`/ended?key=${key}`)).text()));
    const codes = await Promise.all(ends);
    frame.remove();
    return codes;
  }, how);
}

/** @returns the first message that the second worker of a blob hears in a page of this policy, and whether it can connect. */
function inGuardedWorker(realm: Realm, policy: string): Promise<[heard: string, outcome: string]> {
  return realm.evaluate(async (name) => {
    type TrustedTypes = { createPolicy(name: string, rules: object): { createScriptURL(address: string): string } };
    const frame = document.createElement('iframe');
    frame.src = `/policy/${name}`;
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
    document.body.append(frame);
    await loaded;
    const inside = frame.contentWindow as Window & typeof globalThis & { trustedTypes?: TrustedTypes };
    const source = `onmessage = ({ data }) => {
      const socket = new WebSocket(origin.replace('http', 'ws') + '/echo');
      socket.onopen = () => postMessage([data, 'connected']);
      socket.onclose = () => postMessage([data, 'closed']);
    };`;
    const address = inside.URL.createObjectURL(new inside.Blob([source]));
    const rule = inside.trustedTypes?.createPolicy('app', { createScriptURL: String });
    const started = () => {
      const worker = new inside.Worker(rule?.createScriptURL(address) ?? address);
      worker.postMessage('said');
      return new Promise<MessageEvent>((resolve) => {
        worker.onmessage = resolve;
      });
    };
    await started();
    const { data } = await started();
    frame.remove();
    return data;
  }, policy);
}

function inWorker(realm: Realm, kind: 'classic' | 'module' | 'shared' | 'blob'): Promise<Record<string, unknown>> {
  return realm.evaluate(async (which) => {
    const answerOf = (end: Worker | MessagePort) =>
      new Promise<Record<string, unknown>>((resolve, reject) => {
        end.onmessage = ({ data }) => {
          resolve(data);
          (end as Worker).terminate?.();
        };
        (end as Worker).onerror = (event) => reject(new Error(`the worker failed: ${(event as ErrorEvent).message}`));
        end.postMessage('go');
      });
    if (which === 'shared') return answerOf(new SharedWorker('/shared.js').port);
    if (which === 'module') return answerOf(new Worker('/module.js', { type: 'module' }));
    if (which === 'classic') return answerOf(new Worker('/worker.js'));
    const text = await (await fetch('/worker.js')).text();
    const address = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
    const worker = new Worker(address);
    URL.revokeObjectURL(address);
    return answerOf(worker);
  }, kind);
}
