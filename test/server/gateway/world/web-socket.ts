/** The client's end of the WebSocket transport, by `ws`. */
import type { WebSocket } from 'ws';
import type { Carrier } from '../../../../protocol/carrier.ts';
import { carry, dialWebSocket } from '../../../e2e/support/node-carrier.ts';
import type { World } from './world.ts';

/** @throws DialRefused, or the system's error */
export async function connectWebSocket({
  tcpPort,
  shellOrigin,
}: Pick<World, 'tcpPort' | 'shellOrigin'>): Promise<Carrier & { raw: WebSocket }> {
  const raw = await dialWebSocket(tcpPort, { origin: shellOrigin, host: new URL(shellOrigin).host });
  return Object.assign(carry(raw), { raw });
}
