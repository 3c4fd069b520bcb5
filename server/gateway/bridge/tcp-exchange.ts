/**
 * One TCP connection: bytes both ways, each direction with its own end. The client's FIN ends our writing to the
 * service and leaves its answer flowing; a connection that breaks is a reset, never an end of file.
 */
import type { Duplex } from 'node:stream';
import { BridgeError, type ExchangeOutcome, type TunnelStream } from './tunnel-stream.ts';
import { streamCodeOf } from './upstream-error.ts';

/**
 * @param socket a connection that stands; this owns it from now on.
 * @throws whatever broke the connection; the stream has then been reset with its code.
 */
export async function serveTcp(stream: TunnelStream, socket: Duplex): Promise<ExchangeOutcome> {
  const moved = { bytesUp: 0, bytesDown: 0, isDownDone: false };
  // The service may end its direction while the client still speaks.
  socket.allowHalfOpen = true;
  // Over before the service was: the client broke off, and nobody waits for what the service may still say.
  void stream.closed.then(() => {
    if (!moved.isDownDone) cut(socket);
  });
  try {
    await Promise.all([up(stream, socket, moved), down(stream, socket, moved)]);
    return { bytesUp: moved.bytesUp, bytesDown: moved.bytesDown };
  } catch (error) {
    stream.reset(streamCodeOf(error));
    cut(socket);
    throw error;
  } finally {
    socket.destroy();
  }
}

/** A reset where the socket has one: what was cut must not look complete to the service either. */
function cut(socket: Duplex): void {
  if ('resetAndDestroy' in socket && typeof socket.resetAndDestroy === 'function') socket.resetAndDestroy();
  else socket.destroy(new BridgeError('cancelled'));
}

async function up(stream: TunnelStream, socket: Duplex, moved: { bytesUp: number }): Promise<void> {
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    moved.bytesUp += chunk.length;
    await write(socket, chunk);
  }
  socket.end();
}

async function down(
  stream: TunnelStream,
  socket: Duplex,
  moved: { bytesDown: number; isDownDone: boolean },
): Promise<void> {
  // Leaving the loop by an error destroys the socket, which is what such a connection deserves. The end of its data
  // must not: the other direction may still be open.
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    moved.bytesDown += chunk.length;
    await stream.write(chunk);
  }
  if (!socket.readableEnded) throw new BridgeError('upstream_failed');
  moved.isDownDone = true;
  await stream.finish();
}

function write(socket: Duplex, chunk: Uint8Array): Promise<void> {
  // The callback comes when the bytes are accepted below, which is the pace we owe the client.
  return new Promise((resolve, reject) => {
    socket.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}
