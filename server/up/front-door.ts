/**
 * The one public TCP port. It reads a connection's first request head, decides by path who owns it, and hands over
 * the socket with what was read. It parses no more HTTP than that and serves nothing itself. Where TLS is ours it reads
 * the ClientHello instead and decides by name: keys and what they protect are with the owners.
 * A flood of tunnels ends here, where refusing one is cheap (tunnel-rate.ts).
 */
import { createServer, type Server, type Socket } from 'node:net';
import { systemClock } from '../channel/system-clock.ts';
import { Proxies } from '../tls/proxies.ts';
import { handshakeRecord, readServerName } from './client-hello.ts';
import { TunnelRate } from './tunnel-rate.ts';

/** Who takes a connection: `/tunnel` is the gateway's, everything else the control plane's. */
export type Owner = 'control' | 'gateway';

const headLimitBytes = 32 * 1024;
const headLimitMs = 10_000;
const openLimit = 4_096;
/** What a refused client has for reading its answer. */
const refusalLingerMs = 1_000;

export interface FrontDoor {
  readonly port: number;
  /**
   * Takes no more connections. Those handed over live on with their owners; one whose owner was killed is counted by
   * Node for ever, so nobody waits for the count to reach zero.
   */
  close(): void;
}

export interface FrontDoorOptions {
  readonly port: number;
  readonly host: string;
  /** So many connections may owe their first head at a time. */
  readonly maxWaiting?: number;
  /** Connections are TLS, and those for this name are the gateway's. */
  readonly tunnelName?: string | undefined;
  /** A tunnel's source is whom these name. Inside TLS nobody here can read what they say. */
  readonly proxies?: Proxies;
  readonly rate?: TunnelRate;
}

/**
 * @param hand takes a paused socket and the bytes already read; returns false when its owner is away.
 * @throws the listen error (EADDRINUSE, EACCES) as Node gives it.
 */
export async function openFrontDoor(
  {
    maxWaiting = openLimit,
    tunnelName,
    proxies = new Proxies([]),
    rate = new TunnelRate(systemClock),
    ...options
  }: FrontDoorOptions,
  hand: (owner: Owner, socket: Socket, head: Buffer) => boolean,
): Promise<FrontDoor> {
  const waiting = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    // Whoever sends a head does so at once: those who wait the longest give way to the newcomer.
    if (waiting.size >= maxWaiting) dropOldest(waiting);
    waiting.add(socket);
    readHead(socket, tunnelName === undefined ? isHead : isHello, (head) => {
      waiting.delete(socket);
      if (head === undefined) socket.destroy();
      else if (tunnelName === undefined)
        deliver(socket, head, () => rate.admit(proxies.callerOf({ socket, headers: forwarded(head) }).address), hand);
      else deliverSecure(socket, head, tunnelName, () => rate.admit(socket.remoteAddress ?? ''), hand);
    });
  });
  await listen(server, options);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: () => {
      for (const socket of waiting) socket.destroy();
      server.close();
      server.unref();
    },
  };
}

function dropOldest(waiting: Set<Socket>): void {
  for (const oldest of waiting) {
    waiting.delete(oldest);
    oldest.destroy();
    return;
  }
}

function listen(server: Server, options: { port: number; host: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Enough of HTTP to tell its owner. */
const isHead = (bytes: Buffer): boolean => bytes.includes('\r\n\r\n');
/** Enough of TLS, or of what came in its place. */
const isHello = (bytes: Buffer): boolean =>
  bytes[0] === handshakeRecord ? readServerName(bytes).t !== 'incomplete' : isHead(bytes);

/** Calls back once: with the bytes that are enough, and what came with them, or with undefined when they never came. */
function readHead(
  socket: Socket,
  isEnough: (bytes: Buffer) => boolean,
  done: (head: Buffer | undefined) => void,
): void {
  let head = Buffer.alloc(0);
  const finish = (result: Buffer | undefined) => {
    clearTimeout(timer);
    stopReading(socket);
    socket.off('data', onData).off('end', onEnd).off('close', onEnd);
    done(result);
  };
  const onEnd = () => finish(undefined);
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    if (isEnough(head)) finish(head);
    else if (head.length > headLimitBytes) finish(undefined);
  };
  const timer = setTimeout(onEnd, headLimitMs);
  socket.on('data', onData).on('end', onEnd).on('close', onEnd);
  socket.on('error', () => undefined);
}

/**
 * `pause()` alone lets the handle read on into a buffer that does not travel with it: what came between two reads of
 * one burst was lost. Node stops the handle itself only for sockets it never read from (`pauseOnConnect`), so it is
 * done here by the same call; front-door.test.ts fails without it.
 */
function stopReading(socket: Socket): void {
  socket.pause();
  // The handle is not in the public types.
  const { _handle: handle } = socket as unknown as { _handle?: { readStop(): void; reading: boolean } | null };
  if (handle == null) return;
  handle.reading = false;
  handle.readStop();
}

function deliver(
  socket: Socket,
  head: Buffer,
  admits: () => boolean,
  hand: (owner: Owner, socket: Socket, head: Buffer) => boolean,
): void {
  const target = /^[A-Z]+ (\S+) HTTP\/1\.[01]\r\n/.exec(head.subarray(0, 8 * 1024).toString('latin1'))?.[1];
  if (target === undefined) {
    refuse(socket, '400 Bad Request', 'This port speaks HTTP.');
    return;
  }
  const owner = target === '/tunnel' || target.startsWith('/tunnel?') ? 'gateway' : 'control';
  // A reset and not a 503: what one gets who sends thousands has to cost next to nothing.
  if (owner === 'gateway' && !admits()) socket.resetAndDestroy();
  else if (!hand(owner, socket, head))
    refuse(socket, '503 Service Unavailable', 'Latchkey is starting. Try again in a moment.');
}

/** What proxies say of whom they speak for. */
function forwarded(head: Buffer): { 'x-forwarded-for': string } {
  const lines = head.toString('latin1').matchAll(/^x-forwarded-for:(.*)$/gim);
  return { 'x-forwarded-for': Array.from(lines, ([, hops = '']) => hops).join(',') };
}

function deliverSecure(
  socket: Socket,
  head: Buffer,
  tunnelName: string,
  admits: () => boolean,
  hand: (owner: Owner, socket: Socket, head: Buffer) => boolean,
): void {
  if (head[0] !== handshakeRecord) {
    refuse(socket, '400 Bad Request', 'This port speaks https.');
    return;
  }
  const hello = readServerName(head);
  if (hello.t !== 'name') {
    socket.destroy();
    return;
  }
  const owner = hello.name === tunnelName ? 'gateway' : 'control';
  if (owner === 'gateway' && !admits()) socket.resetAndDestroy();
  // An owner that is away has nobody who could say so in TLS.
  else if (!hand(owner, socket, head)) socket.destroy();
}

function refuse(socket: Socket, status: string, sentence: string): void {
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${sentence.length}\r\n` +
      `Retry-After: 1\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${sentence}`,
  );
  // The end is ours alone: a client that never ends its side would hold the socket as long as it likes.
  setTimeout(() => socket.destroy(), refusalLingerMs).unref();
}
