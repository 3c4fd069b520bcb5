/** Handlers, listeners and events, from the opening to the end. */
import { at, ended, inTime, make, open, type Rows, thrown, until } from './helpers.ts';

export const events: Rows = {
  // Handlers and listeners.
  'handlers begin as null': () => {
    const { onopen, onmessage, onerror, onclose } = make('/echo');
    return [onopen, onmessage, onerror, onclose];
  },
  'a handler that is no function': () => {
    const socket = make('/echo');
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
  'handlers take functions, and null again': () => {
    const socket = make('/echo');
    return ['onopen', 'onmessage', 'onerror', 'onclose'].flatMap((name) => {
      const handler = () => undefined;
      Reflect.set(socket, name, handler);
      const isKept = Reflect.get(socket, name) === handler;
      Reflect.set(socket, name, null);
      const isGone = Reflect.get(socket, name) === null;
      Reflect.set(socket, name, { handleEvent: handler });
      return [isKept, isGone, typeof Reflect.get(socket, name)];
    });
  },
  'events that the page makes': () => {
    const socket = make('/echo');
    const seen: unknown[] = [];
    for (const type of ['open', 'message', 'error', 'close']) {
      Reflect.set(socket, `on${type}`, ({ detail }: CustomEvent) => seen.push(detail));
      socket.addEventListener(type, (event) => seen.push((event as CustomEvent).detail));
      socket.dispatchEvent(new CustomEvent(type, { detail: type }));
    }
    return seen;
  },
  'a listener that was removed': () => {
    const socket = make('/echo');
    let calls = 0;
    const listener = () => {
      calls += 1;
    };
    for (const type of ['open', 'message', 'error', 'close']) {
      socket.addEventListener(type, listener);
      socket.removeEventListener(type, listener);
      socket.dispatchEvent(new Event(type));
    }
    return calls;
  },
  'listeners and handlers are called in their order': async () => {
    const socket = make('/echo');
    const seen: string[] = [];
    for (const type of ['open', 'message', 'close']) {
      socket.addEventListener(type, () => seen.push(`${type} before`));
      Reflect.set(socket, `on${type}`, () => seen.push(type));
      socket.addEventListener(type, () => seen.push(`${type} after`));
    }
    await until(socket, 'open');
    socket.send('x');
    await until(socket, 'message');
    socket.close();
    await until(socket, 'close');
    return seen;
  },
  'each event, its kind, target and phase, and the state in it': async () => {
    const seen: unknown[] = [];
    const watch = (socket: WebSocket) => {
      for (const type of ['open', 'message', 'error', 'close'])
        socket.addEventListener(type, function (this: WebSocket, event) {
          const { target, currentTarget, eventPhase, bubbles, cancelable } = event;
          const isOurs = this === socket && target === socket && currentTarget === socket;
          seen.push([String(event), isOurs, eventPhase, bubbles, cancelable, socket.readyState]);
        });
      return socket;
    };
    const good = watch(make('/echo'));
    await until(good, 'open');
    good.send('x');
    await until(good, 'message');
    good.close();
    await until(good, 'close');
    await until(watch(new WebSocket(at('/refuse'))), 'close');
    return seen;
  },
  'an event of the end cannot be written': async () => {
    const socket = await open('/echo');
    socket.close();
    const event = await until<CloseEvent>(socket, 'close');
    return [
      Reflect.set(event, 'wasClean', 7),
      event.wasClean,
      Reflect.deleteProperty(event, 'wasClean'),
      event.wasClean,
    ];
  },
  'readyState in each event': async () => {
    const socket = make('/echo');
    const states = [socket.readyState];
    await until(socket, 'open');
    states.push(socket.readyState);
    socket.close();
    states.push(socket.readyState);
    await until(socket, 'close');
    return [...states, socket.readyState];
  },
  '25 at once': async () => {
    const sockets = Array.from({ length: 25 }, () => make('/echo'));
    return Promise.all(
      sockets.map(async (socket, index) => {
        await until(socket, 'open');
        socket.send(String(index));
        const { data } = await until<MessageEvent>(socket, 'message');
        socket.close();
        await until(socket, 'close');
        return data;
      }),
    );
  },
};

export const endings: Rows = {
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
    const socket = make('/echo');
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
  'close with things that are no code': async () => {
    const socket = await open('/echo');
    const codes = [Number.NaN, 'text', null, 500, 2 ** 16 + 1_000, '1000', 1000.4, true] as unknown as number[];
    return codes.map((code) => [thrown(() => socket.close(code)), socket.readyState]);
  },
  'close gives nothing back, and can be written over': async () => {
    const socket = await open('/echo');
    return [String(socket.close()), Reflect.set(socket, 'close', 5), socket.close, Object.keys(socket)];
  },
  'a reason with lone surrogates': async () => {
    const socket = await open('/echo');
    socket.close(1000, '\ud807 \udc00');
    return ended(socket);
  },
  'close again, and in the event of the end: it comes once': async () => {
    const socket = await open('/echo');
    let ends = 0;
    socket.onclose = () => {
      ends += 1;
      socket.close();
    };
    for (let each = 0; each < 3; each += 1) socket.close();
    await until(socket, 'close');
    await inTime(50);
    return [ends, socket.readyState];
  },
};
