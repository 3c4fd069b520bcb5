/**
 * Visits a service as its frame would and says what it uses (`latchkey service probe NAME`). It loads the start page,
 * follows redirects inside the service, and reads the scripts and frames that the pages name; then asks for the start
 * page under the other host, to see whether the service minds. It runs no script: what only running shows is not found.
 */
import type { ProbeRefusal, ProbeReport } from '../../channel/probe-report.ts';
import type { ServiceRecord } from '../../channel/snapshot-content.ts';
import { streamCodeOf } from '../bridge/upstream-error.ts';
import { UpstreamPool, type UpstreamPoolOptions } from '../bridge/upstream-pool.ts';
import { type ExchangeContext, hostOf } from '../exchange/context.ts';
import { firstOf } from '../exchange/headers.ts';
import { publicUrl } from '../exchange/locations.ts';
import { probeBudget } from '../limits.ts';
import { effects } from './effects.ts';
import { type Reference, referencesOf } from './references.ts';
import { type Sighting, type Surroundings, traitsOf } from './traits.ts';
import { type Visit, Visitor } from './visitor.ts';

/** There is no report. */
export class ProbeError extends Error {
  readonly code: ProbeRefusal;
  constructor(code: ProbeRefusal, options?: ErrorOptions) {
    super(`probe: ${code}`, options);
    this.name = 'ProbeError';
    this.code = code;
  }
}

export interface ProbeOptions extends Pick<UpstreamPoolOptions, 'connect' | 'openUdp' | 'ca'> {
  readonly service: ServiceRecord;
  /** Of nobody: without a caller. */
  readonly context: ExchangeContext;
  /** Path of the shim on the app's origin. */
  readonly shimPath: string;
}

/** @throws ProbeError when not even the start page can be had. */
export async function probe(options: ProbeOptions): Promise<ProbeReport> {
  const { service, connect, openUdp, ca } = options;
  if (service.scheme !== 'http' && service.scheme !== 'https') throw new ProbeError('wrong_kind');
  const pool = new UpstreamPool({ service, connect, openUdp, ca });
  try {
    return await new Probe(options, pool).run();
  } finally {
    pool.close();
  }
}

class Probe {
  readonly #options: ProbeOptions;
  readonly #visitor: Visitor;
  readonly #around: Surroundings;
  readonly #visits: Visit[] = [];
  readonly #sightings: Sighting[] = [];
  readonly #seen = new Set<string>();
  #context: ExchangeContext;

  constructor(options: ProbeOptions, pool: UpstreamPool) {
    this.#options = options;
    this.#context = options.context;
    const { service, context, shimPath } = options;
    const ownHosts = [hostOf(context.publicOrigin), service.upstreamHost].map((host) => host.replace(/:\d+$/, ''));
    this.#visitor = new Visitor(pool, ownHosts, AbortSignal.timeout(probeBudget.timeMs));
    const address = service.address.includes(':') ? `[${service.address}]` : service.address;
    const hosts = new Set([service.upstreamHost, `${address}:${service.port}`]);
    const upstreamOrigins = [...hosts].flatMap((host) => [`http://${host}`, `https://${host}`]);
    this.#around = { shim: new URL(shimPath, context.publicOrigin), ownHosts, upstreamOrigins };
  }

