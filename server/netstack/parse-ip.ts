/** An arrived packet, read as its version says: by ip4.ts or ip6.ts. */
import type { DropReason, IpView } from './ip-packet.ts';
import { parseIp4 } from './ip4.ts';
import { parseIp6 } from './ip6.ts';

/**
 * Reads a hostile packet.
 * @returns null, or why it must be dropped; then the view means nothing.
 */
export function parseIp(bytes: Uint8Array, view: IpView): DropReason | null {
  const version = bytes.length === 0 ? 0 : bytes[0]! >>> 4;
  if (version === 4) return parseIp4(bytes, view);
  if (version === 6) return parseIp6(bytes, view);
  return 'malformed';
}
