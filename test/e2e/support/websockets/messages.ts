/** What is sent and what arrives, and bufferedAmount. */
import { at, echo, echoes, ended, make, open, type Rows, until } from './helpers.ts';

export const messages: Rows = {
  'binaryType takes two values': () => {
    const socket = make('/echo');
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
  'send before it is open': () => make('/echo').send('x'),
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
  'binaryType counts when a message comes, not when it was sent': async () => {
    const socket = await open('/echo');
    const kinds: string[] = [];
    for (const kind of ['blob', 'arraybuffer', 'blob'] as const) {
      socket.send(Uint8Array.of(1));
      socket.binaryType = kind;
      const { data } = await until<MessageEvent>(socket, 'message');
      kinds.push(Object.prototype.toString.call(data));
    }
    return kinds;
  },
  'views of every kind': async () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => i + 1).buffer;
    const views = [
      ...[new Float32Array(bytes), new Float64Array(bytes), new Int8Array(bytes), new Int32Array(bytes)],
      ...[new Int16Array(bytes, 2), new Uint32Array(bytes, 4), new Uint8Array(bytes, 3)],
      ...[new Uint16Array(bytes, 2, 3), new Uint8Array(bytes, 3, 2), new BigInt64Array(bytes, 8, 1)],
    ];
    return echoes(views);
  },
  'surrogates, paired, lone and in the wrong order': () => echo('\ud801\udc7e a\udc00xb\ud800xc\udc00\ud800x'),
  'other things as text': async () => {
    const things = [undefined, 1, [], [1, 2], () => undefined, new Error('x'), true];
    return echoes(things as unknown as string[]);
  },
  'lengths around the steps of a frame’s length': async () => {
    const texts = [125, 126, 127, 65_535, 65_536].map((length) => 'x'.repeat(length));
    return (await echoes(texts)).map((text, i) => text === texts[i]);
  },
  'send gives nothing back': async () => {
    const socket = await open('/echo');
    const sent = socket.send('x');
    socket.close();
    return [sent, socket.send('x')].map(String);
  },
  'nothing that is sent after close arrives': async () => {
    const socket = await open('/echo');
    socket.close();
    socket.send('x');
    return ended(socket);
  },
  'bufferedAmount of 65,000 characters, of a buffer and of a blob': async () => {
    const socket = await open('/echo');
    const amounts = ['x'.repeat(65_000), new ArrayBuffer(7), new Blob(['blob'])].map((data) => {
      const before = socket.bufferedAmount;
      socket.send(data);
      return socket.bufferedAmount - before;
    });
    socket.close();
    return amounts;
  },
  'bufferedAmount stays as it is while a script runs': async () => {
    const socket = await open('/echo');
    socket.send('hello');
    for (const late = performance.now() + 50; performance.now() < late; );
    return socket.bufferedAmount;
  },
  'bufferedAmount grows by what is sent while closing, and stays when closed': async () => {
    const socket = await open('/echo');
    socket.close();
    socket.send('12345');
    const closing = socket.bufferedAmount;
    await until(socket, 'close');
    socket.send(new ArrayBuffer(10));
    return [closing, socket.bufferedAmount];
  },
  '50 messages of 64 KiB to a service that is slow': async () => {
    const socket = await open('/slow');
    let answers = 0;
    const all = new Promise((resolve) => {
      socket.onmessage = ({ data }) => {
        answers += Number(data === '65536');
        if (answers === 50) resolve(answers);
      };
    });
    for (let each = 0; each < 50; each += 1) socket.send(new Uint8Array(65_536));
    return all;
  },
};
