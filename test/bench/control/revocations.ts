/** A thousand open streams on loopback; device after device is revoked, and each of its sessions is timed to its end. */

import { encodeRequestHead } from '../../../protocol/exchange/http.ts';
import { World } from '../../server/gateway/world/world.ts';
import { quantile } from './quantile.ts';

const [devices, streamsEach] = [100, 10];

/** Milliseconds from the signing of the revocation to the end of the session at its client. */
export async function revocationMs(): Promise<{ p99: number; max: number }> {
  // Answers begin and do not end.
  const world = await World.open((_request, response) => void response.write('a'));
  try {
    const sessions = [];
    for (let n = 0; n < devices; n++) {
      const device = `device${n}`;
      const session = await world.client({ svid: { spiffeId: `spiffe://latchkey.local/user/ada/device/${device}` } });
      for (let s = 0; s < streamsEach; s++) {
        const stream = await session.open({ kind: 'http', service: 'wiki' });
        await stream.write(encodeRequestHead({ method: 'GET', target: '/', headers: [] }));
        await stream.finish();
        await stream.read();
      }
      sessions.push({ device, session });
    }
    const times: number[] = [];
    const revoked: { kind: 'device'; id: Uint8Array }[] = [];
    for (const [n, { device, session }] of sessions.entries()) {
      revoked.push({ kind: 'device', id: new TextEncoder().encode(device) });
      const begun = performance.now();
      await world.authority.revoke(revoked, BigInt(n + 2));
      await session.closed;
      times.push(performance.now() - begun);
    }
    return { p99: quantile(times, 0.99), max: Math.max(...times) };
  } finally {
    await world.close();
  }
}
