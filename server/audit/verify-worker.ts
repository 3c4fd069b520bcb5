/** {@link verifyAudit} on a thread of its own: a log of years takes minutes, and the control plane goes on meanwhile. */
import { parentPort, workerData } from 'node:worker_threads';
import type { StorePlace } from '../store/store.ts';
import { verifyAudit } from './verify.ts';

/** As audit-desk.ts hands it over. */
const { data, place } = workerData as { readonly data: string; readonly place: StorePlace };
parentPort?.postMessage(await verifyAudit(data, 0, place));
