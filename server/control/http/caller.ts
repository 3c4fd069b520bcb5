/** The address of whoever made a request, found once by the front and asked for where rates are limited. */
import type { IncomingMessage } from 'node:http';

const callers = new WeakMap<object, string>();

export function noteCaller(request: IncomingMessage, address: string): void {
  callers.set(request, address);
}

/** The connection's own where nobody noted another. */
export function addressOf(request: Pick<IncomingMessage, 'socket'>): string {
  return callers.get(request) ?? request.socket.remoteAddress ?? 'unknown';
}
