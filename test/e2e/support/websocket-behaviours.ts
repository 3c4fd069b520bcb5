/**
 * What a page or a worker can see of WebSocket, one row each: the things that web-platform-tests checks under websockets/,
 * asked in our own words. Rows run in the browser as the text of their functions, which know of each other by name only.
 * A row's outcome is plain data, or the name of what it threw.
 */

type Outcome = unknown;
declare const at: (path: string) => string;
declare const open: (path: string, protocols?: string | string[]) => Promise<WebSocket>;
declare const until: <E extends Event>(socket: WebSocket, type: string) => Promise<E>;
declare const ended: (socket: WebSocket) => Promise<Outcome>;
declare const echo: (
  data: string | Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer>,
  as?: BinaryType,
) => Promise<Outcome>;

const helpers = {
  at: (path: string) => new URL(path, self.origin).href.replace('http', 'ws'),
  open: async (path: string, protocols?: string | string[]) => {
    const socket = protocols === undefined ? new WebSocket(at(path)) : new WebSocket(at(path), protocols);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onclose = () => reject(new DOMException('closed', 'NetworkError'));
    });
    socket.onopen = null;
    socket.onclose = null;
    return socket;
  },
  until: <E extends Event>(socket: WebSocket, type: string) =>
    new Promise<E>((resolve) => socket.addEventListener(type, (event) => resolve(event as E), { once: true })),
  ended: async (socket: WebSocket) => {
    const seen: string[] = [];
    for (const type of ['open', 'error', 'message']) socket.addEventListener(type, () => seen.push(type));
    const { code, reason, wasClean } = await until<CloseEvent>(socket, 'close');
    return { seen, code, reason, wasClean, readyState: socket.readyState };
  },
  echo: async (data: string | Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer>, as: BinaryType = 'arraybuffer') => {
    const socket = await open('/echo');
    socket.binaryType = as;
    socket.send(data);
    const answer = (await until<MessageEvent>(socket, 'message')).data;
    socket.close();
    if (typeof answer === 'string') return answer;
    const bytes = new Uint8Array(answer instanceof Blob ? await answer.arrayBuffer() : answer);
    return { kind: Object.prototype.toString.call(answer), length: bytes.length, first: [...bytes.subarray(0, 8)] };
  },
};

