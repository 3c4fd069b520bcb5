/** Connects two stacks and moves bytes between their sockets. */
import { createHash } from 'node:crypto';
import type { TcpSocket } from '../../../../server/netstack/socket.ts';
import type { ConnectOptions, ListenOptions } from '../../../../server/netstack/stack.ts';
import { type Pair, SERVER4 } from './wire.ts';

export interface Connected {
  readonly client: TcpSocket;
  readonly server: TcpSocket;
}

/** A connection through the wire, both of its sockets. */
export async function connected(
  pair: Pair,
  options: Partial<ConnectOptions> & Partial<ListenOptions> = {},
): Promise<Connected> {
  const { promise, resolve } = Promise.withResolvers<TcpSocket>();
  const { host = SERVER4, port = 80, allowHalfOpen = true } = options;
  const listener = pair.server.listen({ port, allowHalfOpen }, resolve);
  const client = await pair.clock.resolve(pair.client.connect({ host, port, allowHalfOpen }));
  const server = await pair.clock.resolve(promise);
  listener.close();
  return { client, server };
}

/** Hands over what a socket receives until the peer ends. Not by `for await`, which destroys the socket then. */
function drain(socket: TcpSocket, take: (chunk: Uint8Array) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('data', take);
    socket.once('end', resolve);
    socket.once('error', reject);
  });
}

/** Everything a socket receives until the peer ends, as one array. */
export async function collect(socket: TcpSocket): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  await drain(socket, (chunk) => chunks.push(chunk));
  return Buffer.concat(chunks);
}

/** Like {@link collect}, but only how many bytes there were and their hash. */
export async function digest(socket: TcpSocket): Promise<{ length: number; sha256: string }> {
  const hash = createHash('sha256');
  let length = 0;
  await drain(socket, (chunk) => {
    hash.update(chunk);
    length += chunk.length;
  });
  return { length, sha256: hash.digest('hex') };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Resolves with the code of the error that ends the socket, or 'none' when it closes without. */
export function ending(socket: TcpSocket): Promise<string> {
  return new Promise((resolve) => {
    let code = 'none';
    socket.once('error', (error: NodeJS.ErrnoException) => {
      code = error.code ?? error.name;
    });
    socket.once('close', () => resolve(code));
  });
}
