/**
 * `latchkey connector`: joins with a token the first time and by what it kept afterwards, and publishes what it was told
 * to expose. Everything it learns that it needs again stands in its state file before it is used.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { parseConnectorToken } from '../channel/connector-token.ts';
import { exporterOf, type MachineEvidence, readMachine, signEvidence } from '../channel/machine-evidence.ts';
import type { Logger } from '../log.ts';
import { makePrivateFolder } from '../store/files.ts';
import { type Connector, startConnector } from './connector.ts';
import { dialer, fetchAuthority, parseControlAddress } from './control-address.ts';
import type { ExposedTarget } from './expose.ts';
import { type ConnectorState, readState, writeState } from './kept-state.ts';
import { ServiceDoor, toTcp } from './service-door.ts';
import { workloadsOf } from './workload.ts';

export interface RunConnectorOptions {
  /** The connector's own folder. */
  readonly folder: string;
  readonly token: string | undefined;
  readonly exposes: readonly ExposedTarget[];
  readonly bind: string;
  /** Files of an X.509 certificate that this machine has of its owner, and of its key; PEM. */
  readonly machine?: { readonly cert: string; readonly key: string } | undefined;
  readonly mtu: number;
  readonly log: Logger;
}

/** Neither a token nor anything kept, or a token that is none. */
export class NotJoinedError extends Error {
  readonly code: 'token_malformed' | 'token_missing' | 'token_other';
  constructor(code: NotJoinedError['code'], message: string) {
    super(message);
    this.name = 'NotJoinedError';
    this.code = code;
  }
}

/** Resolves when it serves. @throws NotJoinedError, ControlAddressError, ConnectorError, StateError, MachineError */
export async function runConnector(options: RunConnectorOptions): Promise<Connector & { readonly name: string }> {
  const { folder, exposes, log } = options;
  makePrivateFolder(folder);
  // Once before anything is said, for a clear error; then at each connection, since certificates are renewed.
  if (options.machine !== undefined) readMachine(options.machine, readText);
  const file = join(folder, 'connector.json');
  let state = await firstState(readState(file), options.token);
  const keep = (change: Partial<ConnectorState>) => {
    state = { ...state, ...change };
    writeState(file, state);
  };
  const address = parseControlAddress(state.control);
  const doors = exposes.map((target) => new ServiceDoor(target.name, state.trustDomain, toTcp(target), log));
  const connector = await startConnector({
    name: state.name,
    dial: dialer(address, state.authority, state.trustDomain, () =>
      state.svid === undefined ? undefined : { key: state.key, cert: state.svid },
    ),
    ...{ token: state.credential, id: state.id },
    onCredential: ({ token, id }) => keep({ credential: token, id }),
    onWelcome: (welcome) => {
      if (welcome.svid !== undefined) keep({ svid: welcome.svid });
      for (const door of doors) door.identify(state.key, welcome);
    },
    keyFile: join(folder, 'wireguard.pem'),
    certificateKey: publicOf(state.key),
    evidence: (socket, wireguardKey) => evidenceOf(options, socket, wireguardKey, publicOf(state.key)),
    workloads: () => seen(exposes, log),
    exposes: exposes.map(({ name, scheme, tunnelPort }, at) => ({
      ...{ name, scheme, port: tunnelPort },
      serve: (socket) => doors[at]?.serve(socket),
    })),
    wireguard: { bind: options.bind, mtu: options.mtu, announce: false },
    log,
  });
  return { ...connector, name: state.name };
}

/** Told, so that an administrator can ask for it. */
function seen(exposes: readonly ExposedTarget[], log: Logger): string[][] {
  const workloads = workloadsOf(exposes);
  for (const [at, { name }] of exposes.entries())
    log.info({ service: name, workload: workloads[at] }, 'what the service is published from');
  return workloads;
}

/** Nothing on this machine's own socket, where there is no TLS to bind it to. */
function evidenceOf(
  { machine, log }: RunConnectorOptions,
  socket: Socket,
  wireguardKey: Uint8Array,
  certificateKey: string,
): MachineEvidence | undefined {
  if (machine === undefined || !(socket instanceof TLSSocket)) return undefined;
  try {
    const binding = { wireguardKey, certificateKey: Buffer.from(certificateKey, 'base64url') };
    return signEvidence(readMachine(machine, readText), { ...binding, exporter: exporterOf(socket) });
  } catch (error) {
    log.error({ err: error }, 'the certificate of this machine is not shown');
    return undefined;
  }
}

const readText = (path: string): string => readFileSync(path, 'utf8');

async function firstState(kept: ConnectorState | undefined, token: string | undefined): Promise<ConnectorState> {
  if (token === undefined) {
    if (kept === undefined)
      throw new NotJoinedError('token_missing', 'This connector has not joined yet: start it with --token.');
    return kept;
  }
  const parsed = parseConnectorToken(token);
  if (parsed === undefined)
    throw new NotJoinedError('token_malformed', 'The token is not one of "latchkey connector add".');
  if (kept !== undefined && kept.name !== parsed.name)
    throw new NotJoinedError(
      'token_other',
      `The token is for "${parsed.name}", but this folder is the connector "${kept.name}".`,
    );
  // The same token again after it was used is how a service manager restarts a connector.
  if (kept?.id !== undefined) return kept;
  const address = parseControlAddress(parsed.control);
  const authority = address.kind === 'unix' ? undefined : await fetchAuthority(address, parsed.authority);
  const { privateKey } = generateKeyPairSync('ed25519');
  return {
    name: parsed.name,
    control: parsed.control,
    trustDomain: parsed.trustDomain,
    ...(authority !== undefined && { authority }),
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    credential: parsed.secret,
  };
}

function publicOf(key: string): string {
  return createPublicKey(createPrivateKey(key)).export({ format: 'jwk' }).x ?? '';
}
