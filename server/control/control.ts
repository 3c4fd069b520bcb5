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
import type { ChangeFeed } from '../store/feed.ts';
import { makePrivateFolder } from '../store/files.ts';
import { controlPaths, storePlace } from '../store/paths.ts';
import { openStore } from '../store/store.ts';
import { Vault } from '../store/vault.ts';
import { Authorities } from './authorities.ts';
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
import { newEvent, newId } from './identifiers.ts';
import { InternalCa } from './internal-ca.ts';
import { openPki } from './pki.ts';
import { ensureFirstPolicies } from './policies.ts';
import { tellUnsignedRetention } from './retention.ts';
import { countDefined, syncDemo } from './services.ts';
import { renewWitKeys } from './wit-keys.ts';

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
  const instance = newId();
  const context = await openContext(options, instance);
  const tokens = new JoinTokens();
  const addTokens = (added: Partial<Record<PeerRole, string>>) => {
    if (added.gateway !== undefined) tokens.add('gateway', added.gateway);
    if (added.connector !== undefined) tokens.add('connector', added.connector);
  };
  addTokens(options.tokens);
  await ensureFirstPolicies(context);
  await renewWitKeys(context);
  await tellUnsignedRetention(context);
  await context.audit.transact(async (transaction) => {
    await syncDemo(context, transaction);
    await context.audit.record(transaction, newEvent(context, { type: 'control.start', actor: 'system' }));
  });
  const desk = new ChannelDesk(context, tokens);
  await desk.start();
  const feed = await followOthers(context, desk, instance);
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
      await feed?.stop();
      await desk.stop();
      await context.audit.append([newEvent(context, { type: 'control.stop', actor: 'system' })]);
      await context.audit.close();
      await context.store.destroy();
    },
  };
}

/** Looks again at what another control plane on the same store changed. */
async function followOthers(context: Context, desk: ChannelDesk, instance: string): Promise<ChangeFeed | undefined> {
  const place = storePlace(context.config);
  if (!('url' in place)) return undefined;
  const { clock, log } = context;
  const onFault = (error: unknown) => log.warn({ err: error }, 'what others changed in the store was not followed');
  const { ChangeFeed } = await import('../store/feed.ts');
  const feed = new ChangeFeed({ url: place.url, instance, clock, onFault, changed: (topic) => desk.lookAgain(topic) });
  await feed.start();
  return feed;
}

async function openContext({ config, clock, log }: ControlOptions, instance: string): Promise<Context> {
  const paths = controlPaths(config.data);
  makePrivateFolder(paths.folder);
  const makers = new Authorities(config.passkeys.roots, 'passkeys.roots');
  const pki = await openPki(paths, clock);
  const ca = await InternalCa.open(paths, config.trustDomain, clock.now());
  const place = storePlace(config);
  const store = await openStore(place, instance);
  try {
    const vault = Vault.open(paths.keys);
    await sealPlainKeys({ store, vault });
    const audit = await AuditLog.open({ store, signer: () => pki.signer('audit'), clock, paths });
    const isShared = 'url' in place;
    return { config, clock, log, store, isShared, pki, ca, makers, audit, vault, refusals: new Counts() };
  } catch (error) {
    await store.destroy();
    throw error;
  }
}
