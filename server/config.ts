/**
 * Every number and name an operator may set: defaults, then `latchkey.yaml`, then the environment, then flags.
 * The one file of the server that reads `process.env`. Unknown keys are refused, so that a typing error is not a default.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { engineNames } from './transport/engines.ts';

const seconds = z.number().int().positive();
const port = z.number().int().min(0).max(65_535);
const hostName = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'is not a host name in lower case');

const configSchema = z.strictObject({
  /** The folder of everything this installation keeps: database, keys, sockets. Mode 0700. */
  data: z.string().default('.latchkey'),
  /** TCP for the pages and the API, UDP on the same number for QUIC. 0 takes a free one. */
  port: port.default(8700),
  /** The address the TCP and UDP ports are bound to. */
  bind: z.string().default('127.0.0.1'),
  scheme: z.enum(['http', 'https']).default('http'),
  hubHost: hostName.default('hub.localhost'),
  appsDomain: hostName.default('apps.localhost'),
  /** WebAuthn relying party id: the hub's host or a parent of it. */
  rpId: hostName.default('hub.localhost'),
  trustDomain: hostName.default('latchkey.local'),
  /** Folder of the built browser files, when it is not the project's own `dist`. */
  assets: z.string().default(resolve(import.meta.dirname, '../dist')),
  wireguard: z
    .strictObject({
      port: port.default(51_820),
      bind: z.string().default('0.0.0.0'),
      address4: z.ipv4().default('100.100.0.1'),
      address6: z.ipv6().default('fd6c:6b::1'),
      subnet4: z.cidrv4().default('100.100.0.0/16'),
      subnet6: z.cidrv6().default('fd6c:6b::/48'),
      mtu: z.number().int().min(1_280).max(9_000).default(1_420),
      /** How often a connector's pre-shared key is exchanged anew: as often as WireGuard makes sessions. */
      pskRenewS: seconds.default(120),
    })
    .prefault({}),
  /** Where connectors on other machines reach the control plane, over TLS. Without a port nothing listens. */
  channel: z
    .strictObject({
      port: port.optional(),
      bind: z.string().default('0.0.0.0'),
      /** The name or address that connectors are told; the hub's host when it is not said. */
      host: z.string().max(253).optional(),
    })
    .prefault({}),
  timers: z
    .strictObject({
      rekeyAfterS: seconds.default(120),
      rejectAfterS: seconds.default(180),
      rekeyAfterBytes: z
        .number()
        .int()
        .min(2 ** 20)
        .max(2 ** 36)
        .default(2 ** 30),
      credentialS: seconds.default(600),
      /** How long a session is kept, carrying nothing, after its credential has ended: time to sign in again. */
      reauthGraceS: z.number().int().min(0).max(3_600).default(240),
      launchLeaseS: seconds.default(43_200),
      loginLeaseS: seconds.default(28_800),
      enrolmentS: seconds.default(86_400),
      /** A gateway that has not heard from the control plane for this long takes no new sessions. */
      freshnessS: seconds.default(60),
      postureMaxAgeS: seconds.default(28_800),
    })
    .prefault({}),
  /** Limits of the gateway's process: whoever exceeds one is ended and started again. */
  gateway: z
    .strictObject({
      /** Objects of JavaScript's. */
      heapMiB: z.number().int().min(64).default(1_024),
      /** Everything, native code's buffers included. */
      memoryMiB: z.number().int().min(128).default(2_048),
      /** Without a sign of life. Far above what a busy machine does to a healthy process. */
      silentS: seconds.default(30),
    })
    .prefault({}),
  /** The engine that speaks QUIC; `auto` takes the first that loads here, `off` none: the tunnel runs over WebSocket. */
  webTransport: z.enum(['auto', 'off', ...engineNames]).default('auto'),
  /** Start the demo connector while no service is defined. */
  demo: z.boolean().default(true),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export type Config = z.infer<typeof configSchema>;

/** A setting that cannot be used. The message names the key and says what is wrong with it. */
export class ConfigError extends Error {
  readonly code = 'config_invalid';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConfigError';
  }
}

