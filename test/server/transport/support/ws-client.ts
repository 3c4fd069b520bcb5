/** A Carrier over a `ws` client, for the tests. */
import type { WebSocket } from 'ws';
import type { Carrier } from '../../../../protocol/carrier.ts';
import { DialRefused, dialCarrier } from '../../../e2e/support/node-carrier.ts';

/** Rejects with `{ code: 'refused', status }` when the server answers with a status. */
export async function connectWs(
  port: number,
  origin: string,
  path = '/tunnel',
): Promise<Carrier & { webSocket: WebSocket }> {
  const { webSocket, carrier } = await dialCarrier(port, { origin, path }).catch((error: unknown) => {
    if (!(error instanceof DialRefused)) throw error;
    throw Object.assign(error, { code: 'refused', status: String(error.status) });
  });
  return Object.assign(carrier, { webSocket });
}
