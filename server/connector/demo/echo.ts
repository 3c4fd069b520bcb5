/** The demo service's WebSocket: every message comes back as it was. */
import type { WebSocket } from 'ws';

export function echo(socket: WebSocket): void {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  socket.on('error', () => socket.terminate());
}
