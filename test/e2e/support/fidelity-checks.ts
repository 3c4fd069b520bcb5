/**
 * What a page can see of the way to its service, as a table: each line runs in a page of `fidelity-service.ts` and says
 * what it must see. The same table is run directly and through Latchkey, so an expectation that is wrong shows as such.
 * A check runs in the page and sees nothing of this module.
 */

import type { BrowserName } from './visitor.ts';

/** Runs in the page. */
type InPage = () => Promise<unknown>;

export interface Check {
  readonly name: string;
  readonly run: InPage;
  readonly expected: unknown;
  /** What a visitor without Latchkey sees instead, where the way itself makes the difference. */
  readonly direct?: unknown;
  /** What Firefox sees instead of either. */
  readonly firefox?: { readonly expected?: unknown; readonly direct?: unknown };
}

/** What a browser sees, with Latchkey or without it. */
export function expectedBy(browser: BrowserName, check: Check, way: 'through Latchkey' | 'direct'): unknown {
  const { expected, direct } = { ...check, ...(browser === 'firefox' && check.firefox) };
  return way === 'direct' ? (direct ?? expected) : expected;
}

const length = 18_000;
const check = (name: string, expected: unknown, run: InPage, more: Pick<Check, 'direct' | 'firefox'> = {}): Check => ({
  ...{ name, expected, run, ...more },
});

