/** The WebSocket that pages of an app see, against the WHATWG standard; the tunnel behind its port is the test's. */
import type { WebSocketFromTunnel, WebSocketToTunnel } from '../../worker/app-messages.ts';
import { routeWebSockets, WebSocketForApps } from '../../worker/shim/websocket.ts';
import { next, same, thrown } from './support/expect.ts';

const native = window.WebSocket;
routeWebSockets();
const own = `ws://${location.host}`;

/** The far end of a socket's port. */
class FarEnd {
  readonly port: MessagePort;
  readonly heard: WebSocketToTunnel[] = [];
  #wake: () => void = () => undefined;

  constructor(port: MessagePort) {
    this.port = port;
    port.onmessage = (event: MessageEvent<WebSocketToTunnel>) => {
      this.heard.push(event.data);
      this.#wake();
    };
  }

  say(message: WebSocketFromTunnel): void {
    this.port.postMessage(message);
  }

  /** Waits until so many messages have come and returns them. */
  async until(count: number): Promise<WebSocketToTunnel[]> {
    while (this.heard.length < count)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.heard;
  }
}

let farEnd: Promise<FarEnd> = Promise.reject(new Error('no socket'));
farEnd.catch(() => undefined);

/** Stands in for the service worker that controls an app's page. */
function control(isControlled = true): void {
  const arrived = Promise.withResolvers<FarEnd>();
  farEnd = arrived.promise;
  const controller = {
    postMessage: (message: { latchkey: string }, [port]: MessagePort[]) => {
      same(message, { latchkey: 'websocket' });
      arrived.resolve(new FarEnd(port!));
    },
  };
  Object.defineProperty(navigator.serviceWorker, 'controller', {
    configurable: true,
    value: isControlled ? controller : null,
  });
}

function connect(path = '/socket', protocols?: string | string[]): WebSocket {
  control();
  return new WebSocketForApps(own + path, protocols) as unknown as WebSocket;
}

async function opened(protocols?: string | string[], protocol = ''): Promise<{ socket: WebSocket; far: FarEnd }> {
  const socket = connect('/socket', protocols);
  const far = await farEnd;
  await far.until(1);
  far.say({ t: 'open', protocol });
  await next(socket, 'open');
  far.heard.length = 0;
  return { socket, far };
}

/** The types of what a socket hears from now on. */
function eventsOf(socket: WebSocket): string[] {
  const seen: string[] = [];
  for (const type of ['open', 'message', 'error', 'close']) socket.addEventListener(type, () => seen.push(type));
  return seen;
}

describe('the WebSocket constructor', () => {
  const refused: [string, unknown[]][] = [
    ['a fragment', [`${own}/#top`]],
    ['an empty fragment', [`${own}/#`]],
    ['another scheme', ['ftp://example.org/']],
    ['no address at all', ['ws://']],
    ['an empty subprotocol', [own, '']],
    ['a subprotocol with a space', [own, 'a b']],
    ['a subprotocol named twice', [own, ['a', 'a']]],
  ];
  for (const [what, given] of refused)
    it(`refuses ${what} with a SyntaxError, as the browser's own does`, async () => {
      control();
      const [ours, theirs] = [
        await thrown(() => Reflect.construct(WebSocketForApps, given)),
        await thrown(() => Reflect.construct(native, given)),
      ];
      same([ours.name, ours instanceof DOMException], ['SyntaxError', true]);
      same(theirs.name, 'SyntaxError', 'the browser’s own');
    });

  it('wants an address and `new`, with a TypeError otherwise', async () => {
    same((await thrown(() => Reflect.construct(WebSocketForApps, []))).name, 'TypeError');
    same((await thrown(() => (WebSocketForApps as unknown as (url: string) => void)(own))).name, 'TypeError');
  });

  it('takes relative and http addresses and tells where it goes', async () => {
    control();
    const socket = new WebSocketForApps('/a/../b?q=1') as unknown as WebSocket;
    same(socket.url, `${own}/b?q=1`);
    same(await (await farEnd).until(1), [{ t: 'connect', target: '/b?q=1', protocols: [] }]);
    control();
    same(new WebSocketForApps(`http://${location.host}/x`).url, `${own}/x`);
    await farEnd;
  });

  it('leaves other hosts to the browser', () => {
    control();
    const socket = new WebSocketForApps('ws://127.0.0.1:9/') as unknown as WebSocket;
    same(socket instanceof native, true);
    socket.close();
  });

  it('has the constants, the name and the state of the standard', async () => {
    const socket = connect();
    same(
      [WebSocketForApps.CONNECTING, WebSocketForApps.OPEN, WebSocketForApps.CLOSING, WebSocketForApps.CLOSED],
      [0, 1, 2, 3],
    );
    same([socket.CONNECTING, socket.OPEN, socket.CLOSING, socket.CLOSED], [0, 1, 2, 3]);
    same([socket.readyState, socket.bufferedAmount, socket.protocol, socket.extensions], [0, 0, '', '']);
    same([socket.binaryType, String(socket), WebSocketForApps.name], ['blob', '[object WebSocket]', 'WebSocket']);
    same([socket instanceof WebSocketForApps, socket instanceof EventTarget], [true, true]);
    await farEnd;
  });

  it('can be subclassed', async () => {
    control();
    class Chatty extends WebSocketForApps {
      readonly mood = 'chatty';
    }
    const socket = new Chatty(`${own}/`);
    same([socket.mood, socket instanceof Chatty, socket instanceof WebSocketForApps], ['chatty', true, true]);
    await farEnd;
  });

  it('fails with 1006 where no service worker is', async () => {
    control(false);
    const socket = new WebSocketForApps(`${own}/`) as unknown as WebSocket;
    const seen: string[] = [];
    socket.onerror = () => seen.push('error');
    const close = await next<CloseEvent>(socket, 'close');
    same([seen, close.code, close.wasClean, socket.readyState], [['error'], 1006, false, 3]);
  });
});

