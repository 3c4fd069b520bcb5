/**
 * What has to be done now and then: forget what can no longer matter (spent nonces, old ceremonies, credentials past
 * their end; audit stays), and give role keys and X.509-SVIDs their successors in time.
 */
import { AuditExpiry } from './audit-expiry.ts';
import type { ChannelDesk } from './channel-desk.ts';
import type { Context } from './context.ts';
import { svidLifeMs } from './internal-ca.ts';
import { renewWitKeys } from './wit-keys.ts';

const everyMs = 60_000;
const dayMs = 86_400_000;

export class Housekeeping {
  readonly #context: Context;
  readonly #desk: ChannelDesk;
  readonly #expiry: AuditExpiry;
  #cancel = () => {};
  #sweeping: Promise<void> | undefined;

  constructor(context: Context, desk: ChannelDesk) {
    this.#context = context;
    this.#desk = desk;
    this.#expiry = new AuditExpiry(context);
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

  /** One sweep; short transactions, so that nobody waits long. */
  async sweep(): Promise<void> {
    const { store, clock, pki } = this.#context;
    const now = clock.now();
    // Gateways learn of new certificates by the welcome of a new connection.
    if (await pki.renew(now)) this.#desk.gateways.reconnectAll();
    this.#desk.gateways.reconnectBefore(now - svidLifeMs / 2);
    this.#desk.connectors.reconnectBefore(now - svidLifeMs / 2);
    await renewWitKeys(this.#context);
    await this.#expiry.look(now);
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
