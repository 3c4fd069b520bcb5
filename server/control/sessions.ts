/**
 * What is open now, as the control plane knows it: a launch is one person's (or guest's) tunnel to one service, with the
 * credentials that were issued for it. Whether its tunnel stands at this moment the gateway knows; revoking it ends it.
 */
import { sql } from 'kysely';
import { base64url } from '../../protocol/bytes.ts';
import type { LiveSessionReport } from '../channel/messages.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { spiffeIdOf } from './leases.ts';
import type { LiveDesk } from './live-desk.ts';
import { holds, noLimit, type Page } from './page.ts';

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

type Asked = Pick<Context, 'store' | 'clock' | 'config'>;

/** Those whose newest credential is good now, newest first. @param search in who and what */
export async function listSessions(
  context: Asked,
  live: Pick<LiveDesk, 'sessions'>,
  { search = '', offset = 0, limit = noLimit }: Page = {},
): Promise<{ sessions: ShownSession[]; total: number }> {
  const open = openLaunches(context, search);
  const { total } = await open.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  const launches = await launchesOf(context, open, { offset, limit });
  const serials = [...launches.values()].flatMap((launch) => launch.serials);
  const traffic = trafficOf(launches, (await live.sessions(serials)) ?? []);
  const sessions = [...launches.values()].map((row) => ({
    ...{ id: row.id, actor: spiffeIdOf(context.config, row), name: row.name, service: row.service },
    ...{ since: row.created_at, endsAt: row.ends_at, credentialEnds: row.credentialEnds },
    ...(traffic.has(row.id) && { traffic: traffic.get(row.id)! }),
  }));
  return { sessions, total };
}

/** By the credentials that are good, which are few: launches of years stand in the store. */
function openLaunches({ store, clock, config }: Asked, search: string) {
  const open = store
    .selectFrom('launches')
    .where('launches.revoked_at', 'is', null)
    .where('launches.id', 'in', (from) =>
      from.selectFrom('svids').select('svids.launch_id').where('svids.not_after', '>', clock.now()),
    );
  if (search === '') return open;
  return open.where(({ exists, selectFrom }) =>
    exists(
      selectFrom('users')
        .select('users.id')
        .whereRef('users.id', '=', 'launches.user_id')
        .where(holds([actorText(config), 'users.name', 'launches.service'], search)),
    ),
  );
}

/** The SPIFFE id of a launch, as {@link spiffeIdOf} writes it. */
function actorText({ trustDomain }: Context['config']) {
  return sql<string>`${`spiffe://${trustDomain}/`} || CASE WHEN users.link_id IS NULL
    THEN 'user/' || users.id || '/device/' || launches.device_id
    ELSE 'guest/' || users.link_id || '/' || COALESCE(users.link_use, 0) END`;
}

/** A page of them by id, each with the serials of its credentials that are good now. */
async function launchesOf(
  { store, clock }: Asked,
  open: ReturnType<typeof openLaunches>,
  { offset, limit }: { readonly offset: number; readonly limit: number },
) {
  const page = open
    .select('launches.id')
    .orderBy('launches.created_at', 'desc')
    .orderBy('launches.id')
    .limit(limit)
    .offset(offset);
  const rows = await store
    .selectFrom(page.as('page'))
    .innerJoin('launches', 'launches.id', 'page.id')
    .innerJoin('users', 'users.id', 'launches.user_id')
    .innerJoin('svids', 'svids.launch_id', 'launches.id')
    .select(['launches.id', 'launches.user_id', 'launches.device_id', 'launches.service', 'launches.created_at'])
    .select(['launches.ends_at', 'users.name', 'users.link_id', 'users.link_use', 'svids.serial', 'svids.not_after'])
    .where('svids.not_after', '>', clock.now())
    .orderBy('launches.created_at', 'desc')
    .orderBy('launches.id')
    .execute();
  const byId = Map.groupBy(rows, ({ id }) => id);
  return new Map(
    [...byId].map(([id, own]) => {
      const serials = own.map(({ serial }) => base64url(serial));
      return [id, { ...own[0]!, serials, credentialEnds: Math.max(...own.map(({ not_after }) => not_after)) }];
    }),
  );
}

type Launches = Awaited<ReturnType<typeof launchesOf>>;

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
