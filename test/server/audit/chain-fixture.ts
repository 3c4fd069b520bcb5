/** A small audit log in a folder of its own, and a way to damage its database as someone with file access could. */
import { randomUUID } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../../protocol/clock.ts';
import { AuditLog } from '../../../server/audit/log.ts';
import type { AuditEvent } from '../../../server/channel/audit-event.ts';
import { openPki, type Pki } from '../../../server/control/pki.ts';
import { makePrivateFolder } from '../../../server/store/files.ts';
import { type ControlPaths, controlPaths } from '../../../server/store/paths.ts';
import { openStore } from '../../../server/store/store.ts';
import type { Store } from '../../../server/store/tables.ts';

export interface Fixture {
  readonly data: string;
  readonly paths: ControlPaths;
  readonly pki: Pki;
  store: Store;
  log: AuditLog;
  /** Runs SQL on the closed database. */
  damage(...statements: string[]): void;
  stop(): Promise<void>;
  start(): Promise<void>;
  remove(): void;
}

export const clock = { now: () => 1_790_000_000_000 };

export function event(change: Partial<AuditEvent> = {}): AuditEvent {
  return {
    id: randomUUID(),
    time: clock.now(),
    type: 'stream.open',
    actor: 'spiffe://latchkey.local/user/ada/device/d1',
    service: 'wiki',
    decision: 'allow',
    policies: ['admins'],
    detail: { kind: 'http', bytes: 1, kiosk: false },
    ...change,
  };
}

type Time = Pick<Clock, 'now'>;

/** @param time of all that is signed */
export async function fixture(time: Time = clock): Promise<Fixture> {
  const data = mkdtempSync(join(tmpdir(), 'audit-'));
  const paths = controlPaths(data);
  makePrivateFolder(paths.folder);
  const pki = await openPki(paths, time);
  const open = async () => {
    const store = await openStore(paths.database);
    return { store, log: await openLog(store, pki, paths, time) };
  };
  const made: Fixture = {
    data,
    paths,
    pki,
    ...(await open()),
    damage(...statements) {
      const database = new DatabaseSync(paths.database);
      for (const statement of statements) database.exec(statement);
      database.close();
    },
    async stop() {
      await made.log.close();
      await made.store.destroy();
    },
    async start() {
      Object.assign(made, await open());
    },
    remove: () => rmSync(data, { recursive: true }),
  };
  return made;
}

const openLog = (store: Store, pki: Pki, paths: ControlPaths, clock: Time) =>
  AuditLog.open({ store, signer: () => pki.signer('audit'), clock, paths });

/** Another control plane on the store of `made`, with a copy of its folder as it is now. */
export interface Second {
  readonly data: string;
  readonly paths: ControlPaths;
  readonly pki: Pki;
  open(): Promise<AuditLog>;
  remove(): void;
}

/** @param time when its keys are looked at; late enough, it makes successors of its own */
export async function beside(made: Fixture, time: Time): Promise<Second> {
  const data = mkdtempSync(join(tmpdir(), 'audit-'));
  const paths = controlPaths(data);
  makePrivateFolder(paths.folder);
  for (const path of ['keys', 'trust', 'anchors', 'head', 'retention'] as const)
    if (existsSync(made.paths[path])) cpSync(made.paths[path], paths[path], { recursive: true });
  const pki = await openPki(paths, time);
  return {
    ...{ data, paths, pki },
    open: () => openLog(made.store, pki, paths, time),
    remove: () => rmSync(data, { recursive: true }),
  };
}