export const behaviours: Readonly<Record<string, () => Outcome | Promise<Outcome>>> = {
  // The constructor.
  'no arguments': () => Reflect.construct(WebSocket, []),
  'called without new': () => (WebSocket as unknown as (url: string) => void)(at('/echo')),
  'a scheme that is no WebSocket’s': () => new WebSocket('ftp://example.org/').url,
  'an address that is none': () => new WebSocket('ws://').url,
  'an address with a fragment': () => new WebSocket(`${at('/echo')}#top`).url,
  'an address with an empty fragment': () => new WebSocket(`${at('/echo')}#`).url,
  'a port that is blocked is refused by the browser': async () => ended(new WebSocket('ws://127.0.0.1:1/')),
  'a relative address': () => new WebSocket('/echo').url.startsWith('ws:'),
  'an http address': () => new WebSocket(new URL('/echo', self.origin).href).url === at('/echo'),
  'a URL object': () => new WebSocket(new URL('/echo', self.origin)).url === at('/echo'),
  'a space in the path is encoded': () => new WebSocket(at('/a b')).url.endsWith('/a%20b'),
  'dots in the path are resolved': () => new WebSocket(at('/a/../b?c')).url.endsWith('/b?c'),
  'an empty subprotocol': () => new WebSocket(at('/echo'), '').url,
  'a subprotocol with a space': () => new WebSocket(at('/echo'), 'a b').url,
  'a subprotocol with a comma': () => new WebSocket(at('/echo'), 'a,b').url,
  'a subprotocol with a control character': () => new WebSocket(at('/echo'), 'a\u0000').url,
  'a subprotocol beyond ASCII': () => new WebSocket(at('/echo'), 'ä').url,
  'a subprotocol named twice': () => new WebSocket(at('/echo'), ['a', 'a']).url,
  'no subprotocols as an empty list': async () => (await open('/echo', [])).protocol,
  // What the interface is.
  'constants of the constructor': () => [WebSocket.CONNECTING, WebSocket.OPEN, WebSocket.CLOSING, WebSocket.CLOSED],
  'constants cannot be changed': () => Object.getOwnPropertyDescriptor(WebSocket, 'OPEN'),
  'constants of the prototype': () => Object.getOwnPropertyDescriptor(WebSocket.prototype, 'CLOSED'),
  'members of the prototype': () => Object.getOwnPropertyNames(WebSocket.prototype).sort(),
  'members that can be listed': () => Object.keys(WebSocket.prototype).sort(),
  'members of an instance': () => Object.getOwnPropertyNames(new WebSocket(at('/echo'))),
  'name and length': () => [
    WebSocket.name,
    WebSocket.length,
    WebSocket.prototype.send.length,
    WebSocket.prototype.close.length,
  ],
  'functions are native to look at': () => [
    String(WebSocket).replace(/\s+/g, ' ').includes('[native code]'),
    String(WebSocket.prototype.send).includes('[native code]'),
  ],
  'a socket as text': () => String(new WebSocket(at('/echo'))),
  instanceof: () => {
    const socket = new WebSocket(at('/echo'));
    return [socket instanceof WebSocket, socket instanceof EventTarget, socket.constructor === WebSocket];
  },
  'a subclass': () => {
    class Own extends WebSocket {}
    const socket = new Own(at('/echo'));
    return [socket instanceof Own, socket instanceof WebSocket, Object.getPrototypeOf(socket) === Own.prototype];
  },
  'a getter on another object': () => Reflect.get(WebSocket.prototype, 'readyState', {}),
  'send on another object': () => WebSocket.prototype.send.call({} as WebSocket, 'x'),
  'the property is what Web IDL says': () => {
    const { writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(self, 'WebSocket') ?? {};
    return [writable, enumerable, configurable];
  },
  'attributes before it is open': () => {
    const { readyState, bufferedAmount, protocol, extensions, binaryType } = new WebSocket(at('/echo'));
    return [readyState, bufferedAmount, protocol, extensions, binaryType];
  },
  'attributes are read-only': () => {
    const socket = new WebSocket(at('/echo'));
    return ['url', 'readyState', 'bufferedAmount', 'protocol', 'extensions'].map((name) =>
      Reflect.set(socket, name, 7),
    );
  },
  // Handlers and binaryType.
  'handlers begin as null': () => {
    const { onopen, onmessage, onerror, onclose } = new WebSocket(at('/echo'));
    return [onopen, onmessage, onerror, onclose];
  },
  'a handler that is no function': () => {
    const socket = new WebSocket(at('/echo'));
    Reflect.set(socket, 'onopen', 5);
    const number = socket.onopen;
    Reflect.set(socket, 'onopen', {});
    return [number, typeof socket.onopen];
  },
  'a handler keeps its place among listeners': async () => {
    const socket = await open('/echo');
    const seen: string[] = [];
    socket.onmessage = () => seen.push('first');
    socket.addEventListener('message', () => seen.push('listener'));
    socket.onmessage = () => seen.push('handler');
    socket.send('x');
    await until(socket, 'message');
    return seen;
  },
  'binaryType takes two values': () => {
    const socket = new WebSocket(at('/echo'));
    const seen: string[] = [];
    for (const value of ['arraybuffer', 'nonsense', 'Blob', 'blob', '']) {
      Reflect.set(socket, 'binaryType', value);
      seen.push(socket.binaryType);
    }
    return seen;
  },
  'binaryType may change while open': async () => [
    await echo(new ArrayBuffer(3), 'blob'),
    await echo(new ArrayBuffer(3)),
  ],
  // Messages.
  text: () => echo('through'),
  'an empty text': () => echo(''),
  'text beyond ASCII': () => echo('äöü € 😀 \u0000'),
  'a lone surrogate': () => echo('a\ud800b'),
  'a byte order mark': () => echo('\ufefftext'),
  'null as text': () => echo(null as unknown as string),
  'an object as text': () => echo({} as unknown as string),
  'an ArrayBuffer': () => echo(Uint8Array.of(1, 2, 255).buffer),
  'an empty ArrayBuffer': () => echo(new ArrayBuffer(0)),
  'a view with an offset': () => echo(Uint8Array.of(1, 2, 3, 4).subarray(1, 3)),
  'a view of 16-bit numbers': () => echo(Uint16Array.of(0x0102, 0x0304)),
  'a DataView': () => echo(new DataView(Uint8Array.of(9, 8, 7).buffer, 1)),
  'a Blob': () => echo(new Blob(['blob'])),
  'an empty Blob': () => echo(new Blob([])),
  '64 KiB and a byte': () => echo(new Uint8Array(65_537).fill(7)),
  'the event of a message': async () => {
    const socket = await open('/echo');
    socket.send('x');
    const event = await until<MessageEvent>(socket, 'message');
    return [
      ...[event instanceof MessageEvent, event.origin === at('/').slice(0, -1), event.lastEventId, event.source],
      ...[event.ports.length, event.bubbles, event.cancelable, event.target === socket],
    ];
  },
  'messages keep their order, blobs among them': async () => {
    const socket = await open('/echo');
    const seen: unknown[] = [];
    const done = new Promise((resolve) => {
      socket.onmessage = async ({ data }) => {
        seen.push(typeof data === 'string' ? data : data.size);
        if (seen.length === 5) resolve(seen);
      };
    });
    for (const data of ['a', new Blob(['bb']), 'c', new ArrayBuffer(3), 'e']) socket.send(data);
    return done;
  },
  'send before it is open': () => new WebSocket(at('/echo')).send('x'),
  'send without an argument': async () => ((await open('/echo')).send as () => void)(),
  'bufferedAmount counts bytes at once': async () => {
    const socket = await open('/echo');
    socket.send('ä€');
    socket.send(new ArrayBuffer(10));
    return socket.bufferedAmount;
  },
  'bufferedAmount comes back to nothing': async () => {
    const socket = await open('/echo');
    socket.send('x'.repeat(1_000));
    await until(socket, 'message');
    await new Promise((resolve) => setTimeout(resolve, 100));
    return socket.bufferedAmount;
  },
  'bufferedAmount after close': async () => {
    const socket = await open('/echo');
    socket.close();
    socket.send('lost');
    return socket.bufferedAmount;
  },
  // Subprotocols.
  'one subprotocol': async () => (await open('/echo', 'one')).protocol,
  'the service chooses among subprotocols': async () => (await open('/echo?choose=two', ['one', 'two'])).protocol,
  // The end.
  'close with 0': async () => (await open('/echo')).close(0),
  'close with 999': async () => (await open('/echo')).close(999),
  'close with 1001': async () => (await open('/echo')).close(1001),
  'close with 1005': async () => (await open('/echo')).close(1005),
  'close with 1006': async () => (await open('/echo')).close(1006),
  'close with 2999': async () => (await open('/echo')).close(2999),
  'close with 5000': async () => (await open('/echo')).close(5000),
  'close with 66_536': async () => (await open('/echo')).close(66_536),
  'close with 1000': async () => {
    const socket = await open('/echo');
    socket.close(1000);
    return ended(socket);
  },
  'close with 3000 and a reason': async () => {
    const socket = await open('/echo');
    socket.close(3000, 'enough €');
    return ended(socket);
  },
  'close without a code': async () => {
    const socket = await open('/echo');
    socket.close();
    return ended(socket);
  },
  'a reason of 123 bytes': async () => {
    const socket = await open('/echo');
    socket.close(4999, 'x'.repeat(123));
    return ended(socket);
  },
  'a reason of 124 bytes': async () => (await open('/echo')).close(1000, 'é'.repeat(62)),
  'readyState after close is called': async () => {
    const socket = await open('/echo');
    socket.close();
    return socket.readyState;
  },
  'close is called twice': async () => {
    const socket = await open('/echo');
    socket.close(3001, 'first');
    socket.close(3002, 'second');
    return ended(socket);
  },
  'close before it is open': async () => {
    const socket = new WebSocket(at('/echo'));
    socket.close();
    return [socket.readyState, await ended(socket)];
  },
  'what was sent before close arrives': async () => {
    const socket = await open('/count');
    for (let each = 0; each < 10; each += 1) socket.send('x');
    socket.close();
    return ended(socket);
  },
  'the service closes with a code and a reason': async () => ended(new WebSocket(at('/close?code=4321&reason=over'))),
  'the service closes without a code': async () => ended(new WebSocket(at('/close'))),
  'the service drops the connection': async () => {
    const socket = await open('/drop');
    socket.send('and go');
    return ended(socket);
  },
  'the service refuses': async () => ended(new WebSocket(at('/refuse'))),
  'the service sends more than the page asks': async () => {
    const socket = new WebSocket(at('/burst'));
    let bytes = 0;
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => {
      bytes += data.byteLength;
    };
    await until(socket, 'close');
    return bytes;
  },
  'the event of the end': async () => {
    const socket = await open('/echo');
    socket.close();
    const event = await until<CloseEvent>(socket, 'close');
    return [event instanceof CloseEvent, event.bubbles, event.cancelable];
  },
};

/** A script that gives its realm `runBehaviours()`: an outcome for each row. */
export function behavioursScript(): string {
  const texts = (table: object) => Object.entries(table).map(([name, run]) => `${JSON.stringify(name)}: ${run}`);
  return `globalThis.runBehaviours = async () => {
    ${Object.entries(helpers)
      .map(([name, run]) => `const ${name} = ${run};`)
      .join('\n')}
    const rows = { ${texts(behaviours).join(',\n')} };
    const outcomes = {};
    for (const [name, run] of Object.entries(rows)) {
      const slow = new Promise((resolve) => setTimeout(resolve, 30_000, 'no end'));
      try { outcomes[name] = (await Promise.race([run(), slow])) ?? null; }
      catch (error) { outcomes[name] = error.name; }
    }
    return outcomes;
  };`;
}