  async run(): Promise<ProbeReport> {
    const { service } = this.#options;
    const start = await this.#first();
    const { settings, page } = await this.#compareHosts(start);
    const queue = this.#take(page);
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (this.#seen.has(next.target)) continue;
      this.#seen.add(next.target);
      const visit = await this.#visitor.get(next.target, next.dest, this.#context).catch(() => undefined);
      if (visit !== undefined) queue.push(...this.#take(visit));
      if (this.#visitor.stopped !== undefined) break;
    }
    const { stopped } = this.#visitor;
    return {
      service: service.name,
      visited: this.#visits.map(({ target, status, type, bytes }) => ({ target: pathOf(target), status, type, bytes })),
      findings: this.#findings(),
      settings,
      ...(stopped === undefined ? {} : { stopped }),
    };
  }

  async #first(): Promise<Visit> {
    const { service, context } = this.#options;
    const target = service.path === '' ? '/' : service.path;
    this.#seen.add(target);
    try {
      const visit = await this.#visitor.get(target, 'iframe', context);
      if (visit !== undefined) return visit;
    } catch (cause) {
      throw new ProbeError(refusalOf(cause, this.#visitor), { cause });
    }
    throw new ProbeError('timeout');
  }

  /** The same page under the other host: who minds the host minds it here, and is visited under the one it takes. */
  async #compareHosts(start: Visit): Promise<{ settings: ProbeReport['settings']; page: Visit }> {
    const asked = this.#context;
    const host = asked.hostRule === 'public' ? 'upstream' : 'public';
    const other = { ...asked, hostRule: host } as const;
    const page = await this.#visitor.get(start.target, 'iframe', other).catch(() => undefined);
    if (page === undefined || isRefusal(start) === isRefusal(page)) return { settings: {}, page: start };
    for (const [context, visit] of [
      [asked, start],
      [other, page],
    ] as const)
      this.#sightings.push({ trait: 'host-check', where: pathOf(visit.target), what: hostAnswer(context, visit) });
    if (!isRefusal(start)) return { settings: {}, page: start };
    this.#visits.push(start);
    this.#context = other;
    return { settings: { host }, page };
  }

  /** Notes what an answer shows. @returns what to ask for next */
  #take(visit: Visit): Reference[] {
    const context = this.#context;
    this.#visits.push(visit);
    this.#sightings.push(...this.#judged(visit));
    const redirect = this.#redirect(visit);
    if (redirect !== undefined) return [redirect];
    const isPage = visit.type.includes('html');
    if (!isPage && !visit.type.includes('javascript')) return [];
    const { own, others } = referencesOf({ ...visit, isPage }, context.publicOrigin);
    const strangers = others.filter((origin) => !this.#around.upstreamOrigins.includes(origin));
    for (const what of strangers) this.#sightings.push({ trait: 'other-origins', where: pathOf(visit.target), what });
    return own;
  }

  #judged(visit: Visit): Sighting[] {
    return traitsOf({ ...visit, target: pathOf(visit.target) }, this.#around);
  }

  #redirect({ target, status, headers }: Visit): Reference | undefined {
    const context = this.#context;
    const location = firstOf(headers, 'location');
    if (location === undefined || status < 300 || status > 399) return undefined;
    const url = URL.parse(publicUrl(location, context), new URL(target, context.publicOrigin));
    if (url?.origin === context.publicOrigin) return { target: url.pathname + url.search, dest: 'iframe' };
    const what = `location: ${url === null ? location : url.origin}`;
    this.#sightings.push({ trait: 'redirect-elsewhere', where: pathOf(target), what });
    return undefined;
  }

  #findings(): ProbeReport['findings'] {
    const byTrait = Map.groupBy(this.#sightings, ({ trait }) => trait);
    return [...byTrait].map(([trait, sightings]) => {
      const evidence = new Map(sightings.map(({ where, what }) => [`${where}\n${what}`, { where, what }]));
      return { trait, evidence: [...evidence.values()].slice(0, 8), effect: effects[trait] };
    });
  }
}

function hostAnswer(context: ExchangeContext, { status }: Visit): string {
  const host = context.hostRule === 'public' ? hostOf(context.publicOrigin) : context.service.upstreamHost;
  return `Host: ${host} was answered ${status}`;
}

/** A query may hold what nobody else should read. */
const pathOf = (target: string): string => target.replace(/\?.*$/s, '');

/** A host that is not known is mostly told so by one of these. */
const isRefusal = ({ status }: Visit): boolean => [400, 403, 404, 421, 500, 502, 503].includes(status);

function refusalOf(error: unknown, visitor: Visitor): ProbeRefusal {
  if (visitor.stopped === 'time') return 'timeout';
  const code = streamCodeOf(error);
  return code === 'unreachable' || code === 'timeout' || code === 'wrong_peer' ? code : 'upstream_failed';
}
