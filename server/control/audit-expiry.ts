/** Looks now and then for audit events that need not be kept any longer, and drops them (audit/expiry.ts). */
import { setImmediate } from 'node:timers/promises';
import { AuditError } from '../audit/error.ts';
import { cutAt, dueCut } from '../audit/expiry.ts';
import { readRetention } from '../audit/retention.ts';
import { type ControlPaths, controlPaths } from '../store/paths.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';

const everyMs = 600_000;
const dayMs = 86_400_000;
/** A transaction each; what is left is dropped the next time. */
const cutsALook = 100;

export class AuditExpiry {
  readonly #context: Context;
  readonly #paths: ControlPaths;
  #lookedAt = 0;
  /** What was said already of why nothing is dropped. */
  #told: string | undefined;

  constructor(context: Context) {
    this.#context = context;
    this.#paths = controlPaths(context.config.data);
  }

  /** At most every ten minutes. What keeps the log from being dropped is audited, once while it lasts. @param now ms since 1970 */
  async look(now: number): Promise<void> {
    if (Math.abs(now - this.#lookedAt) < everyMs) return;
    this.#lookedAt = now;
    try {
      const { days, fault } = await readRetention(this.#context.store, this.#paths);
      if (days !== null) await this.#drop(days);
      await this.#tell(fault);
    } catch (error) {
      if (!(error instanceof AuditError)) throw error;
      this.#context.log.error({ err: error }, 'audit events are not dropped');
      await this.#tell(error.code);
    }
  }

  async #drop(days: number): Promise<void> {
    let upTo: number | undefined;
    for (let cuts = 0; cuts < cutsALook; cuts++) {
      const dropped = await this.#dropOnce(days);
      if (dropped === undefined) break;
      upTo = dropped;
      // Whoever waits for this process goes first.
      await setImmediate();
    }
    if (upTo !== undefined)
      this.#context.log.info({ upTo }, 'audit events were dropped that need not be kept any longer');
  }

  /** @returns the position of the last that was dropped */
  async #dropOnce(days: number): Promise<number | undefined> {
    const { store, audit, pki, clock } = this.#context;
    const now = clock.now();
    const cut = await dueCut(store, this.#paths, { now, keep: days * dayMs });
    if (cut === undefined) return undefined;
    return audit.transact(async (transaction) => {
      // Somebody may have asked for a longer time meanwhile, and two have said yes.
      if ((await readRetention(transaction, this.#paths)).days !== days) return undefined;
      const by = { paths: this.#paths, signer: pki.certified('audit'), now };
      if (!(await cutAt(transaction, cut, by))) return undefined;
      const detail = { operation: 'audit.drop', upTo: cut.seq, hash: Buffer.from(cut.hash).toString('hex') };
      await audit.record(transaction, newEvent(this.#context, { type: 'admin', actor: 'system', detail }));
      return cut.seq;
    });
  }

  async #tell(reason: string | undefined): Promise<void> {
    if (reason === this.#told) return;
    this.#told = reason;
    if (reason === undefined) return;
    const { audit, log } = this.#context;
    log.warn({ reason }, 'every audit event is kept, whatever was approved');
    const refused = { type: 'admin', actor: 'system', decision: 'deny', reason } as const;
    await audit.append([newEvent(this.#context, { ...refused, detail: { operation: 'audit.drop' } })]);
  }
}
