/**
 * The control plane, put together: who may. It opens store and keys, lets gateways join, answers browsers and
 * administrators, and writes down every decision. Started by main.ts as a process, by tests inside one.
 */
import type { Server } from 'node:http';
import type { Clock } from '../../protocol/clock.ts';
import { AuditLog } from '../audit/log.ts';
import { type Config, dataPaths } from '../config.ts';
import { Counts } from '../counts.ts';
import type { Logger } from '../log.ts';
import { makePrivateFolder } from '../store/files.ts';
import { controlPaths } from '../store/paths.ts';
import { openStore } from '../store/store.ts';
import { Vault } from '../store/vault.ts';
import { JoinTokens, type PeerRole } from './channel-credentials.ts';
import { ChannelDesk } from './channel-desk.ts';
import { sealPlainKeys } from './connector-keys.ts';
import type { Context } from './context.ts';
import { Housekeeping } from './housekeeping.ts';
import { adminApp } from './http/admin-api.ts';
import { listenAdmin } from './http/admin-socket.ts';
import { closeFront, httpFront } from './http/front.ts';
import { openMetricsDoor } from './http/metrics-door.ts';
import { originApps } from './http/origin-apps.ts';
import { newEvent } from './identifiers.ts';
import { InternalCa } from './internal-ca.ts';
import { openPki } from './pki.ts';
import { ensureFirstPolicies } from './policies.ts';
import { countDefined, syncDemo } from './services.ts';

export interface ControlOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  /** One-time tokens that peers may join the control channel with. */
  readonly tokens: Partial<Record<PeerRole, string>>;
}

export interface Control {
  readonly context: Context;
  readonly desk: ChannelDesk;
  /** Serves browsers; it is given connections and does not listen. */
  readonly http: Server;
  /** Services somebody defined, at the start. */
  readonly services: number;
  addTokens(tokens: Partial<Record<PeerRole, string>>): void;
  stop(): Promise<void>;
}

/** Resolves when everything is served. @throws StoreError, PkiError, AuditError */
export async function startControl(options: ControlOptions): Promise<Control> {
  const context = await openContext(options);
  const tokens = new JoinTokens();
  const addTokens = (added: Partial<Record<PeerRole, string>>) => {
    if (added.gateway !== undefined) tokens.add('gateway', added.gateway);
    if (added.connector !== undefined) tokens.add('connector', added.connector);
  };
  addTokens(options.tokens);
  await ensureFirstPolicies(context);
  await context.audit.transact(async (transaction) => {
    await syncDemo(context, transaction);
    await context.audit.record(transaction, newEvent(context, { type: 'control.start', actor: 'system' }));
  });
  const desk = new ChannelDesk(context, tokens);
  await desk.start();
  const housekeeping = new Housekeeping(context, desk);
  housekeeping.start();
  const http = httpFront(context, originApps(context, desk));
  const admin = await listenAdmin(dataPaths.adminSocket(context.config), adminApp(context, desk));
  const { port } = context.config.metrics;
  const door = port === undefined ? undefined : await openMetricsDoor(port, desk.metrics, context.log);
  return {
    context,
    desk,
    http,
    services: await countDefined(context),
    addTokens,
    async stop() {
      await Promise.all([http, admin, ...(door === undefined ? [] : [door])].map(closeFront));
      housekeeping.stop();
      await desk.stop();
      await context.audit.append([newEvent(context, { type: 'control.stop', actor: 'system' })]);
      await context.audit.close();
      await context.store.destroy();
    },
  };
}

async function openContext({ config, clock, log }: ControlOptions): Promise<Context> {
  const paths = controlPaths(config.data);
  makePrivateFolder(paths.folder);
  const pki = await openPki(paths, clock);
  const ca = await InternalCa.open(paths, config.trustDomain, clock.now());
  const store = await openStore(paths.database);
  try {
    const vault = Vault.open(paths.keys);
    await sealPlainKeys({ store, vault });
    const audit = await AuditLog.open({ store, signer: () => pki.signer('audit'), clock, paths });
    return { config, clock, log, store, pki, ca, audit, vault, refusals: new Counts() };
  } catch (error) {
    await store.destroy();
    throw error;
  }
}
