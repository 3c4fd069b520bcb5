/**
 * What other control planes on the same PostgreSQL changed, told by NOTIFY when their transaction commits. It says only
 * what to look at again; what it is now stands in the tables. While the connection is down nothing is told, so after
 * each connect everything is looked at again.
 */
import { Client } from 'pg';
import type { Clock } from '../../protocol/clock.ts';
import { applicationName, connectionOf } from './postgres.ts';
import { channel } from './postgres-schema.ts';

export const topics = ['policy', 'revocation', 'knocks', 'connectors'] as const;
export type Topic = (typeof topics)[number];

export interface FeedOptions {
  readonly url: string;
  /** That of the store, whose own changes are not told. */
  readonly instance: string;
  readonly clock: Pick<Clock, 'after'>;
  /** Looks at a topic again. While it runs, more news of the topic is one more run. */
  readonly changed: (topic: Topic) => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

const againMs = 1_000;

export class ChangeFeed {
  readonly #options: FeedOptions;
  readonly #due = new Set<Topic>();
  #running: Promise<void> | undefined;
  #client: Client | undefined;
  #cancelAgain = () => {};
  #stopped = false;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Listens from now on. @throws what `pg` says when the first connection fails */
  async start(): Promise<void> {
    await this.#connect();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelAgain();
    await this.#client?.end();
    await this.#running;
  }

  async #connect(): Promise<void> {
    const { url, instance } = this.#options;
    const client = new Client(connectionOf(url, instance));
    let fault: unknown = new Error('the connection ended');
    client.on('error', (error) => {
      fault = error;
    });
    client.on('notification', ({ payload = '' }) => this.#told(payload));
    try {
      await client.connect();
      await client.query(`LISTEN ${channel}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.#client = client;
    client.on('end', () => this.#again(fault));
    for (const topic of topics) this.#look(topic);
  }

  #again(fault: unknown): void {
    if (this.#stopped) return;
    this.#cancelAgain = this.#options.clock.after(againMs, () => {
      this.#connect().catch((error: unknown) => this.#again(error));
    });
    this.#options.onFault(fault);
  }

  #told(payload: string): void {
    const space = payload.indexOf(' ');
    const topic = topics.find((one) => one === payload.slice(0, space));
    const isOwn = payload.slice(space + 1) === applicationName(this.#options.instance);
    if (topic !== undefined && !isOwn) this.#look(topic);
  }

  #look(topic: Topic): void {
    this.#due.add(topic);
    this.#running ??= this.#lookAtDue().finally(() => {
      this.#running = undefined;
    });
  }

  async #lookAtDue(): Promise<void> {
    for (let topic = first(this.#due); topic !== undefined && !this.#stopped; topic = first(this.#due)) {
      this.#due.delete(topic);
      await this.#options.changed(topic).catch(this.#options.onFault);
    }
  }
}

/** Revocations before all else. */
function first(due: ReadonlySet<Topic>): Topic | undefined {
  return due.has('revocation') ? 'revocation' : due.values().next().value;
}
