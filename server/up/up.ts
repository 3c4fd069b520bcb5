/**
 * `latchkey up`: one command that runs the control plane, the gateway and, while no service is defined, the demo
 * connector, each in a process of its own. The supervisor owns the public port and the one-time tokens, no keys.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { adminRequest } from '../channel/admin-client.ts';
import { type Config, dataPaths, origins, withoutStorePassword } from '../config.ts';
import { type Logger, logger } from '../log.ts';
import { Proxies } from '../tls/proxies.ts';
import type { PartEnd, StartMessage } from './child.ts';
import { type FrontDoor, openFrontDoor } from './front-door.ts';
import { Part } from './part.ts';

/** Everything serves. The JSON line of `--json` is this object. */
export interface ReadyEvent {
  readonly event: 'ready';
  readonly hub: string;
  /** The one-time admin link; null once an admin exists. */
  readonly enrol: string | null;
  readonly port: number;
  readonly wireguard: { readonly port: unknown; readonly publicKey: unknown };
  readonly pids: Readonly<Record<string, number | undefined>>;
}

export type UpEvent =
  | ReadyEvent
  | { readonly event: 'restarted'; readonly part: string; readonly pid: number | undefined; readonly after: PartEnd };

/** A start that cannot be: the port is taken, or the folder already has a supervisor. */
export class UpError extends Error {
  readonly code: 'port_in_use' | 'port_refused' | 'already_running';
  constructor(code: UpError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UpError';
    this.code = code;
  }
}

export interface Up {
  readonly ready: ReadyEvent;
  stop(): Promise<void>;
}

/**
 * For the processes that move packets. Each packet leaves a few small objects, each with kilobytes outside of the heap
 * that go only when they do. Over a first download of 64 MiB the gateway grew by 60 to 110 MiB with V8's own size for
 * young objects and by 25 to 45 MiB with this one, at about 60 % of the processor time for each byte.
 */
const smallYoungGeneration = ['--max-semi-space-size=2'];

/** A gateway that starts waits for the control plane and opens its ports: seconds, on any machine. */
const restartS = 60;

/** Starts everything and resolves when it serves. */
export async function up(asked: Config, tell: (event: UpEvent) => void): Promise<Up> {
  const log = logger('up');
  prepareData(asked);
  await refuseSecond(asked);
  const parts: { control?: Part; gateway?: Part; connector?: Part } = {};
  const door = await openDoor(asked, (owner, socket, head) => parts[owner]?.hand(socket, head) ?? false);
  const config: Config = { ...asked, port: door.port };
  try {
    const ready = await startAll(config, parts, log, tell);
    tell(ready);
    return { ready, stop: () => stopAll(parts, door) };
  } catch (error) {
    await stopAll(parts, door);
    throw error;
  }
}

function prepareData(config: Config): void {
  mkdirSync(config.data, { recursive: true, mode: 0o700 });
  chmodSync(config.data, 0o700);
}

async function refuseSecond(config: Config): Promise<void> {
  const answer = await adminRequest(dataPaths.adminSocket(config), 'GET', '/admin/status').catch(() => undefined);
  if (answer !== undefined)
    throw new UpError(
      'already_running',
      `Latchkey is already running in ${config.data}; stop it or choose another --data.`,
    );
}

async function openDoor(config: Config, hand: Parameters<typeof openFrontDoor>[1]): Promise<FrontDoor> {
  try {
    const tunnelName = config.tls === undefined ? undefined : new URL(origins.tunnel(config)).hostname;
    const proxies = new Proxies(config.trustedProxies);
    return await openFrontDoor({ port: config.port, host: config.bind, tunnelName, proxies }, hand);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE')
      throw new UpError('port_in_use', `Port ${config.port} is in use; choose another with --port N.`, { cause });
    throw new UpError('port_refused', `Port ${config.port} cannot be opened (${code}); choose another with --port N.`, {
      cause,
    });
  }
}

async function startAll(
  config: Config,
  parts: { control?: Part; gateway?: Part; connector?: Part },
  log: Logger,
  tell: (event: UpEvent) => void,
): Promise<ReadyEvent> {
  const file = (part: string) => join(import.meta.dirname, '..', part, 'main.ts');
  const restarted = (part: 'control' | 'gateway' | 'connector') => (_info: Record<string, unknown>, after: PartEnd) =>
    tell({ event: 'restarted', part, pid: parts[part]?.pid, after });
  const without = withoutStorePassword(config);
  const fresh = { gateway: newToken(), connector: newToken() };
  // The first start uses the tokens the control plane was started with; a later one announces a new token first.
  const tokenFor = (role: 'gateway' | 'connector') => {
    const token = fresh[role];
    fresh[role] = newToken();
    parts.control?.send({ type: 'tokens', tokens: { [role]: fresh[role] } });
    return token;
  };

  parts.control = new Part({
    name: 'control plane',
    file: file('control'),
    log,
    start: (): StartMessage => ({ type: 'start', config, tokens: { ...fresh } }),
    onRestart: restarted('control'),
  });
  const control = await parts.control.start();

  parts.gateway = new Part({
    name: 'gateway',
    file: file('gateway'),
    // The process that speaks QUIC has limits of its own (docs/decisions/0007-the-gateway-is-watched.md).
    nodeFlags: [`--max-old-space-size=${config.gateway.heapMiB}`, ...smallYoungGeneration],
    watch: { memoryBytes: config.gateway.memoryMiB * 2 ** 20, silentS: config.gateway.silentS, startS: restartS },
    log,
    start: (): StartMessage => ({ type: 'start', config: without, token: tokenFor('gateway') }),
    onRestart: restarted('gateway'),
  });
  const gateway = await parts.gateway.start();

  if (config.demo && control['services'] === 0) {
    parts.connector = new Part({
      name: 'connector',
      file: file('connector'),
      nodeFlags: smallYoungGeneration,
      log,
      start: (): StartMessage => ({ type: 'start', config: without, token: tokenFor('connector') }),
      onRestart: restarted('connector'),
    });
    await parts.connector.start();
  }

  return {
    event: 'ready',
    hub: `${origins.hub(config)}/`,
    enrol: await firstEnrolment(config),
    port: config.port,
    wireguard: { port: gateway['wireguardPort'], publicKey: gateway['wireguardKey'] },
    pids: { control: parts.control.pid, gateway: parts.gateway.pid, connector: parts.connector?.pid },
  };
}

async function firstEnrolment(config: Config): Promise<string | null> {
  const answer = await adminRequest(dataPaths.adminSocket(config), 'POST', '/admin/enrolments/first', {});
  return typeof answer['url'] === 'string' ? answer['url'] : null;
}

/** Services first, so that nobody is told of a session whose decisions can no longer be recorded. */
async function stopAll(parts: { control?: Part; gateway?: Part; connector?: Part }, door: FrontDoor): Promise<void> {
  door.close();
  await parts.connector?.stop();
  await parts.gateway?.stop();
  await parts.control?.stop();
}

function newToken(): string {
  return randomBytes(32).toString('base64url');
}
