/**
 * What the rows of the tables beside this file begin with. They run in the browser as the text of their functions, which
 * know of each other by name only: nothing here or there may use anything else of its module.
 */

/** Plain data, or nothing. */
export type Outcome = unknown;
export type Rows = Readonly<Record<string, () => Outcome | Promise<Outcome>>>;

type Sendable = string | Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer>;

/** The service's address by which WebSockets are opened. */
export const at = (path: string): string => new URL(path, self.origin).href.replace('http', 'ws');

/** It is closed after its row: a browser and a tunnel carry so many at a time and no more. */
export const kept = (socket: WebSocket): WebSocket => {
  // A row may have written over its own.
  const over = () => WebSocket.prototype.close.call(socket);
  self.addEventListener('row-over', () => (socket.readyState === 0 ? socket.addEventListener('open', over) : over()), {
    once: true,
  });
  return socket;
};

export const make = (path: string): WebSocket => kept(new WebSocket(at(path)));

/** @throws NetworkError for one that does not open */
export const opened = async (socket: WebSocket): Promise<WebSocket> => {
  kept(socket);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onclose = () => reject(new DOMException('closed', 'NetworkError'));
  });
  socket.onopen = null;
  socket.onclose = null;
  return socket;
};

export const open = (path: string, protocols?: string | string[]): Promise<WebSocket> =>
  opened(protocols === undefined ? new WebSocket(at(path)) : new WebSocket(at(path), protocols));

export const until = <E extends Event>(socket: WebSocket, type: string): Promise<E> =>
  new Promise<E>((resolve) => socket.addEventListener(type, (event) => resolve(event as E), { once: true }));

/** What is heard of a socket up to its end. */
export const ended = async (socket: WebSocket): Promise<Outcome> => {
  const seen: string[] = [];
  for (const type of ['open', 'error', 'message']) socket.addEventListener(type, () => seen.push(type));
  const { code, reason, wasClean } = await until<CloseEvent>(socket, 'close');
  return { seen, code, reason, wasClean, readyState: socket.readyState };
};

/** Whether it opens at all, and with which subprotocol. */
export const settles = (socket: WebSocket): Promise<Outcome> =>
  Promise.race([until(socket, 'open').then(() => ({ protocol: socket.protocol })), ended(socket)]);

/** What comes back of each, over one socket. */
export const echoes = async (things: readonly Sendable[], as: BinaryType = 'arraybuffer'): Promise<Outcome[]> => {
  const socket = await open('/echo');
  socket.binaryType = as;
  const outcomes: Outcome[] = [];
  for (const thing of things) {
    socket.send(thing);
    const { data } = await until<MessageEvent>(socket, 'message');
    const bytes = typeof data === 'string' ? undefined : new Uint8Array(await new Response(data).arrayBuffer());
    const kind = Object.prototype.toString.call(data);
    outcomes.push(bytes === undefined ? data : { kind, length: bytes.length, first: [...bytes.subarray(0, 8)] });
  }
  socket.close();
  return outcomes;
};

export const echo = async (thing: Sendable, as?: BinaryType): Promise<Outcome> => (await echoes([thing], as))[0];

/** The handshake as the service heard it. */
export const told = async (path: string, protocols: string[] = []): Promise<Record<string, string | null>> => {
  const socket = await open(path, protocols);
  socket.send('');
  const said = JSON.parse((await until<MessageEvent>(socket, 'message')).data);
  socket.close();
  return said;
};

/** The name of what it throws. */
export const thrown = (run: () => unknown): string => {
  try {
    run();
    return 'nothing';
  } catch (error) {
    return (error as Error).name;
  }
};

export const inTime = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const helpers = { at, kept, make, opened, open, until, ended, settles, echoes, echo, told, thrown, inTime };
