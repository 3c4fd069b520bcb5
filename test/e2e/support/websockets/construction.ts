/** The constructor, and the interface as script can look at it. */
import { at, ended, make, open, opened, type Rows, thrown } from './helpers.ts';

export const construction: Rows = {
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
  'a host with a space': () => new WebSocket('ws://foo bar.com/').url,
  'an address of mail': () => new WebSocket('mailto:example@example.org').url,
  'about:blank': () => new WebSocket('about:blank').url,
  'a fragment alone': () => new WebSocket('#test').url,
  'a query alone': () => new WebSocket('?test').url.endsWith('?test'),
  'an https address': () => {
    const url = new URL('/echo', self.origin);
    url.protocol = 'https:';
    return new WebSocket(url).url === url.href.replace('https', 'wss');
  },
  'an object that says its address': () => {
    const address = { toString: () => at('/echo') };
    return new WebSocket(address as unknown as string).url === at('/echo');
  },
  'too few slashes': () => new WebSocket(`ws:${new URL(self.origin).host}/echo`).url === at('/echo'),
  'a scheme in capitals': async () =>
    (await opened(new WebSocket(at('/echo').replace('ws:', 'WS:')))).url === at('/echo'),
  'a host in capitals': async () => {
    const { host } = new URL(self.origin);
    return (await opened(new WebSocket(`ws://${host.toUpperCase()}/echo`))).url === at('/echo');
  },
  'the default port is left out': () =>
    ['ws://127.0.0.1:80/', 'wss://127.0.0.1:443/', 'ws://127.0.0.1:443/'].map((address) => new WebSocket(address).url),
  'more arguments than it takes': () =>
    Reflect.construct(WebSocket, [at('/echo'), 'echo', 'stray']) instanceof WebSocket,
  'subprotocols with separators': () =>
    [...'()<>@,;:\\"/[]?={} \t'].map((separator) => thrown(() => new WebSocket(at('/echo'), `a${separator}b`))),
  'subprotocols that differ by case alone': () => new WebSocket(at('/echo'), ['echo', 'Echo']).url === at('/echo'),
  // What the interface is.
  'constants of the constructor': () => [WebSocket.CONNECTING, WebSocket.OPEN, WebSocket.CLOSING, WebSocket.CLOSED],
  'constants cannot be changed': () => Object.getOwnPropertyDescriptor(WebSocket, 'OPEN'),
  'constants of the prototype': () => Object.getOwnPropertyDescriptor(WebSocket.prototype, 'CLOSED'),
  'members of the prototype': () => Object.getOwnPropertyNames(WebSocket.prototype).sort(),
  'members that can be listed': () => Object.keys(WebSocket.prototype).sort(),
  'members of an instance': () => Object.getOwnPropertyNames(make('/echo')),
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
  'a socket as text': () => String(make('/echo')),
  instanceof: () => {
    const socket = make('/echo');
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
    const { readyState, bufferedAmount, protocol, extensions, binaryType } = make('/echo');
    return [readyState, bufferedAmount, protocol, extensions, binaryType];
  },
  'attributes are read-only': () => {
    const socket = make('/echo');
    return ['url', 'readyState', 'bufferedAmount', 'protocol', 'extensions'].map((name) =>
      Reflect.set(socket, name, 7),
    );
  },
  'constants take no getter and no setter': () =>
    ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].flatMap((name) => [
      thrown(() => Object.defineProperty(WebSocket.prototype, name, { get: () => 1 })),
      thrown(() => Object.defineProperty(WebSocket.prototype, name, { set: () => undefined })),
    ]),
  'constants cannot be written or deleted': () => {
    const socket = make('/echo');
    return [Reflect.set(socket, 'OPEN', 5), Reflect.deleteProperty(WebSocket, 'OPEN'), socket.OPEN, WebSocket.OPEN];
  },
  'a page may replace an attribute': () =>
    ['url', 'readyState', 'bufferedAmount', 'protocol'].map((name) => {
      const own = Object.getOwnPropertyDescriptor(WebSocket.prototype, name) ?? {};
      Object.defineProperty(WebSocket.prototype, name, { get: () => 'foo', configurable: true });
      const seen = Reflect.get(make('/echo'), name);
      Object.defineProperty(WebSocket.prototype, name, own);
      return seen;
    }),
  'a page may give an attribute a setter': () => {
    const own = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'url') ?? {};
    let seen: unknown;
    Object.defineProperty(WebSocket.prototype, 'url', {
      set: (value) => {
        seen = value;
      },
      configurable: true,
    });
    Reflect.set(make('/echo'), 'url', 'written');
    Object.defineProperty(WebSocket.prototype, 'url', own);
    return seen;
  },
  'a page may delete an attribute, of the prototype alone': () => {
    const own = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'bufferedAmount') ?? {};
    const socket = make('/echo');
    Reflect.deleteProperty(socket, 'bufferedAmount');
    const before = socket.bufferedAmount;
    Reflect.deleteProperty(WebSocket.prototype, 'bufferedAmount');
    const after = socket.bufferedAmount;
    Object.defineProperty(WebSocket.prototype, 'bufferedAmount', own);
    return [before, String(after), socket.bufferedAmount];
  },
  'there is no URL in capitals': () => 'URL' in make('/echo'),
};
