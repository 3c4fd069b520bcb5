/** `latchkey doctor`: from what is written down to what browsers find. Each check stands alone and says what to do. */
import { lookup } from 'node:dns/promises';
import { adminRequest } from '../channel/admin-client.ts';
import { type Config, dataPaths } from '../config.ts';
import { fipsNote } from '../wireguard/fips-note.ts';
import { checkFiles } from './certificates.ts';
import { checkDataPlane } from './data-plane.ts';
import { type Finding, ok, warn } from './finding.ts';
import { checkNetwork } from './network.ts';
import { checkSettings } from './settings.ts';
import { aheadOfServer, judgeClock } from './time-probe.ts';

export interface DoctorOptions {
  /** On another machine than the server, with its configuration: what the network shows, and nothing of its files. */
  readonly remote: boolean;
  /** A time server to compare the clock with. */
  readonly timeServer: string | undefined;
}

export async function examine(config: Config, { remote, timeServer }: DoctorOptions): Promise<Finding[]> {
  const running = remote ? undefined : await fingerprintHere(config);
  return [
    ...checkSettings(config),
    ...(remote ? [] : checkFiles(config, Date.now())),
    ...(timeServer === undefined ? [] : [await checkTime(timeServer)]),
    ...(remote ? [] : [...(await checkDataPlane(config)), ok('fips', fipsNote(config))]),
    ...(remote ? [] : [checkRunning(running)]),
    ...(remote || running !== undefined ? await checkNetwork(config, running) : []),
  ];
}

async function fingerprintHere(config: Config): Promise<string | undefined> {
  const answer = await adminRequest(dataPaths.adminSocket(config), 'GET', '/admin/status').catch(() => undefined);
  return typeof answer?.['fingerprint'] === 'string' ? answer['fingerprint'] : undefined;
}

function checkRunning(fingerprint: string | undefined): Finding {
  if (fingerprint !== undefined) return ok('running', 'Latchkey is running here.');
  return warn('running', 'Latchkey is not running here, so the network was not looked at.', 'Start it and look again.');
}

async function checkTime(server: string): Promise<Finding> {
  const [host = '', port = '123'] = server.split(':');
  const found = await lookup(host).catch(() => undefined);
  const ahead = found === undefined ? undefined : await aheadOfServer(found.address, Number(port));
  if (ahead === undefined)
    return warn('clock', `The time server ${server} does not answer.`, 'Name another one, or let UDP to it through.');
  return judgeClock(ahead, server);
}
