/**
 * What `--expose` says: `NAME=HOST:PORT`, or `NAME=SCHEME://HOST:PORT` for anything but http. The name becomes the
 * service's; the host is one that this machine reaches, and never leaves it.
 */
import { isIP } from 'node:net';
import { nameField } from '../channel/fields.ts';
import type { ServiceScheme } from '../channel/snapshot-content.ts';

/** What a connector can carry: TCP of any kind. */
const schemes: readonly ServiceScheme[] = ['http', 'https', 'tcp', 'ssh', 'vnc', 'rdp'];
/** Ports on the tunnel address, where nothing else is: one after the other from here. */
const firstPort = 20_000;

export interface ExposedTarget {
  readonly name: string;
  readonly scheme: ServiceScheme;
  readonly host: string;
  readonly port: number;
  readonly tunnelPort: number;
}

/** An `--expose` that cannot be used. The message says which and why. */
export class ExposeError extends Error {
  readonly code = 'expose_malformed';
  constructor(given: string, why: string) {
    super(`--expose ${given}: ${why}.`);
    this.name = 'ExposeError';
  }
}

/** @throws ExposeError */
export function parseExposes(given: readonly string[]): ExposedTarget[] {
  const targets = given.map(parseOne);
  const twice = targets.find(({ name }, at) => targets.findIndex((other) => other.name === name) !== at);
  if (twice !== undefined) throw new ExposeError(twice.name, 'the name is given twice');
  return targets;
}

function parseOne(given: string, index: number): ExposedTarget {
  const match = /^([^=]+)=(?:([a-z]+):\/\/)?(?:\[([0-9a-fA-F:.]+)\]|([^:/\s[\]]+)):(\d{1,5})$/.exec(given);
  if (match === null) throw new ExposeError(given, 'it is NAME=HOST:PORT or NAME=SCHEME://HOST:PORT');
  const [, name = '', scheme = 'http', ip6, plain = ''] = match;
  const port = Number(match[5]);
  if (!nameField.safeParse(name).success)
    throw new ExposeError(given, 'the name is 1 to 63 lower-case letters, digits and dashes');
  const known = schemes.find((one) => one === scheme);
  if (known === undefined) throw new ExposeError(given, `the scheme is one of ${schemes.join(', ')}`);
  if (ip6 !== undefined && isIP(ip6) !== 6) throw new ExposeError(given, 'the address in brackets is not IPv6');
  if (port < 1 || port > 65_535) throw new ExposeError(given, 'the port is a number from 1 to 65535');
  return { name, scheme: known, host: ip6 ?? plain, port, tunnelPort: firstPort + index };
}
