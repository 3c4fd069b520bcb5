/**
 * What is open now, as the control plane knows it: a launch is one person's (or guest's) tunnel to one service, with the
 * credentials that were issued for it. Whether its tunnel stands at this moment the gateway knows; revoking it ends it.
 */
import { base64url } from '../../protocol/bytes.ts';
import type { LiveSessionReport } from '../channel/messages.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { spiffeIdOf } from './leases.ts';
import type { LiveDesk } from './live-desk.ts';
import { noLimit, type Page } from './page.ts';

export interface ShownSession {
  readonly id: string;
  /** SPIFFE id. */
  readonly actor: string;
  readonly name: string;
  readonly service: string;
  readonly since: number;
  readonly endsAt: number;
  /** Of its newest credential. */
  readonly credentialEnds: number;
  /** Missing while no tunnel of it stands. */
  readonly traffic?: SessionTraffic;
}

/** A session's tunnels together, as their gateway counts them. Bytes are of records: from the browser, to the browser. */
export interface SessionTraffic {
  /** Of the newest. */
  readonly address: string;
  readonly transport: string;
  readonly streams: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Those whose newest credential is good now, newest first. @param search in who and what */
export async function listSessions(
  context: Context,
  live: Pick<LiveDesk, 'sessions'>,
  { search = '', offset = 0, limit = noLimit }: Page = {},
): Promise<{ sessions: ShownSession[]; total: number }> {
  const rows = await openLaunches(context);
  const wanted = search.toLowerCase();
  const found = [...rows.values()]
    .map((row) => ({ ...row, actor: spiffeIdOf(context.config, row) }))
    .filter(({ actor, name, service }) => `${actor} ${name} ${service}`.toLowerCase().includes(wanted));
  const traffic = trafficOf(rows, (await live.sessions()) ?? []);
  const sessions = found.slice(offset, offset + limit).map((row) => ({
    ...{ id: row.id, actor: row.actor, name: row.name, service: row.service },
    ...{ since: row.created_at, endsAt: row.ends_at, credentialEnds: row.credentialEnds },
    ...(traffic.has(row.id) && { traffic: traffic.get(row.id)! }),
  }));
  return { sessions, total: found.length };
}

type Launches = Awaited<ReturnType<typeof openLaunches>>;

/** By id, with the serials of the credentials that are good now. */
async function openLaunches(context: Context) {
  const rows = await context.store
    .selectFrom('launches')
    .innerJoin('users', 'users.id', 'launches.user_id')
    .innerJoin('svids', 'svids.launch_id', 'launches.id')
    .select(['launches.id', 'launches.user_id', 'launches.device_id', 'launches.service', 'launches.created_at'])
    .select(['launches.ends_at', 'users.name', 'users.link_id', 'users.link_use', 'svids.serial', 'svids.not_after'])
    .where('launches.revoked_at', 'is', null)
    .where('svids.not_after', '>', context.clock.now())
    .orderBy('launches.created_at', 'desc')
    .execute();
  const byId = Map.groupBy(rows, ({ id }) => id);
  return new Map(
    [...byId].map(([id, own]) => {
      const serials = own.map(({ serial }) => base64url(serial));
      return [id, { ...own[0]!, serials, credentialEnds: Math.max(...own.map(({ not_after }) => not_after)) }];
    }),
  );
}

function trafficOf(launches: Launches, reports: readonly LiveSessionReport[]): Map<string, SessionTraffic> {
  const bySerial = new Map(
    [...launches].flatMap(([id, { serials }]) => serials.map((serial) => [serial, id] as const)),
  );
  const traffic = new Map<string, SessionTraffic>();
  for (const { serial, address, transport, streams, bytesIn, bytesOut } of reports) {
    const id = bySerial.get(serial);
    if (id === undefined) continue;
    const before = traffic.get(id) ?? { streams: 0, bytesIn: 0, bytesOut: 0 };
    traffic.set(id, {
      ...{ address, transport, streams: before.streams + streams },
      ...{ bytesIn: before.bytesIn + bytesIn, bytesOut: before.bytesOut + bytesOut },
    });
  }
  return traffic;
}

/** Ends one launch inside a transaction. @returns whose it was. @throws ApiError `session_unknown` */
export async function endSession(
  context: Context,
  transaction: Parameters<Parameters<Context['audit']['transact']>[0]>[0],
  id: string,
): Promise<{ user: string; service: string }> {
  const row = await transaction
    .updateTable('launches')
    .set({ revoked_at: context.clock.now() })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returning(['user_id', 'service'])
    .executeTakeFirst();
  if (row === undefined) throw new ApiError('session_unknown');
  return { user: row.user_id, service: row.service };
}
