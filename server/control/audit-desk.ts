/**
 * The audit log for the notary's page: where it begins and ends, what was anchored, and whether it is whole, which is
 * looked up when somebody asks. The log is judged by the very code that `latchkey audit verify` runs; that command, on
 * another machine with a copy, needs to believe nothing of this process.
 */
import { Worker } from 'node:worker_threads';
import { base64url, hex, unbase64url, utf8 } from '../../protocol/bytes.ts';
import { anchors } from '../audit/anchor.ts';
import { readHead } from '../audit/anchor-files.ts';
import { KeptAnchors } from '../audit/kept-anchors.ts';
import type { RetentionFault } from '../audit/retention.ts';
import type { AuditReport } from '../audit/verify.ts';
import type { AuditFault } from '../audit/walk.ts';
import { controlPaths, storePlace } from '../store/paths.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';
import { retentionInForce } from './retention.ts';

/** The last look since this process began, or the one that goes on. Times are ms since 1970. */
export interface AuditCheck {
  readonly state: 'running' | 'whole' | 'broken';
  readonly at: number;
  /** `last`: a position worth noting elsewhere. `fingerprint`: SHA-256 of the pins, hex. */
  readonly whole?: { readonly last: number; readonly anchors: number; readonly fingerprint: string };
  readonly broken?: { readonly fault: AuditFault; readonly message: string };
}

export interface AuditState {
  /** Positions of the first and the last event that are there. */
  readonly first: number;
  readonly last: number;
  readonly anchor?: { readonly position: number; readonly at: number };
  /** Anchors that are kept for good. */
  readonly anchors: number;
  /** Missing: for ever. */
  readonly days?: number;
  /** Why an approval of less than for ever does not hold. */
  readonly retentionFault?: RetentionFault;
  readonly check?: AuditCheck;
}

const linesAtOnce = 500;

export class AuditDesk {
  readonly #context: Context;
  #check: AuditCheck | undefined;
  #worker: Worker | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  async state(): Promise<AuditState> {
    const paths = controlPaths(this.#context.config.data);
    const { first, last } = await this.#ends();
    const head = readHead(paths);
    const anchor = head === undefined ? undefined : anchors.peek(head);
    const { days, fault } = await retentionInForce(this.#context);
    return {
      ...{ first, last },
      ...(anchor !== undefined && { anchor: { position: anchor.seq, at: anchor.time } }),
      anchors: KeptAnchors.read(paths, ({ count }) => count) ?? 0,
      ...(days !== null && { days }),
      ...(fault !== undefined && { retentionFault: fault }),
      ...(this.#check !== undefined && { check: this.#check }),
    };
  }

  /** Positions; 0 where there is no event. */
  async #ends(): Promise<{ first: number; last: number }> {
    const { first, last } = await this.#context.store
      .selectFrom('audit')
      .select(({ fn }) => [fn.min('seq').as('first'), fn.max('seq').as('last')])
      .executeTakeFirstOrThrow();
    return { first: first ?? 0, last: last ?? 0 };
  }

  /** Begins to look, unless that goes on already; {@link state} tells what was found. */
  verify(): void {
    if (this.#worker !== undefined) return;
    const { config, clock, log } = this.#context;
    this.#check = { state: 'running', at: clock.now() };
    const workerData = { data: config.data, place: storePlace(config) };
    const worker = new Worker(new URL('../audit/verify-worker.ts', import.meta.url), { workerData });
    this.#worker = worker;
    worker.once('message', (report: AuditReport) => {
      this.#worker = undefined;
      this.#check = checkOf(report, clock.now());
      if (report.ok) log.info({ events: report.events }, 'the audit log was looked through and is whole');
      else log.error({ fault: report.fault, position: report.position }, 'the audit log is not whole');
    });
    worker.once('error', (error) => log.error({ err: error }, 'the audit log could not be looked through'));
    worker.once('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#check = undefined;
    });
  }

  /** All events of now, a line of JSON each, with position and hash; that somebody took them away is an event, too. */
  async *lines(actor: string | undefined): AsyncIterable<Uint8Array> {
    const { store, audit } = this.#context;
    const detail = { operation: 'audit.export' };
    const event = { type: 'admin', actor: 'system', detail } as const;
    await audit.append([newEvent({ ...this.#context, ...(actor !== undefined && { actor }) }, event)]);
    const { last } = await this.#ends();
    for (let after = 0; after < last; ) {
      const query = store.selectFrom('audit').select(['seq', 'hash', 'event']).orderBy('seq').limit(linesAtOnce);
      const rows = await query.where('seq', '>', after).where('seq', '<=', last).execute();
      for (const { seq, hash, event } of rows)
        yield utf8(`{"seq":${seq},"hash":"${base64url(hash)}","event":${event}}\n`);
      after = rows.at(-1)?.seq ?? last;
    }
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate();
  }
}

function checkOf(report: AuditReport, at: number): AuditCheck {
  if (!report.ok) return { state: 'broken', at, broken: { fault: report.fault, message: report.message } };
  const { events: last, anchors, fingerprint } = report;
  return { state: 'whole', at, whole: { last, anchors, fingerprint: hex(unbase64url(fingerprint)) } };
}
