/** Handshakes: subprotocols, cookies and what else is told; and what becomes of sockets whose realm goes. */
import { at, ended, open, opened, type Rows, settles, told, until } from './helpers.ts';

export const handshake: Rows = {
  // Subprotocols.
  'one subprotocol': async () => (await open('/echo', 'one')).protocol,
  'the service chooses among subprotocols': async () => (await open('/echo?choose=two', ['one', 'two'])).protocol,
  'the service names one that nobody asked for': () => settles(new WebSocket(at('/says?protocol=two'))),
  'the service names another one': () => settles(new WebSocket(at('/says?protocol=two'), 'one')),
  'the service names none': () => settles(new WebSocket(at('/says'), 'one')),
  // What is asked for.
  'subprotocols as they are offered': async () => (await told('/told', ['one', 'two'])).protocols?.split(/, */),
  'a null character in the query': async () => (await told('/told?x\u0000')).query,
  'a query beyond ASCII': async () => (await told('/told?åäö')).query,
  'the page’s origin is told, and no page': async () => {
    const { origin, referer } = await told('/told');
    return [origin === self.origin, referer];
  },
  // What comes back.
  'an answer that is no handshake': () => ended(new WebSocket(at('/nonsense'))),
  'a handshake with a wrong key': () => ended(new WebSocket(at('/wrong-key'))),
  'extensions that were not agreed on': async () => (await open('/echo')).extensions,
  // Cookies. Workers have none to look at.
  'cookies that scripts wrote, and removed again': async () => {
    if (!('document' in self)) return null;
    Reflect.set(document, 'cookie', 'ws_script=1; Path=/');
    const before = String((await told('/told')).cookie).includes('ws_script=1');
    Reflect.set(document, 'cookie', 'ws_script=; Path=/; Max-Age=0');
    return [before, String((await told('/told')).cookie).includes('ws_script')];
  },
  'cookies of an answer are there when it opens, and go with the next': async () => {
    const set = async (line: string) => {
      await open(`/sets?line=${encodeURIComponent(line)}`);
      const isSeen = 'document' in self ? document.cookie.includes('ws_set') : null;
      return [isSeen, String((await told('/told')).cookie).includes('ws_set=1')];
    };
    return [await set('ws_set=1; Path=/'), await set('ws_set=; Path=/; Max-Age=0')];
  },
  'HttpOnly cookies of an answer are not seen, and go with the next': async () => {
    await open(`/sets?line=${encodeURIComponent('ws_hidden=1; Path=/; HttpOnly')}`);
    const isSeen = 'document' in self ? document.cookie.includes('ws_hidden') : null;
    return [isSeen, String((await told('/told')).cookie).includes('ws_hidden=1')];
  },
  // Pages and workers that go.
  'a frame that is left closes its own, with 1001 and no word to it': async () => {
    if (!('document' in self)) return null;
    const frame = document.createElement('iframe');
    const loaded = () => new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
    frame.src = '/';
    const here = loaded();
    document.body.append(frame);
    await here;
    const inside = frame.contentWindow as Window & typeof globalThis;
    const key = crypto.randomUUID();
    const socket = await opened(new inside.WebSocket(at(`/watched?key=${key}`)));
    const there = loaded();
    frame.src = '/text';
    await there;
    const code = await (await fetch(`/ended?key=${key}`)).text();
    frame.remove();
    return [code, socket.readyState];
  },
  'a frame may go in its own event': async () => {
    if (!('document' in self)) return null;
    const frame = document.createElement('iframe');
    frame.srcdoc = '<!doctype html>';
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
    document.body.append(frame);
    await loaded;
    const socket = new (frame.contentWindow as Window & typeof globalThis).WebSocket(at('/refuse'));
    await until(socket, 'error');
    frame.remove();
    return frame.isConnected;
  },
  'made after a worker has closed itself': async () => {
    // In Firefox a worker may stand still for good when one that it started ends itself at once.
    if (!('document' in self)) return 'asked in pages';
    const text = `close(); postMessage(new WebSocket(${JSON.stringify(at('/echo'))}).readyState);`;
    const worker = new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })));
    return new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = () => resolve('failed');
    });
  },
};
