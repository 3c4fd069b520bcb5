/**
 * What has to be done now and then: forget what can no longer matter (spent nonces, old ceremonies, credentials past
 * their end; audit stays), and give role keys and X.509-SVIDs their successors in time.
 */
import type { ChannelDesk } from './channel-desk.ts';
import type { Context } from './context.ts';
import { svidLifeMs } from './internal-ca.ts';
import { dropExpired } from './retention.ts';
import { renewWitKeys } from './wit-keys.ts';

const everyMs = 60_000;
const dayMs = 86_400_000;
const expiredEveryMs = 600_000;

export class Housekeeping {
  readonly #context: Context;
  readonly #desk: ChannelDesk;
  #lookedForExpired = 0;
  #cancel = () => {};
  #sweeping: Promise<void> | undefined;

  constructor(context: Context, desk: ChannelDesk) {
    this.#context = context;
    this.#desk = desk;
  }

  start(): void {
    this.#cancel = this.#context.clock.after(everyMs, () => {
      this.start();
      this.#sweeping ??= this.sweep()
        .catch((error: unknown) => this.#context.log.error({ err: error }, 'housekeeping failed'))
        .finally(() => {
          this.#sweeping = undefined;
        });
    });
  }

  stop(): void {
    this.#cancel();
  }

  /** Now and then: it reads every anchor there is. */
  async #dropExpired(now: number): Promise<void> {
    if (now - this.#lookedForExpired < expiredEveryMs) return;
    this.#lookedForExpired = now;
    const upTo = await dropExpired(this.#context);
    if (upTo !== undefined)
      this.#context.log.info({ upTo }, 'audit events were dropped that need not be kept any longer');
  }

  /** One sweep; short transactions, so that nobody waits long. */
  async sweep(): Promise<void> {
    const { store, clock, pki } = this.#context;
    const now = clock.now();
    // Gateways learn of new certificates by the welcome of a new connection.
    if (await pki.renew(now)) this.#desk.gateways.reconnectAll();
    this.#desk.gateways.reconnectBefore(now - svidLifeMs / 2);
    this.#desk.connectors.reconnectBefore(now - svidLifeMs / 2);
    await renewWitKeys(this.#context);
    await this.#dropExpired(now);
    await store.deleteFrom('spent_nonces').where('expires_at', '<', now).execute();
    await store
      .deleteFrom('ceremonies')
      .where('expires_at', '<', now - dayMs)
      .execute();
    await store
      .deleteFrom('svids')
      .where('not_after', '<', now - dayMs)
      .execute();
  }
}
