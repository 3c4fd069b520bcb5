/** Where the control plane keeps what, inside the data folder. Folders are 0700, files 0600. */
import { join } from 'node:path';
import type { StorePlace } from './store.ts';

export interface ControlPaths {
  readonly folder: string;
  readonly database: string;
  /** Seeds of the root and role keys, one file each. */
  readonly keys: string;
  /** What anyone may read: pins, root keys, role certificates. */
  readonly trust: string;
  /** Signed anchors of the audit chain, one a line, only ever appended to. */
  readonly anchors: string;
  /** The newest anchor; replaced with every write to the chain. */
  readonly head: string;
  /** The newest approval of how long the chain is kept. */
  readonly retention: string;
}

/** @param data the data folder of the installation. */
export function controlPaths(data: string): ControlPaths {
  const folder = join(data, 'control');
  return {
    folder,
    database: join(folder, 'control.db'),
    keys: join(folder, 'keys'),
    trust: join(folder, 'trust'),
    anchors: join(folder, 'audit.anchors'),
    head: join(folder, 'audit.head'),
    retention: join(folder, 'audit.retention'),
  };
}

/** Where the store of an installation is. @param store as configured: `sqlite`, or where a PostgreSQL store is */
export function storePlace({ data, store }: { readonly data: string; readonly store: string }): StorePlace {
  return store === 'sqlite' ? { file: controlPaths(data).database } : { url: store };
}
