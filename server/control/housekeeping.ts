/** Forgets what can no longer matter: spent nonces, old ceremonies, credentials past their end. Audit stays. */
import type { Context } from './context.ts';

const everyMs = 60_000;
const dayMs = 86_400_000;

export class Housekeeping {
  readonly #context: Context;
  #cancel = () => {};

  constructor(context: Context) {
    this.#context = context;
  }

  start(): void {
    this.#cancel = this.#context.clock.after(everyMs, () => {
      this.start();
      this.sweep().catch((error: unknown) => this.#context.log.error({ err: error }, 'housekeeping failed'));
    });
  }

  stop(): void {
    this.#cancel();
  }

  /** One sweep; short transactions, so that nobody waits long. */
  async sweep(): Promise<void> {
    const { store, clock } = this.#context;
    const now = clock.now();
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