export const checks: readonly Check[] = [
  // ── bodies and statuses ──
  check('a range is 206 with the part alone', [206, 'bytes 100-199/200000', 100, 188, '"file-1"'], async () => {
    const answer = await fetch('/file', { headers: { range: 'bytes=100-199' } });
    const body = new Uint8Array(await answer.arrayBuffer());
    return [answer.status, answer.headers.get('content-range'), body.length, body[0], answer.headers.get('etag')];
  }),
  check(
    'the last bytes, an open range, and one beyond the end',
    ['206 5', '206 10', '416 bytes */200000'],
    async () => {
      const seen: string[] = [];
      for (const range of ['bytes=-5', 'bytes=199990-', 'bytes=300000-400000']) {
        const answer = await fetch('/file', { headers: { range } });
        const body = await answer.arrayBuffer();
        seen.push(`${answer.status} ${answer.status === 416 ? answer.headers.get('content-range') : body.byteLength}`);
      }
      return seen;
    },
  ),
  check('If-Range of another version is the whole', [200, 200_000], async () => {
    const answer = await fetch('/file', { headers: { range: 'bytes=1-2', 'if-range': '"other"' } });
    return [answer.status, (await answer.arrayBuffer()).byteLength];
  }),
  check('If-None-Match is 304 to whoever asked for it', [304, '"file-1"', 0], async () => {
    const answer = await fetch('/file', { headers: { 'if-none-match': '"file-1"' } });
    return [answer.status, answer.headers.get('etag'), (await answer.arrayBuffer()).byteLength];
  }),
  check('HEAD tells the length and brings no body', [200, '200000', 0], async () => {
    const answer = await fetch('/file', { method: 'HEAD' });
    return [answer.status, answer.headers.get('content-length'), (await answer.arrayBuffer()).byteLength];
  }),
  check('204 and 205 have no body', ['204 0', '205 0'], async () => {
    const answers = [await fetch('/status/204'), await fetch('/status/205')];
    return Promise.all(answers.map(async (answer) => `${answer.status} ${(await answer.text()).length}`));
  }),
  check('a status keeps its number, its reason and its body', [418, 'short and stout', 'answered 418'], async () => {
    const answer = await fetch('/status/418?reason=short%20and%20stout');
    return [answer.status, answer.statusText, await answer.text()];
  }),
  check('statuses that nobody knows, and errors', [299, 402, 499, 500, 503, 599], async () => {
    const answers = await Promise.all([299, 402, 499, 500, 503, 599].map((code) => fetch(`/status/${code}`)));
    return answers.map(({ status }) => status);
  }),
  check('a body with trailers is whole', length, async () => (await (await fetch('/trailers')).text()).length),
  check('gzip, deflate, br and zstd are undone', [length, length, length, length], async () => {
    const texts: number[] = [];
    for (const coding of ['gzip', 'deflate', 'br', 'zstd']) {
      const body = await (await fetch(`/encoded/${coding}`)).text();
      texts.push(body.startsWith('The quick brown fox') ? body.length : -1);
    }
    return texts;
  }),
  check('a coded body of no bytes is empty, and deflate may go without its frame', [0, 0, 0, length], async () => {
    const texts: (number | string)[] = [];
    for (const coding of ['gzip', 'br', 'zstd', 'deflate'])
      texts.push((await (await fetch(`/encoded/${coding}?odd`)).text()).length);
    return texts;
  }),
  check('of two types the last one counts', ['text/html', 'UTF-8', 'a page'], async () => {
    const frame = document.createElement('iframe');
    const loaded = new Promise((resolve) => {
      frame.onload = resolve;
    });
    frame.src = '/two-types';
    document.body.append(frame);
    await loaded;
    const { contentType, characterSet, body } = frame.contentDocument as Document;
    frame.remove();
    return [contentType, characterSet, body.textContent];
  }),
  check(
    'an answer that breaks off is an error, with a length and without',
    ['TypeError', 'TypeError'],
    async () => {
      const outcome = (address: string) =>
        fetch(address)
          .then((answer) => answer.text())
          .then(
            (body) => body.length,
            (error) => error.name,
          );
      return [await outcome('/cut/length'), await outcome('/cut/chunked')];
    },
    // Whatever error a service worker breaks a body off with, Firefox shows this one to who reads all of it.
    { firefox: { expected: ['AbortError', 'AbortError'], direct: ['TypeError', 'TypeError'] } },
  ),
  check('what has come is there before the rest', ['begun ', 'done'], async () => {
    const key = crypto.randomUUID();
    const reader = (await fetch(`/hold?begin&key=${key}`)).body!.pipeThrough(new TextDecoderStream()).getReader();
    const first = await reader.read();
    await fetch(`/let-go?key=${key}`);
    const second = await reader.read();
    return [first.value, second.value];
  }),
  check('headers come back, twice and long', ['one, two', 8_000], async () => {
    const { headers } = await fetch('/many-headers');
    return [headers.get('x-twice'), headers.get('x-long')?.length];
  }),
  // ── requests ──
  check(
    'verbs of WebDAV and others go through with headers and bodies',
    [
      'PROPFIND 4 1',
      'PATCH 4 1',
      'DELETE 4 1',
      'PUT 4 1',
      'MKCOL 0 1',
      'REPORT 4 1',
      'OPTIONS 0 1',
      'MOVE 0 1',
      'LOCK 4 1',
    ],
    async () => {
      const seen: string[] = [];
      for (const method of ['PROPFIND', 'PATCH', 'DELETE', 'PUT', 'MKCOL', 'REPORT', 'OPTIONS', 'MOVE', 'LOCK']) {
        const body = ['MKCOL', 'OPTIONS', 'MOVE'].includes(method) ? null : 'body';
        const said = await (await fetch('/echo', { method, body, headers: { depth: '1' } })).json();
        seen.push(`${said.method} ${said.length} ${said.headers.depth}`);
      }
      return seen;
    },
  ),
  check(
    'a target is asked for as it is written',
    ['/echo?q=%20%22%3C%3E|%7C&a=b=c', '/echo//double/%2F%2e.x', '/echo?'],
    async () => {
      const seen: string[] = [];
      for (const target of ['/echo?q= "<>|%7C&a=b=c', '/echo//double/%2F%2e.x', '/echo?'])
        seen.push((await (await fetch(target)).json()).target);
      return seen;
    },
  ),
  check(
    'a POST says what a page’s POST says',
    {
      accept: '*/*',
      'content-type': 'text/plain;charset=UTF-8',
      'content-length': '1',
      origin: 'http://own',
      referer: 'http://own/',
      'x-asked': 'yes',
    },
    async () =>
      (await (await fetch('/echo', { method: 'POST', body: 'x', headers: { 'x-asked': 'yes' } })).json()).headers,
  ),
  check(
    'a request that passes caches by says so on its way, and one for what is kept alone is not sent',
    ['', 'max-age=0', 'no-cache no-cache', 'no-cache no-cache', 'own', 'TypeError'],
    async () => {
      const said = async (cache: RequestCache, headers = {}) => {
        const answer = await fetch(`/echo?${crypto.randomUUID()}`, { cache, headers, mode: 'same-origin' });
        const { headers: seen } = await answer.json();
        return ['cache-control', 'pragma'].flatMap((name) => seen[name] ?? []).join(' ');
      };
      return [
        await said('default'),
        await said('no-cache'),
        await said('no-store'),
        await said('reload'),
        await said('no-cache', { 'cache-control': 'own' }),
        await said('only-if-cached').catch((error) => error.name),
      ];
    },
  ),
  check(
    'bodies of every kind arrive whole',
    [3, 3, 3, 'application/x-www-form-urlencoded;charset=UTF-8', 1_000_000, 0],
    async () => {
      const post = async (body: BodyInit | null) => (await fetch('/echo', { method: 'POST', body })).json();
      const parameters = await post(new URLSearchParams({ a: '1' }));
      return [
        (await post('abc')).length,
        (await post(Uint8Array.of(1, 2, 3))).length,
        parameters.length,
        parameters.headers['content-type'],
        (await post(new Blob([new Uint8Array(1_000_000)]))).length,
        (await post(null)).length,
      ];
    },
  ),
  check(
    'a long body says its length before it comes, which is all that many services understand',
    ['text/plain;charset=UTF-8 300000', 'image/png 300000', 'multipart/form-data longer', 'none 300000'],
    async () => {
      const picture = new File([new Uint8Array(300_000)], 'möhren.png', { type: 'image/png' });
      const form = new FormData();
      form.append('picture', picture);
      const seen: string[] = [];
      for (const body of ['x'.repeat(300_000), picture, form, new Uint8Array(300_000)]) {
        const { length, headers } = await (await fetch('/echo', { method: 'POST', body })).json();
        const said = Number(headers['content-length']) === length ? length : `not ${headers['content-length']}`;
        seen.push(
          `${headers['content-type']?.replace(/;\s*boundary.*/, '') ?? 'none'} ${said > 300_000 ? 'longer' : said}`,
        );
      }
      return seen;
    },
  ),
  check(
    'a body that is made while it is sent is a stream',
    [6, 'POST'],
    async () => {
      const parts = ['ab', 'cd', 'ef'];
      const body = new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          const part = parts.shift();
          if (part === undefined) controller.close();
          else controller.enqueue(new TextEncoder().encode(part));
        },
      });
      const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
      return fetch('/echo', init).then(
        async (answer) => {
          const said = await answer.json();
          return [said.length, said.method];
        },
        (error) => error.name,
      );
    },
    // Chromium sends a stream over HTTP/2 and later only.
    // Firefox knows no such bodies, and sends the words "[object ReadableStream]".
    { direct: 'TypeError', firefox: { expected: [23, 'POST'], direct: [23, 'POST'] } },
  ),
  check(
    'an aborted request is an AbortError, and the service learns of it',
    ['AbortError', 'AbortError', 2],
    async () => {
      const key = crypto.randomUUID();
      const outcome = async (address: string, begun: boolean) => {
        const abort = new AbortController();
        const answer = fetch(address, { signal: abort.signal });
        if (begun) await (await answer.then((ok) => ok.body!.getReader())).read().then(() => abort.abort());
        else setTimeout(() => abort.abort(), 300);
        const read = begun ? (await answer).text().catch((error) => error) : answer.catch((error) => error);
        const error = await read;
        return error.name === 'TypeError' ? 'AbortError' : error.name;
      };
      const first = await outcome(`/hold?begin&key=${key}`, true);
      const second = await outcome(`/hold?begin&key=${key}`, true);
      let gone = 0;
      for (let tries = 0; gone < 2 && tries < 200; tries += 1) {
        gone = (await (await fetch(`/count?key=${key}`)).json()).gone;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return [first, second, gone];
    },
  ),
  check('twenty requests at once each get their own answer', true, async () => {
    const answers = await Promise.all(
      Array.from(
        { length: 20 },
        async (_, n) => (await (await fetch(`/echo?n=${n}`)).json()).target === `/echo?n=${n}`,
      ),
    );
    return answers.every(Boolean);
  }),
  check('a beacon and a keepalive fetch arrive once, from a page, a blank frame and a worker', 5, async () => {
    const key = crypto.randomUUID();
    const address = `${location.origin}/bump?key=${key}`;
    const how = { method: 'POST', keepalive: true, body: 'y' };
    navigator.sendBeacon(address, 'x');
    await fetch(address, how);
    await fetch(new Request(address, how));
    const frame = document.body.appendChild(document.createElement('iframe'));
    await (frame.contentWindow as Window & typeof globalThis).fetch(address, how);
    frame.remove();
    const source = `fetch(${JSON.stringify(address)}, ${JSON.stringify(how)}).finally(() => postMessage(0))`;
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
    await new Promise((resolve) => worker.addEventListener('message', resolve));
    let count = 0;
    for (let tries = 0; count < 5 && tries < 100; tries += 1) {
      count = (await (await fetch(`/count?key=${key}`)).json()).count;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return count;
  }),
  // ── redirects ──
  check(
    '307 and 308 keep method and body, 301 to 303 do not',
    ['307 POST 4', '308 POST 4', '303 GET 0', '302 GET 0', '301 GET 0'],
    async () => {
      const seen: string[] = [];
      for (const code of [307, 308, 303, 302, 301]) {
        const answer = await fetch(`/redirect/${code}?to=/echo`, { method: 'POST', body: 'body' });
        const said = await answer.json();
        seen.push(`${code} ${said.method} ${said.length}`);
      }
      return seen;
    },
  ),
  check(
    'a redirect says where it led, and can be refused',
    [true, '/echo', 'opaqueredirect', 'TypeError'],
    async () => {
      const followed = await fetch('/redirect/302?to=/echo');
      const manual = await fetch('/redirect/302?to=/echo', { redirect: 'manual' });
      const refused = await fetch('/redirect/302?to=/echo', { redirect: 'error' }).then(
        () => 'followed',
        (error) => error.name,
      );
      return [followed.redirected, new URL(followed.url).pathname, manual.type, refused];
    },
  ),
  check('a redirect to an address in bare UTF-8 leads there', '/echo?%C3%B6', async () => {
    // Each byte a character, as Node writes heads.
    const bytes = String.fromCharCode(...new TextEncoder().encode('/echo?ö'));
    return (await (await fetch(`/redirect/302?to=${encodeURIComponent(bytes)}`)).json()).target;
  }),
  check('sub-resources follow redirects', ['1', '12x34', 'rgb(1, 2, 3)', 'rgb(4, 5, 6)', 42], async () => {
    const add = <T extends HTMLElement>(element: T, fields: object) =>
      new Promise<T>((resolve, reject) => {
        Object.assign(element, fields, { onload: () => resolve(element), onerror: reject });
        document.head.append(element);
      });
    delete (window as { scripted?: number }).scripted;
    await add(document.createElement('script'), { src: '/redirect/302?to=/script.js' });
    const image = await add(document.createElement('img'), { src: '/redirect/302?to=/picture.svg' });
    await add(document.createElement('link'), { rel: 'stylesheet', href: '/redirect/302?to=/style.css' });
    await add(document.createElement('script'), { type: 'module', src: '/redirect/302?to=/module.js' });
    const style = getComputedStyle(document.querySelector('h1')!);
    const { scripted, moduleValue } = window as { scripted?: number; moduleValue?: number };
    return [
      String(scripted),
      `${image.naturalWidth}x${image.naturalHeight}`,
      style.color,
      style.outlineColor,
      moduleValue,
    ];
  }),
  // ── what else makes requests ──
  check(
    'workers of every kind fetch for themselves',
    Array(3)
      .fill('/echo?from=worker')
      .concat(['42', 'json', 'lib'].map((own) => `${own}/echo?from=worker`)),
    async () => {
      const answer = (worker: Worker | MessagePort) =>
        new Promise((resolve) => {
          worker.onmessage = ({ data }) => resolve(data);
        });
      const source = `fetch('${location.origin}/echo?from=worker').then((a) => a.json()).then((said) => postMessage(said.target))`;
      const ofBlob = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
      const shared = new SharedWorker(`/shared-worker.js?${crypto.randomUUID()}`);
      return Promise.all([
        answer(new Worker('/worker.js')),
        answer(ofBlob),
        answer(shared.port),
        answer(new Worker('/module-worker.js', { type: 'module' })),
        answer(new Worker('/json-worker.js', { type: 'module' })),
        answer(new Worker('/imports.js')),
      ]);
    },
  ),
  check(
    'server-sent events arrive one by one, and the source comes again where it was',
    ['event 1\nsecond line ü', 'event 2\nsecond line ü', 'event 3\nsecond line ü', 'after 3'],
    async () => {
      const seen: string[] = [];
      const source = new EventSource('/events');
      return new Promise((resolve) => {
        source.onmessage = ({ data }) => seen.push(data);
        source.addEventListener('again', ({ data }) => {
          source.close();
          resolve([...seen, data]);
        });
      });
    },
  ),
  check(
    'a source whose stream broke off comes again where it was, and again when nobody answered',
    ['one', 'after 1'],
    async () => {
      const key = crypto.randomUUID();
      const seen: string[] = [];
      const source = new EventSource(`/broken-events?key=${key}`);
      return new Promise((resolve) => {
        source.onmessage = ({ data }) => {
          seen.push(data);
          if (seen.length === 1) return void fetch(`/let-go?key=${key}`);
          source.close();
          return resolve(seen);
        };
        source.onerror = () => {
          if (source.readyState === EventSource.CLOSED) resolve([...seen, 'given up']);
        };
      });
    },
  ),
  check(
    'XMLHttpRequest has progress, types, headers and abort',
    [true, 200_000, '"file-1"', 'abort', 'OK'],
    async () => {
      const send = (address: string, act: (xhr: XMLHttpRequest) => void) =>
        new Promise<{ xhr: XMLHttpRequest; type: string; progressed: boolean }>((resolve) => {
          const xhr = new XMLHttpRequest();
          let progressed = false;
          xhr.open('GET', address);
          xhr.responseType = 'arraybuffer';
          xhr.onprogress = ({ loaded }) => {
            progressed ||= loaded > 0;
          };
          for (const type of ['load', 'error', 'abort'] as const)
            xhr.addEventListener(type, () => resolve({ xhr, type, progressed }));
          xhr.send();
          act(xhr);
        });
      const whole = await send('/file', () => undefined);
      const aborted = await send(`/hold?key=${crypto.randomUUID()}`, (xhr) => setTimeout(() => xhr.abort(), 100));
      const { xhr, progressed } = whole;
      return [progressed, xhr.response.byteLength, xhr.getResponseHeader('etag'), aborted.type, xhr.statusText];
    },
  ),
  check(
    'XMLHttpRequest says how far its upload is while it goes on, that it is sent before there is an answer, and no more',
    ['loadstart progress load loadend answered', true, 33_554_432, '/hold-upload'],
    async () => {
      const key = crypto.randomUUID();
      const xhr = new XMLHttpRequest();
      const events = new Set<string>();
      // As apps do it: first who waits for the answer, then who looks at the upload.
      xhr.onreadystatechange = () => xhr.readyState === 2 && events.add('answered');
      xhr.open('POST', `/hold-upload?key=${key}`);
      const loads: number[] = [];
      // The service takes the first part of the body, and the rest when it was heard that it is under way.
      const isUnderWay = Promise.withResolvers<void>();
      for (const type of ['loadstart', 'progress', 'load', 'error', 'abort', 'timeout', 'loadend'] as const)
        xhr.upload.addEventListener(type, (event) => {
          events.add(type);
          if (type === 'progress') loads.push(event.loaded);
          if (event.loaded > 0 && event.loaded < event.total) isUnderWay.resolve();
        });
      const answered = new Promise<void>((resolve) => {
        xhr.onloadend = () => resolve();
      });
      xhr.send(new Blob([new Uint8Array(33_554_432)]));
      await isUnderWay.promise;
      await fetch(`/let-go?key=${key}`);
      await answered;
      const isInOrder = loads.every((loaded, at) => loaded >= (loads[at - 1] ?? 0)) && loads.at(-1) === 33_554_432;
      return [[...events].join(' '), isInOrder, JSON.parse(xhr.responseText).bytes, new URL(xhr.responseURL).pathname];
    },
  ),
  check(
    'an upload that was sent is not aborted with the answer, one that is under way is',
    ['loadstart progress load loadend', 'loadstart abort loadend'],
    async () => {
      const abortOn = (target: string, size: number, isTime: (event: ProgressEvent) => boolean) =>
        new Promise<string>((resolve) => {
          const xhr = new XMLHttpRequest();
          const events: string[] = [];
          for (const type of ['loadstart', 'progress', 'load', 'error', 'abort', 'loadend'] as const)
            xhr.upload.addEventListener(type, (event) => {
              if (events.at(-1) !== type) events.push(type);
              if (isTime(event)) setTimeout(() => xhr.abort());
            });
          xhr.onabort = () => resolve(events.join(' '));
          xhr.open('POST', `${target}?key=${crypto.randomUUID()}`);
          xhr.send(new Blob([new Uint8Array(size)]));
        });
      const sent = await abortOn('/hold', 1_000, ({ loaded }) => loaded === 1_000);
      const underWay = await abortOn('/hold-upload', 33_554_432, ({ loaded, total }) => loaded < total && total > 0);
      return [sent, underWay.replace('progress ', '')];
    },
    // To Firefox an upload is under way until it is answered.
    { firefox: { direct: ['loadstart progress abort loadend', 'loadstart abort loadend'] } },
  ),
  check(
    'a request whose upload is watched is the one that was made',
    ['PUT /echo?x=1 text/own 3 said said', 'object', 'none'],
    async () => {
      const xhr = new XMLHttpRequest();
      let changes = 0;
      xhr.onreadystatechange = () => {
        changes += 1;
      };
      xhr.open('PUT', '/echo?x=1#part');
      xhr.responseType = 'json';
      xhr.setRequestHeader('content-type', 'text/own');
      xhr.setRequestHeader('x-asked', 'said');
      xhr.upload.onprogress = () => undefined;
      xhr.setRequestHeader('depth', 'said');
      const answered = new Promise((resolve) => {
        xhr.onloadend = resolve;
      });
      xhr.send('abc');
      const before = changes;
      await answered;
      const { method, target, headers, length: bytes } = xhr.response;
      const said = [method, target, headers['content-type'], bytes, headers['x-asked'], headers.depth].join(' ');
      return [said, typeof xhr.response, before === 1 && !xhr.responseURL.includes('#') ? 'none' : 'more'];
    },
  ),
  check(
    'an object that is sent again from its own end tells of both uploads',
    ['load 5 load 7', 'loadend'],
    async () => {
      const xhr = new XMLHttpRequest();
      const events: string[] = [];
      const ended = new Promise<string>((resolve) => {
        xhr.onload = () => {
          if (events.length > 1) return;
          xhr.open('POST', '/echo');
          xhr.send('seven..');
        };
        xhr.upload.onload = ({ loaded }) => events.push(`load ${loaded}`);
        xhr.onloadend = ({ type }) => events.length > 1 && resolve(type);
      });
      xhr.open('POST', '/echo');
      xhr.send('five.');
      const type = await ended;
      return [events.join(' '), type];
    },
  ),
  check('a srcdoc frame loads what it names', 'scripted', async () => {
    const frame = document.createElement('iframe');
    return new Promise((resolve) => {
      addEventListener('message', ({ data }) => data.srcdoc && resolve(data.srcdoc), { once: true });
      frame.srcdoc =
        '<script src="/script.js"></script><script>parent.postMessage({ srcdoc: window.scripted ? "scripted" : "bare" }, "*")</script>';
      document.body.append(frame);
    });
  }),
  check('a link to save saves, also in a page that was written anew', 1, async () => {
    const key = crypto.randomUUID();
    const frame = document.createElement('iframe');
    frame.src = '/frame';
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
    document.body.append(frame);
    await loaded;
    const page = frame.contentDocument as Document;
    page.open();
    page.write('<a download="own.json">Save</a>');
    page.close();
    // A person comes later than the script that wrote it.
    await new Promise((resolve) => setTimeout(resolve));
    const countOf = async (of: string): Promise<number> => (await (await fetch(`/count?key=${of}`)).json()).count;
    const save = async (of: string) => {
      const link = page.querySelector('a') as HTMLAnchorElement;
      link.href = `/bump?key=${of}`;
      link.click();
      while ((await countOf(of)) === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await save(key);
    // Had the first been asked for twice, that would be before this.
    await save(crypto.randomUUID());
    const count = await countOf(key);
    frame.remove();
    return count;
  }),
  check('a page has its own for a parent, and no other', [true, 'function'], async () => [
    parent === window,
    typeof (parent as typeof window).fetch,
  ]),
  check('a frame of the app talks to its parent', '/frame', async () => {
    const frame = document.createElement('iframe');
    return new Promise((resolve) => {
      addEventListener('message', ({ data }) => resolve(data.inner), { once: true });
      frame.src = '/frame';
      document.body.append(frame);
    });
  }),
  check(
    'pages of other encodings say what they say',
    ['日本 ü UTF-16LE', '日本\\ Shift_JIS', 'üé€ windows-1252'],
    async () => {
      const read = (path: string) =>
        new Promise<string>((resolve) => {
          const frame = document.createElement('iframe');
          frame.src = `/charset/${path}`;
          frame.onload = () => {
            const page = frame.contentDocument as Document;
            frame.remove();
            resolve(`${page.title} ${page.characterSet}`);
          };
          document.body.append(frame);
        });
      return [await read('utf-16'), await read('shift-jis'), await read('latin-1')];
    },
  ),
  check(
    'a policy of the page lets the scripts run that it let run before, and the page asks for what it asked for',
    ['nonce,bare 200', 'nonce 200', 'nonce 200'],
    async () => {
      const read = (path: string) =>
        new Promise<string>((resolve) => {
          const frame = document.createElement('iframe');
          frame.src = `/csp/${path}`;
          frame.onload = async () => {
            const page = frame.contentWindow as Window & typeof globalThis & { ran: string[] };
            resolve(`${page.ran} ${(await page.fetch('/echo')).status}`);
            frame.remove();
          };
          document.body.append(frame);
        });
      return [await read('unsafe-inline'), await read('nonce-beside-it'), await read('strict-dynamic')];
    },
  ),
  check(
    'a form that is posted arrives, and by 307 again; after 303 the page is asked for',
    ['POST a=1&b=%C3%BC', 'POST a=1&b=%C3%BC', 'GET '],
    async () => {
      const frame = document.createElement('iframe');
      frame.name = `posted-${crypto.randomUUID()}`;
      const next = () =>
        new Promise<Document>((resolve) => {
          frame.onload = () => resolve(frame.contentDocument as Document);
        });
      const first = next();
      frame.src = '/frame';
      document.body.append(frame);
      await first;
      const post = async (action: string) => {
        const form = Object.assign(document.createElement('form'), { method: 'post', action, target: frame.name });
        for (const [name, value] of Object.entries({ a: '1', b: 'ü' }))
          form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }));
        document.body.append(form);
        const loaded = next();
        form.submit();
        const page = await loaded;
        form.remove();
        return ['method', 'body'].map((id) => page.getElementById(id)?.textContent).join(' ');
      };
      const seen = [await post('/form'), await post('/redirect/307?to=/form'), await post('/redirect/303?to=/form')];
      frame.remove();
      return seen;
    },
  ),
  check('whoever goes back to the answer of a form sends it no second time', 1, async () => {
    const key = crypto.randomUUID();
    const frame = document.createElement('iframe');
    document.body.append(frame);
    const led = async (lead: (page: Window) => void) => {
      const loaded = new Promise((resolve) => {
        frame.onload = resolve;
      });
      lead(frame.contentWindow as Window);
      await loaded;
      // What a page is led to while it loads takes its place in the history.
      await new Promise((resolve) => setTimeout(resolve));
    };
    await led(() => {
      frame.src = '/frame';
    });
    await led(({ document: page }) => {
      const form = Object.assign(page.createElement('form'), { method: 'post', action: `/bump?key=${key}` });
      page.body.append(form);
      form.submit();
    });
    await led((page) => page.location.assign('/second'));
    const isThere = () => {
      try {
        return frame.contentWindow?.location.pathname === '/second';
      } catch {
        // The browser's own page of an error.
        return false;
      }
    };
    if (!isThere()) return 'not led on';
    frame.contentWindow?.history.back();
    while (isThere()) await new Promise((resolve) => setTimeout(resolve, 50));
    const { count } = await (await fetch(`/count?key=${key}`)).json();
    frame.remove();
    return count;
  }),
  check(
    'cookies that are set twice, quoted, ended, or kept from scripts are what they are to the service and to scripts',
    [
      'dated=1; kept=1; quoted="a, b=c"; twice=2',
      'dated=1; quoted="a, b=c"; twice=2',
      'dated quoted twice',
      'no cookie in a header',
    ],
    async () => {
      const lines = ['twice=1', 'twice=2; Path=/', 'quoted="a, b=c"', 'dated=1; Expires=Fri, 01 Jan 2038 00:00:00 GMT'];
      const more = [
        'ended=1',
        'ended=; Max-Age=0',
        'kept=1; HttpOnly; SameSite=Lax',
        'not a cookie;=;',
        'kept=2; Domain=example.com',
      ];
      const set = (some: string[]) =>
        fetch(`/set-cookie?${some.map((line) => `line=${encodeURIComponent(line)}`).join('&')}`);
      const answer = await set([...lines, ...more]);
      const sorted = (text: string) =>
        text
          .split('; ')
          .filter((one) => /^(twice|quoted|dated|ended|kept)=/.test(one))
          .sort()
          .join('; ');
      const sent = sorted((await (await fetch('/echo')).json()).headers.cookie ?? '');
      const script = sorted(document.cookie);
      const stored = (await cookieStore.getAll()).map(({ name }) => name);
      const names = ['dated', 'ended', 'kept', 'quoted', 'twice'].filter((name) => stored.includes(name)).join(' ');
      const told = [...answer.headers].some(([name]) => /cookie/.test(name))
        ? 'a cookie in a header'
        : 'no cookie in a header';
      await set(['twice', 'quoted', 'dated', 'kept'].map((name) => `${name}=; Max-Age=0`));
      return [sent, script, names, told];
    },
  ),
  check(
    'a page that says in its head or a meta that it sends no referrer takes its cookies to where it leads',
    ['POST strict=1', 'GET strict=1', 'POST strict=1', 'GET strict=1'],
    async () => {
      await fetch(`/set-cookie?line=${encodeURIComponent('strict=1; HttpOnly; SameSite=Strict')}`);
      const frame = document.createElement('iframe');
      document.body.append(frame);
      const seen: string[] = [];
      for (const where of ['/unnamed?post', '/unnamed?get', '/unnamed-inside?post', '/unnamed-inside?get']) {
        const next = () =>
          new Promise<Document>((resolve) => {
            frame.onload = () => resolve(frame.contentDocument as Document);
          });
        const arrived = next();
        frame.src = where;
        const page = await arrived;
        const method = page.location.search.slice(1);
        const form = Object.assign(page.createElement('form'), { method, action: '/form' });
        page.body.append(form);
        const led = next();
        form.submit();
        const shown = await led;
        const text = (id: string) => shown.getElementById(id)?.textContent ?? '';
        seen.push(`${text('method')} ${/strict=\d/.exec(text('cookie'))?.[0]}`);
      }
      frame.remove();
      await fetch(`/set-cookie?line=${encodeURIComponent('strict=; Max-Age=0')}`);
      return seen;
    },
  ),
  check(
    'a frame in a page that sends no referrer is its own: cookies of SameSite=Strict go along, and still no referrer',
    ['strict=1', undefined],
    async () => {
      await fetch(`/set-cookie?line=${encodeURIComponent('strict=1; HttpOnly; SameSite=Strict')}`);
      const frame = document.createElement('iframe');
      const loaded = new Promise((resolve) => {
        frame.onload = resolve;
      });
      frame.src = '/unnamed-around';
      document.body.append(frame);
      await loaded;
      const page = frame.contentWindow as Window & typeof globalThis;
      const inner = page.document.querySelector('iframe')?.contentDocument?.body.textContent;
      const cookie = /strict=\d/.exec(JSON.parse(inner ?? '').headers.cookie)?.[0];
      const { headers } = await (await page.fetch('/echo')).json();
      frame.remove();
      await fetch(`/set-cookie?line=${encodeURIComponent('strict=; Max-Age=0')}`);
      return [cookie, headers.referer];
    },
  ),
  check(
    'a frame that may not ask for files has no pickers of them, so an app takes an input instead',
    [],
    async () =>
      Object.getOwnPropertyNames(window)
        .filter((name) => /^show\w+Picker$/.test(name))
        .sort(),
    { direct: ['showDirectoryPicker', 'showOpenFilePicker', 'showSaveFilePicker'], firefox: { direct: [] } },
  ),
  check(
    'what no browser asks a person about: the keyboard’s layout and how the device moves',
    [true, true, true],
    async () => {
      const { keyboard } = navigator as unknown as { keyboard?: { getLayoutMap(): Promise<Map<string, string>> } };
      if (keyboard === undefined) return 'not in this browser';
      const { featurePolicy } = document as unknown as { featurePolicy: { allowsFeature(name: string): boolean } };
      const allowed = ['gyroscope', 'magnetometer'].map((name) => featurePolicy.allowsFeature(name));
      return [(await keyboard.getLayoutMap()).size > 0, ...allowed];
    },
    { firefox: { expected: 'not in this browser' } },
  ),
  check('of two metas that say what is told of the referrer the later counts', '/', async () => {
    const frame = document.createElement('iframe');
    document.body.append(frame);
    const next = () =>
      new Promise<Document>((resolve) => {
        frame.onload = () => resolve(frame.contentDocument as Document);
      });
    const arrived = next();
    frame.src = '/unnamed-then-origin';
    const page = await arrived;
    const link = Object.assign(page.createElement('a'), { href: '/second' });
    page.body.append(link);
    const led = next();
    link.click();
    const { referrer } = await led;
    frame.remove();
    return new URL(referrer).pathname;
  }),
  check('a sound is asked for in parts and can be wound on', [30, 25], async () => {
    const audio = document.createElement('audio');
    audio.preload = 'auto';
    await new Promise((resolve, reject) => {
      Object.assign(audio, { onloadedmetadata: resolve, onerror: () => reject(new Error(audio.error?.message)) });
      audio.src = '/sound.wav';
    });
    const sought = new Promise((resolve) => {
      audio.onseeked = resolve;
    });
    audio.currentTime = 25;
    await sought;
    return [Math.round(audio.duration), audio.currentTime];
  }),
  check('the Cache API is the page’s own, and what is in it is what came', ['cached', length], async () => {
    const cache = await caches.open('own');
    await cache.add('/trailers');
    const body = await (await cache.match('/trailers'))?.text();
    await caches.delete('own');
    return [body === undefined ? 'nothing' : 'cached', body?.length];
  }),
  check(
    'Clear-Site-Data ends the cookies and leaves the app usable',
    ['cleared', '', 200, 'kept'],
    async () => {
      // biome-ignore lint/suspicious/noDocumentCookie: as apps do it.
      document.cookie = 'seen=1';
      localStorage.setItem('mark', 'kept');
      const body = await (await fetch('/clear')).text();
      const { status } = await fetch('/echo');
      const seen = [body, document.cookie, status, localStorage.getItem('mark')];
      localStorage.clear();
      return seen;
    },
    // "storage" would end our service worker, so the gateway keeps it from the browser.
    { direct: ['cleared', '', 200, null] },
  ),
];
