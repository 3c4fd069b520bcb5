/**
 * Every number and name an operator may set: defaults, then `latchkey.yaml`, then the environment, then flags.
 * The one file of the server that reads `process.env`. Unknown keys are refused, so that a typing error is not a default.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { oidcSchema } from './oidc-settings.ts';
import { samlSchema } from './saml-settings.ts';
import { postgresUrlFault, withoutPassword } from './store/postgres-url.ts';
import { engineNames } from './transport/engines.ts';

const seconds = z.number().int().positive();
/** What one timer waits for: past 2^31 - 1 ms, 24.8 days, it would be over at once. */
const timed = seconds.max(14 * 86_400, 'is two weeks (1209600) at most');
const port = z.number().int().min(0).max(65_535);
const hostName = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'is not a host name in lower case');

const certificateFiles = z.strictObject({
  /** PEM: the certificate with its intermediates behind it, as ACME clients write `fullchain.pem`. */
  certificate: z.string().transform((file) => resolve(file)),
  /** PEM, without a passphrase. */
  key: z.string().transform((file) => resolve(file)),
});

const fields = z.strictObject({
  /** The folder of everything this installation keeps: database, keys, sockets. Mode 0700. */
  data: z.string().default('.latchkey'),
  /**
   * `sqlite`, a file in that folder, or a `postgres://` URL (store/postgres-url.ts), which several control planes may share
   * (docs/decisions/0013-two-stores.md).
   */
  store: z
    .string()
    .superRefine((text, context) => {
      const message = text === 'sqlite' ? undefined : postgresUrlFault(text);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .default('sqlite'),
  /** TCP for the pages and the API, UDP on the same number for QUIC. 0 takes a free one. */
  port: port.default(8700),
  /** The address the TCP and UDP ports are bound to. */
  bind: z.string().default('127.0.0.1'),
  /** What browsers use instead of `port`, where something forwards to it. */
  publicPort: port.optional(),
  /** `https` by itself where `tls` is set; set it alone behind a proxy that ends TLS. */
  scheme: z.enum(['http', 'https']).default('http'),
  /** TLS of our own, for the hub's host and for every name below the apps' domain. Renewed files are taken as they come. */
  tls: z
    .strictObject({
      hub: certificateFiles,
      /** For `*.<appsDomain>`. */
      apps: certificateFiles,
      /**
       * How browsers know WebTransport's certificate. `certificate`: it is the one for the apps, as any website's.
       * `hashes`: one of our own making, named by its hash. `auto`: the first when a public authority issued it, since
       * Chromium takes QUIC from no other.
       */
      webTransport: z.enum(['auto', 'certificate', 'hashes']).default('auto'),
    })
    .optional(),
  /** Reverse proxies that may say X-Forwarded-For and X-Forwarded-Proto, as CIDR. Nobody else is believed. */
  trustedProxies: z.array(z.union([z.cidrv4(), z.cidrv6()])).default([]),
  /** UDP for QUIC, where it is not the same as TCP: behind a proxy that takes TCP alone. */
  udp: z.strictObject({ bind: z.string().optional(), port: port.optional(), publicPort: port.optional() }).prefault({}),
  hubHost: hostName.default('hub.localhost'),
  appsDomain: hostName.default('apps.localhost'),
  /** WebAuthn relying party id: the hub's host or a parent of it. */
  rpId: hostName.default('hub.localhost'),
  /** Whom people ask when something fails, as they read it; an https or mail address in it becomes a link. */
  contact: z
    .string()
    .max(200)
    .regex(/^[^\p{Cc}\p{Bidi_Control}]*$/u, 'is one line of text')
    .default(''),
  trustDomain: hostName.default('latchkey.local'),
  passkeys: z
    .strictObject({
      /**
       * Files of X.509 authorities, PEM, of makers of authenticators. Where there is one, a new passkey is asked for attestation,
       * and what leads to one of them is `attested` to policies.
       */
      roots: z.array(z.string().min(1)).max(64).default([]),
    })
    .prefault({}),
  /** An OpenID provider that people of enrolled devices may sign in at, beside their passkeys. */
  oidc: oidcSchema.optional(),
  /** A SAML identity provider, likewise. */
  saml: samlSchema.optional(),
  /** Folder of the built browser files, when it is not the project's own `dist`. */
  assets: z.string().default(resolve(import.meta.dirname, '../dist')),
  wireguard: z
    .strictObject({
      /**
       * What carries the packets. `embedded`: a WireGuard peer and a TCP/IP stack of the gateway's own, without root.
       * `system`: an interface of the kernel's or wireguard-go's, which the gateway configures. `routed`: an interface of
       * another kind (IPsec, for one), where peers are names for addresses alone.
       */
      driver: z.enum(['embedded', 'system', 'routed']).default('embedded'),
      /** The interface of the other two. It is Latchkey's own: what else is configured on it is taken off. */
      interface: z
        .string()
        .regex(/^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,14}$/, 'is not the name of an interface')
        .optional(),
      port: port.default(51_820),
      bind: z.string().default('0.0.0.0'),
      address4: z.ipv4().default('100.100.0.1'),
      address6: z.ipv6().default('fd6c:6b::1'),
      subnet4: z.cidrv4().default('100.100.0.0/16'),
      subnet6: z.cidrv6().default('fd6c:6b::/48'),
      mtu: z.number().int().min(1_280).max(9_000).default(1_420),
      /** How often a connector's pre-shared key is exchanged anew: as often as WireGuard makes sessions. */
      pskRenewS: timed.default(120),
      /** How long the key before a rotation is served to peers that have not been told the new one. */
      keyOverlapS: timed.default(86_400),
    })
    .prefault({}),
  /** Where connectors on other machines reach the control plane, over TLS. Without a port nothing listens. */
  channel: z
    .strictObject({
      port: port.optional(),
      bind: z.string().default('0.0.0.0'),
      /** The name or address that connectors are told; the hub's host when it is not said. */
      host: z.string().max(253).optional(),
      /** Files of X.509 authorities, PEM, whose certificates are strong evidence of what a connector's machine is. */
      machines: z.array(z.string().min(1)).max(16).default([]),
    })
    .prefault({}),
  /** `GET /metrics` for Prometheus, on the loopback interface alone. Without a port nothing listens. */
  metrics: z.strictObject({ port: port.optional() }).prefault({}),
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
      /** A kiosk's visit in which nobody clicks or types for this long is over. */
      kioskIdleS: seconds.default(300),
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

const configSchema = fields.superRefine((config, context) => {
  const refuse = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
  if (config.tls !== undefined && config.scheme === 'http') refuse('scheme', 'has to be https where tls is set');
  if (config.scheme === 'https' && config.tls === undefined && config.trustedProxies.length === 0)
    refuse('scheme', 'https needs tls, or trustedProxies that end TLS in front of it');
  if (config.wireguard.driver !== 'embedded' && config.wireguard.interface === undefined)
    context.addIssue({ code: 'custom', path: ['wireguard', 'interface'], message: 'has to name one for this driver' });
  if (config.hubHost !== config.rpId && !config.hubHost.endsWith(`.${config.rpId}`))
    refuse('rpId', "has to be the hub's host or a parent of it");
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
  readonly store?: string | undefined;
}

/** Environment variables and the setting each of them is. Numbers are decimal. */
const environment = {
  LATCHKEY_DATA: ['data'],
  LATCHKEY_STORE: ['store'],
  LATCHKEY_PORT: ['port'],
  LATCHKEY_BIND: ['bind'],
  LATCHKEY_CONTACT: ['contact'],
  LATCHKEY_ASSETS: ['assets'],
  LATCHKEY_LOG_LEVEL: ['logLevel'],
  LATCHKEY_DEMO: ['demo'],
  LATCHKEY_WEBTRANSPORT: ['webTransport'],
  LATCHKEY_GATEWAY_MEMORY_MIB: ['gateway', 'memoryMiB'],
  LATCHKEY_GATEWAY_SILENT_S: ['gateway', 'silentS'],
  LATCHKEY_WIREGUARD_PORT: ['wireguard', 'port'],
  LATCHKEY_WIREGUARD_BIND: ['wireguard', 'bind'],
  LATCHKEY_METRICS_PORT: ['metrics', 'port'],
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
  if (flags.store !== undefined) raw['store'] = flags.store;
  // What follows from another setting, unless it is set itself.
  if (raw['tls'] !== undefined) raw['scheme'] ??= 'https';
  if (raw['hubHost'] !== undefined) raw['rpId'] ??= raw['hubHost'];
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ConfigError(`The setting ${issue?.path.join('.') || 'file'} cannot be used: ${issue?.message}.`);
  }
  return { ...parsed.data, data: resolve(parsed.data.data) };
}

/** For people to read, and for parts that do not open the store: without the password of its URL. */
export function withoutStorePassword(config: Config): Config {
  return { ...config, store: withoutPassword(config.store) };
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
  /**
   * Where WebSocket tunnels go. Behind TLS of our own it is a name beside the shell's: whose connection it is has to be
   * known before anything of it can be read.
   */
  tunnel: (config: Config) =>
    origin(config, `${config.tls === undefined ? 'shell' : tunnelLabel}.${config.appsDomain}`),
  /** @param label the service's name, or a random label for guests. */
  app: (config: Config, label: string) => origin(config, `${label}.${config.appsDomain}`),
};

/** No service is called so. */
export const tunnelLabel = 'tunnel';

function origin(config: Config, host: string): string {
  return `${config.scheme}://${host}${portSuffix(config)}`;
}

/** `:port` as browsers write it behind a host: nothing where it is the scheme's own. */
export function portSuffix({
  scheme,
  port: own,
  publicPort = own,
}: Pick<Config, 'scheme' | 'port' | 'publicPort'>): string {
  const standard = scheme === 'http' ? 80 : 443;
  return publicPort === standard ? '' : `:${publicPort}`;
}

/** Where the parts of one installation meet, all inside the data folder. */
export const dataPaths = {
  controlSocket: (config: Pick<Config, 'data'>) => join(config.data, 'control.sock'),
  adminSocket: (config: Pick<Config, 'data'>) => join(config.data, 'admin.sock'),
};