/** What flags may override; `undefined` leaves the file's or the environment's word. */
export interface ConfigFlags {
  readonly data?: string | undefined;
  readonly port?: number | undefined;
  readonly file?: string | undefined;
}

/** Environment variables and the setting each of them is. Numbers are decimal. */
const environment = {
  LATCHKEY_DATA: ['data'],
  LATCHKEY_PORT: ['port'],
  LATCHKEY_BIND: ['bind'],
  LATCHKEY_ASSETS: ['assets'],
  LATCHKEY_LOG_LEVEL: ['logLevel'],
  LATCHKEY_DEMO: ['demo'],
  LATCHKEY_WEBTRANSPORT: ['webTransport'],
  LATCHKEY_GATEWAY_MEMORY_MIB: ['gateway', 'memoryMiB'],
  LATCHKEY_GATEWAY_SILENT_S: ['gateway', 'silentS'],
  LATCHKEY_WIREGUARD_PORT: ['wireguard', 'port'],
  LATCHKEY_WIREGUARD_BIND: ['wireguard', 'bind'],
  LATCHKEY_REKEY_AFTER_S: ['timers', 'rekeyAfterS'],
  LATCHKEY_REJECT_AFTER_S: ['timers', 'rejectAfterS'],
  LATCHKEY_CREDENTIAL_S: ['timers', 'credentialS'],
  LATCHKEY_REAUTH_GRACE_S: ['timers', 'reauthGraceS'],
  LATCHKEY_LAUNCH_LEASE_S: ['timers', 'launchLeaseS'],
  LATCHKEY_ENROLMENT_S: ['timers', 'enrolmentS'],
} as const satisfies Record<string, readonly string[]>;

/**
 * Reads the configuration in force.
 * @throws ConfigError with one sentence naming the setting.
 */
export function loadConfig(flags: ConfigFlags = {}): Config {
  const raw = { ...readFile(flags.file) };
  for (const [name, path] of Object.entries(environment)) applyVariable(raw, path, process.env[name]);
  if (flags.data !== undefined) raw['data'] = flags.data;
  if (flags.port !== undefined) raw['port'] = flags.port;
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ConfigError(`The setting ${issue?.path.join('.') || 'file'} cannot be used: ${issue?.message}.`);
  }
  return { ...parsed.data, data: resolve(parsed.data.data) };
}

function readFile(named: string | undefined): Record<string, unknown> {
  const file = named ?? 'latchkey.yaml';
  if (!existsSync(file)) {
    if (named !== undefined) throw new ConfigError(`The configuration file ${named} does not exist.`);
    return {};
  }
  try {
    return (parse(readFileSync(file, 'utf8')) ?? {}) as Record<string, unknown>;
  } catch (cause) {
    throw new ConfigError(`The configuration file ${file} is not valid YAML.`, { cause });
  }
}

function applyVariable(raw: Record<string, unknown>, path: readonly string[], value: string | undefined): void {
  if (value === undefined || value === '') return;
  const [first, second] = path;
  if (first === undefined) return;
  const typed = /^\d+$/.test(value) ? Number(value) : value === 'true' ? true : value === 'false' ? false : value;
  if (second === undefined) raw[first] = typed;
  else raw[first] = { ...(raw[first] as Record<string, unknown> | undefined), [second]: typed };
}

/** The three kinds of origin, as browsers spell them. */
export const origins = {
  hub: (config: Config) => origin(config, config.hubHost),
  shell: (config: Config) => origin(config, `shell.${config.appsDomain}`),
  /** @param label the service's name, or a random label for guests. */
  app: (config: Config, label: string) => origin(config, `${label}.${config.appsDomain}`),
};

function origin(config: Config, host: string): string {
  const standard = config.scheme === 'http' ? 80 : 443;
  return `${config.scheme}://${host}${config.port === standard ? '' : `:${config.port}`}`;
}

/** Where the parts of one installation meet, all inside the data folder. */
export const dataPaths = {
  controlSocket: (config: Pick<Config, 'data'>) => join(config.data, 'control.sock'),
  adminSocket: (config: Pick<Config, 'data'>) => join(config.data, 'admin.sock'),
};
