/** The audit chain of a running product, read as an administrator would, and waited for: gateways send events later. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { adminRequest } from '../../../server/channel/admin-client.ts';
import type { AuditEvent } from '../../../server/channel/audit-event.ts';
import type { Product } from './product.ts';

export type ChainedEvent = AuditEvent & { readonly seq: number };

const patienceMs = 15_000;
const lookEveryMs = 50;

/** Events after a position, in the order of the chain. */
export async function eventsAfter(product: Product, after: number): Promise<ChainedEvent[]> {
  const events: ChainedEvent[] = [];
  for (let at = after; ; ) {
    const path = `/admin/audit?after=${at}&limit=1000`;
    const page = await adminRequest(join(product.data, 'admin.sock'), 'GET', path);
    const found = page['events'] as ChainedEvent[];
    events.push(...found);
    at = page['next'] as number;
    if (found.length < 1_000) return events;
  }
}

/** The present end of the chain. */
export async function endOf(product: Product): Promise<number> {
  return (await eventsAfter(product, 0)).at(-1)?.seq ?? 0;
}

/** The first event after a position that fits; @throws Error with what came instead, after a while. */
export async function eventAfter(
  product: Product,
  after: number,
  fits: (event: ChainedEvent) => boolean,
): Promise<ChainedEvent> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const events = await eventsAfter(product, after);
    const found = events.find(fits);
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`no such event among ${JSON.stringify(events, null, 1)}`);
    await pause(lookEveryMs);
  }
}
