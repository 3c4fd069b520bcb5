/**
 * A stand-in for the shell: a page on its origin that keeps an app's helper frame and answers the ports itself, by
 * script. So the service worker and the helper are the real ones, and everything behind them is the test's.
 */
import type { Frame, Page } from 'playwright-core';
import type { MockInstallation } from '../../web/support/mock-installation.ts';

/** Answers of the stand-in, by path of the request; any other is never answered. Runs in the page, so it sees nothing of this module. */
function standIn(app: string): Promise<void> {
  type Message = Record<string, unknown> & { t: string; id: number };
  const seen: Message[] = [];
  const bodies = new Map<number, number>();
  const text = (words: string) => new TextEncoder().encode(words);
  const head = (id: number, status: number, headers: [string, string][] = []) => ({
    ...{ t: 'head', id, status, reason: '', setCookies: [] as string[] },
    headers: [['content-type', 'text/plain'], ...headers],
  });
  const answers: Record<string, (id: number, say: (message: object) => void) => void> = {
    '/': (id, say) => {
      say({ ...head(id, 200), headers: [['content-type', 'text/html']] });
      say({ t: 'chunk', id, chunk: text('<title>app</title>') });
      say({ t: 'end', id, length: 18 });
    },
    '/whole': (id, say) => {
      say(head(id, 200));
      say({ t: 'chunk', id, chunk: text('all of it') });
      say({ t: 'end', id, length: 9 });
    },
    '/short': (id, say) => {
      say(head(id, 200));
      say({ t: 'chunk', id, chunk: text('half') });
      say({ t: 'end', id, length: 8 });
    },
    '/cut': (id, say) => {
      say(head(id, 200));
      say({ t: 'chunk', id, chunk: text('half') });
      say({ t: 'error', id, code: 'truncated', correlation: '' });
    },
    '/cookie': (id, say) => {
      say({ ...head(id, 204), setCookies: ['seen=1; Path=/'] });
      say({ t: 'end', id, length: 0 });
    },
    '/refused': (id, say) => say({ t: 'error', id, code: 'denied', correlation: 'c0ffee' }),
    '/odd': (id, say) => say(head(id, 150)),
    '/worded': (id, say) => {
      say({ ...head(id, 404), reason: 'Nowhere at all' });
      say({ t: 'end', id, length: 0 });
    },
    '/moved': (id, say) => {
      say(head(id, 302, [['location', '/whole']]));
      say({ t: 'end', id, length: 0 });
    },
    '/upload': (id) => void bodies.set(id, 0),
  };
  function hear(port: MessagePort, { data }: MessageEvent<Message>): void {
    seen.push(data);
    const say = (message: object) => port.postMessage(message);
    if (data.t === 'request') answers[String(data['target'])]?.(data.id, say);
    if (data.t === 'body') {
      const { byteLength } = data['chunk'] as Uint8Array;
      const before = bodies.get(data.id);
      if (before !== undefined) bodies.set(data.id, before + byteLength);
      setTimeout(() => say({ t: 'credit', id: data.id, bytes: byteLength }));
    }
    // What has none is told so with the request, and nothing follows.
    const isOver = data.t === 'body-end' || (data.t === 'request' && data['hasBody'] === false);
    if (isOver && bodies.has(data.id)) {
      say(head(data.id, 200));
      const sum = text(String(bodies.get(data.id)));
      say({ t: 'chunk', id: data.id, chunk: sum });
      say({ t: 'end', id: data.id, length: sum.length });
    }
  }
  return new Promise((resolve) => {
    const ports: { port: MessagePort; kind: string }[] = [];
    Object.assign(window, { seen, ports });
    addEventListener('message', ({ data, origin, ports: [port] }) => {
      if (origin !== app) return;
      if (data.latchkey === 'ready') resolve();
      if (data.latchkey !== 'port' || port === undefined) return;
      ports.push({ port, kind: data.kind });
      if (data.kind === 'service-worker') {
        port.onmessage = (event) => hear(port, event);
        port.postMessage({ t: 'ready' });
      }
    });
    const helper = document.createElement('iframe');
    helper.id = 'helper';
    helper.src = `${app}/.latchkey/helper.html`;
    document.body.append(helper);
  });
}

/** Puts it up and opens the app in a frame beside it. */
export async function openApp(page: Page, mock: MockInstallation, label: string): Promise<Frame> {
  const app = mock.app(label);
  await page.goto(`${mock.shell}/open/`);
  await page.locator('[role=alert][data-code]').waitFor();
  await page.evaluate(standIn, app);
  await page.evaluate((address) => {
    const frame = document.createElement('iframe');
    frame.name = 'app';
    frame.src = address;
    document.body.append(frame);
  }, `${app}/`);
  const frame = await (await page.waitForSelector('iframe[name=app]')).contentFrame();
  if (frame === null) throw new Error('the app has no frame');
  await frame.waitForFunction(() => document.title === 'app');
  return frame;
}

/** What the stand-in heard, newest last. */
export function heard(page: Page): Promise<Heard[]> {
  return page.evaluate(() => {
    const messages = Reflect.get(window, 'seen') as Record<string, unknown>[];
    return messages.map(({ t, target, site, cookies, headers }) => ({ t, target, site, cookies, headers })) as never;
  });
}

interface Heard {
  readonly t: string;
  readonly target?: string;
  readonly site?: string;
  readonly cookies?: string;
  readonly headers?: readonly [string, string][];
}

/** Waits until the stand-in has heard so many messages of a kind. */
export async function hasHeard(page: Page, t: string, target: string): Promise<void> {
  await page.waitForFunction(
    (wanted) =>
      (Reflect.get(window, 'seen') as { t: string; target?: string }[]).some(
        (message) => message.t === wanted.t && (wanted.target === '' || message.target === wanted.target),
      ),
    { t, target },
  );
}