describe('an open WebSocket', () => {
  it('offers subprotocols and tells which was chosen', async () => {
    const socket = connect('/socket', ['one', 'two']);
    const far = await farEnd;
    same(await far.until(1), [{ t: 'connect', target: '/socket', protocols: ['one', 'two'] }]);
    far.say({ t: 'open', protocol: 'two' });
    await next(socket, 'open');
    same([socket.protocol, socket.readyState], ['two', 1]);
  });

  it('does not send before it is open', async () => {
    const socket = connect();
    same((await thrown(() => socket.send('too soon'))).name, 'InvalidStateError');
    same((await thrown(() => Reflect.apply(socket.send, socket, []))).name, 'TypeError');
    same(socket.bufferedAmount, 0);
    await farEnd;
  });

  it('sends text, buffers, views and blobs in the order of send', async () => {
    const { socket, far } = await opened();
    const buffer = Uint8Array.of(1, 2, 3, 4);
    socket.send('first');
    socket.send(new Blob(['second']));
    socket.send('third');
    socket.send(buffer.subarray(1, 3));
    socket.send(new Blob([Uint8Array.of(9)]));
    socket.send(buffer.buffer);
    buffer.fill(0);
    socket.close(3000, 'enough');
    const heard = await far.until(7);
    const data = heard.map((message) => (message.t === 'send' ? message.data : message));
    same(data[0], 'first');
    same(new TextDecoder().decode(data[1] as ArrayBuffer), 'second');
    same(data[2], 'third');
    same(data[3], Uint8Array.of(2, 3).buffer);
    same(data[4], Uint8Array.of(9).buffer);
    same(data[5], Uint8Array.of(1, 2, 3, 4).buffer);
    same(data[6], { t: 'close', code: 3000, reason: 'enough' });
  });

  it('counts bufferedAmount up at once and down as bytes leave', async () => {
    const { socket, far } = await opened();
    socket.send('ä€'); // 2 + 3 bytes
    socket.send(new ArrayBuffer(10));
    socket.send(new Blob(['abc']));
    same(socket.bufferedAmount, 18);
    far.say({ t: 'sent', bytes: 5 });
    far.say({ t: 'sent', bytes: 10 });
    far.say({ t: 'message', data: 'mark' });
    await next(socket, 'message');
    same(socket.bufferedAmount, 3);
    socket.close();
    socket.send('lost');
    same(socket.bufferedAmount, 7, 'what is sent after close is counted and goes nowhere');
  });

  it('delivers text and binary as binaryType says, and says that it took them', async () => {
    const { socket, far } = await opened();
    far.say({ t: 'message', data: 'text' });
    const text = await next<MessageEvent<string>>(socket, 'message');
    same([text.data, text.origin], ['text', `ws://${location.host}`]);
    far.say({ t: 'message', data: Uint8Array.of(1, 2).buffer });
    const blob = await next<MessageEvent<Blob>>(socket, 'message');
    same([blob.data instanceof Blob, blob.data.size], [true, 2]);
    socket.binaryType = 'arraybuffer';
    socket.binaryType = 'nonsense' as BinaryType;
    far.say({ t: 'message', data: Uint8Array.of(3).buffer });
    same((await next<MessageEvent<ArrayBuffer>>(socket, 'message')).data, Uint8Array.of(3).buffer);
    same(await far.until(3), [
      { t: 'taken', bytes: 4 },
      { t: 'taken', bytes: 2 },
      { t: 'taken', bytes: 1 },
    ]);
  });

  it('handlers keep their place when replaced and go when removed', async () => {
    const { socket, far } = await opened();
    const seen: string[] = [];
    socket.onmessage = () => seen.push('old handler');
    socket.addEventListener('message', () => seen.push('listener'));
    socket.onmessage = () => seen.push('new handler');
    far.say({ t: 'message', data: '1' });
    await next(socket, 'message');
    same(seen, ['new handler', 'listener']);
    same(typeof socket.onmessage, 'function');
    socket.onmessage = null;
    far.say({ t: 'message', data: '2' });
    await next(socket, 'message');
    same(seen, ['new handler', 'listener', 'listener']);
    same([socket.onmessage, socket.onopen, socket.onerror, socket.onclose], [null, null, null, null]);
  });
});

