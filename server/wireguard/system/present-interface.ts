/**
 * The way to a WireGuard interface of the system: wireguard-go's control socket where there is one (uapi.ts), otherwise
 * wg(8), which speaks to the kernel (wg-tool.ts).
 */
import { existsSync } from 'node:fs';
import type { WireGuardInterface } from './interface.ts';
import { controlSocketOf, UapiInterface } from './uapi.ts';
import { WgToolInterface } from './wg-tool.ts';

/** @param name of an interface, which need not be there yet. */
export function interfaceOf(name: string): WireGuardInterface {
  const [uapi, tool] = [new UapiInterface(name), new WgToolInterface(name)];
  // Looked at each time: the interface may come again as one of the other kind.
  const present = () => (existsSync(controlSocketOf(name)) ? uapi : tool);
  return { read: () => present().read(), write: (change) => present().write(change) };
}
