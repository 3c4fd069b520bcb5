/** Which kinds of streams a service takes. The gateway holds each OPEN against it, and a launch is judged for all of them. */
import type { StreamKind } from '../../protocol/codes.ts';
import type { ServiceRecord } from '../channel/snapshot-content.ts';

/** Never empty. */
export function kindsOf(scheme: ServiceRecord['scheme']): readonly StreamKind[] {
  switch (scheme) {
    case 'http':
    case 'https':
      return ['http', 'websocket'];
    case 'udp':
      return ['udp'];
    default:
      return ['tcp'];
  }
}