describe('a WebSocket that closes', () => {
  for (const code of [0, 999, 1001, 1005, 1006, 2999, 5000, 65_536 + 1000, Number.NaN, null])
    it(`refuses close(${code}) with an InvalidAccessError`, async () => {
      const { socket } = await opened();
      same((await thrown(() => socket.close(code as number))).name, 'InvalidAccessError');
      same(socket.readyState, 1);
    });

  it('takes a reason of 123 bytes and not of 124', async () => {
    const { socket, far } = await opened();
    same((await thrown(() => socket.close(1000, 'é'.repeat(62)))).name, 'SyntaxError');
    socket.close(1000, 'x'.repeat(123));
    same(socket.readyState, 2);
    same(await far.until(1), [{ t: 'close', code: 1000, reason: 'x'.repeat(123) }]);
  });

  it('is closed when the service says so, with its code and reason, and delivers nothing in between', async () => {
    const { socket, far } = await opened();
    const seen: string[] = [];
    socket.onmessage = () => seen.push('message');
    socket.onerror = () => seen.push('error');
    socket.close(4001, 'bye');
    far.say({ t: 'message', data: 'late' });
    far.say({ t: 'closed', code: 4001, reason: 'bye', clean: true });
    const close = await next<CloseEvent>(socket, 'close');
    same([close.code, close.reason, close.wasClean, socket.readyState], [4001, 'bye', true, 3]);
    same(seen, []);
    socket.close();
    socket.close(1000);
  });

  it('tells a connection that broke after it stood by 1006 alone, as no error made it fail', async () => {
    const { socket, far } = await opened();
    const seen = eventsOf(socket);
    far.say({ t: 'closed', code: 1006, reason: '', clean: false });
    const close = await next<CloseEvent>(socket, 'close');
    same([close.code, close.wasClean], [1006, false]);
    same(seen, ['close']);
  });

  it('fails with 1006 when closed before it stood, whatever the service answers', async () => {
    const socket = connect();
    const far = await farEnd;
    const seen = eventsOf(socket);
    socket.close();
    same(socket.readyState, 2);
    far.say({ t: 'open', protocol: '' });
    far.say({ t: 'closed', code: 1000, reason: '', clean: true });
    same((await next<CloseEvent>(socket, 'close')).code, 1006);
    same(seen, ['error', 'close']);
  });

  it('WebSocket fidelity: says 1001 when its page is left, which hears nothing', async () => {
    const { socket, far } = await opened();
    const seen = eventsOf(socket);
    window.dispatchEvent(new PageTransitionEvent('pagehide'));
    same(await far.until(1), [{ t: 'close', code: 1001, reason: '' }]);
    same(seen, []);
  });

  it('WebSocket fidelity: a page that may come back hears that its connection is closed, which is no failure', async () => {
    const { socket, far } = await opened();
    const seen = eventsOf(socket);
    window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
    same(await far.until(1), [{ t: 'close', code: 1001, reason: '' }]);
    same(socket.readyState, 3);
    same(seen, ['close']);
  });
});
