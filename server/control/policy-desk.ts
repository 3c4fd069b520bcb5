/**
 * The policy in force: its content, the engine that decides by it, its epoch, and the signed snapshots that carry it to
 * the gateways: one with every change, and one at least every third of the freshness bound, so that a gateway that
 * hears nothing knows it is alone.
 */
import { utf8 } from '../../protocol/bytes.ts';
import { signSnapshot } from '../../protocol/snapshot.ts';
import type { SnapshotContent } from '../channel/snapshot-content.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { PolicyEngine } from '../policy/engine.ts';
import type { StoreTransaction } from '../store/tables.ts';
import type { Context } from './context.ts';
import { readPolicyContent } from './policy-content.ts';

interface InForce {
  readonly text: string;
  readonly content: SnapshotContent;
  readonly engine: PolicyEngine;
  readonly epoch: number;
}

export class PolicyDesk {
  readonly #context: Context;
  readonly #publish: (snapshot: Uint8Array) => void;
  readonly #beforeBeat: () => Promise<void>;
  #inForce: InForce | undefined;
  #reloading: Promise<void> = Promise.resolve();
  #cancelBeat = () => {};
  #beating: Promise<void> | undefined;

  /**
   * @param publish sends a signed snapshot to every connected gateway.
   * @param beforeBeat looks whether the store still tells what others changed; while it rejects, nothing is called fresh.
   */
  constructor(context: Context, publish: (snapshot: Uint8Array) => void, beforeBeat: () => Promise<void>) {
    this.#context = context;
    this.#publish = publish;
    this.#beforeBeat = beforeBeat;
  }

  /** Reads the policy and begins to beat. */
  async start(): Promise<void> {
    await this.reload();
    this.#beat();
  }

  stop(): void {
    this.#cancelBeat();
  }

  get engine(): PolicyEngine {
    return this.#current.engine;
  }

  get epoch(): number {
    return this.#current.epoch;
  }

  get content(): SnapshotContent {
    return this.#current.content;
  }

  /**
   * Puts what the store says into force and tells the gateways, when it says something new. Called after every commit
   * that touches people, groups, policies, services or peers.
   */
  reload(): Promise<void> {
    const reloaded = this.#reloading
      .catch(() => undefined)
      .then(async () => {
        if (await this.#read()) this.#publish(await this.snapshot());
      });
    this.#reloading = reloaded;
    return reloaded;
  }

  /** A fresh signed snapshot of the policy in force. */
  snapshot(): Promise<Uint8Array> {
    const { config, clock, pki } = this.#context;
    const { epoch, text } = this.#current;
    const issuedAt = clock.now();
    // Live sessions end with their credential anyway, so a snapshot has to last no longer than one; but never so short
    // that it is over before the next beat.
    const { credentialS, freshnessS } = config.timers;
    const notAfter = issuedAt + Math.max(credentialS, freshnessS) * 1_000;
    return signSnapshot(nodeCrypto, pki.signer('policy'), { epoch: BigInt(epoch), issuedAt, notAfter, content: text });
  }

  async #read(): Promise<boolean> {
    const { content, text, epoch } = await this.#context.store.transaction().execute(async (transaction) => {
      const content = await readPolicyContent(this.#context, transaction);
      const text = JSON.stringify(content);
      return { content, text, epoch: await epochOf(transaction, nodeCrypto.sha256(utf8(text))) };
    });
    if (this.#inForce?.text === text && this.#inForce.epoch === epoch) return false;
    this.#inForce = { text, content, engine: new PolicyEngine(content), epoch };
    return true;
  }

  #beat(): void {
    const everyMs = (this.#context.config.timers.freshnessS * 1_000) / 3;
    this.#cancelBeat = this.#context.clock.after(everyMs, () => {
      this.#beat();
      // One that takes longer than a beat is not overtaken: what waits for the store would pile up there.
      this.#beating ??= this.#beforeBeat()
        .then(() => this.snapshot())
        .then(this.#publish, (error: unknown) => this.#context.log.error({ err: error }, 'no snapshot'))
        .finally(() => {
          this.#beating = undefined;
        });
    });
  }

  get #current(): InForce {
    if (this.#inForce === undefined) throw new TypeError('the policy was not read yet');
    return this.#inForce;
  }
}

/** The epoch of this content: the one it has already, wherever it was read first, or the next. */
async function epochOf(transaction: StoreTransaction, digest: Uint8Array): Promise<number> {
  const counter = await transaction
    .selectFrom('counters')
    .select(['value', 'digest'])
    .where('name', '=', 'policy_epoch')
    .executeTakeFirstOrThrow();
  if (counter.digest !== null && Buffer.from(counter.digest).equals(digest)) return counter.value;
  const value = counter.value + 1;
  await transaction.updateTable('counters').set({ value, digest }).where('name', '=', 'policy_epoch').execute();
  return value;
}
