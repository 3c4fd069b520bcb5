/** What stood in a database before a migration stands in it afterwards. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Kysely, Migrator, sql } from 'kysely';
import { migrations } from '../../../server/store/migrations.ts';
import { nodeSqliteDialect, openSqlite } from '../../../server/store/node-sqlite.ts';
import { openStore } from '../../../server/store/store.ts';

test('QPT-8: an installation from before links keeps its people, devices, leases and launches', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'migrations-'));
  const path = join(folder, 'control.db');
  const before = new Kysely<unknown>({ dialect: nodeSqliteDialect(openSqlite(path)) });
  const migrator = new Migrator({ db: before, provider: { getMigrations: async () => ({ ...migrations }) } });
  assert.equal((await migrator.migrateTo('0003-identity-to-services')).error, undefined);
  for (const statement of [
    "INSERT INTO users VALUES ('u', x'01', 'Ada', 1, NULL)",
    "INSERT INTO credentials VALUES ('c', 'u', x'02', 0, 'a', '[]', 0, 0, 1, NULL)",
    "INSERT INTO devices VALUES ('d', 'u', 'c', x'03', 5, 9)",
    "INSERT INTO leases VALUES (x'04', x'05', 'u', 'd', 3, 1, '{}', 1, 1, 9, NULL)",
    "INSERT INTO launches VALUES ('l', x'04', 'u', 'd', 'wiki', x'06', x'07', x'08', 1, '{}', 1, 9, NULL, 4)",
    "INSERT INTO svids VALUES (x'09', 'l', 1, 9, 2)",
  ])
    await sql.raw(statement).execute(before);
  await before.destroy();
  const store = await openStore(path);
  const device = await store.selectFrom('devices').selectAll().executeTakeFirstOrThrow();
  assert.deepEqual([device.id, device.approved_at, device.revoked_at], ['d', 5, 9]);
  const rows = await store
    .selectFrom('svids')
    .innerJoin('launches', 'launches.id', 'svids.launch_id')
    .innerJoin('leases', 'leases.id', 'launches.lease_id')
    .innerJoin('devices', 'devices.id', 'leases.device_id')
    .select(['launches.stepped_up_at', 'leases.ends_at', 'devices.credential_id'])
    .execute();
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [{ stepped_up_at: 4, ends_at: 9, credential_id: 'c' }],
  );
  // Keys still hold what hangs on them.
  await assert.rejects(sql`DELETE FROM devices`.execute(store));
  await assert.rejects(sql`INSERT INTO svids VALUES (x'0a', 'nobody', 1, 9, 2)`.execute(store));
  assert.deepEqual((await sql`PRAGMA foreign_key_check`.execute(store)).rows, []);
  await store.destroy();
  rmSync(folder, { recursive: true });
});

test('QZ-9: groups of before, which a SAML provider may have said, go; those of OpenID Connect alone and ours stay', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'migrations-'));
  const path = join(folder, 'control.db');
  const before = new Kysely<unknown>({ dialect: nodeSqliteDialect(openSqlite(path)) });
  const migrator = new Migrator({ db: before, provider: { getMigrations: async () => ({ ...migrations }) } });
  assert.equal((await migrator.migrateTo('0018-retention')).error, undefined);
  for (const statement of [
    "INSERT INTO users (id, handle, name, created_at) VALUES ('s', x'01', 'Sam', 1), ('o', x'02', 'Olga', 1)",
    "INSERT INTO identities VALUES ('saml https://a.example', '1', 's', 1), ('https://a.example', '2', 's', 1)",
    "INSERT INTO identities VALUES ('https://a.example', '3', 'o', 1)",
    "INSERT INTO user_groups VALUES ('s', 'idp/staff'), ('s', 'admins'), ('o', 'idp/staff')",
  ])
    await sql.raw(statement).execute(before);
  await before.destroy();
  const store = await openStore(path);
  const rows = await store.selectFrom('user_groups').selectAll().orderBy('user_id').execute();
  assert.deepEqual(
    rows.map(({ user_id, group_name }) => [user_id, group_name]),
    [
      ['o', 'idp/staff'],
      ['s', 'admins'],
    ],
  );
  await store.destroy();
  rmSync(folder, { recursive: true });
});

test('QZ-42: an approved retention of before, which nobody signed, goes: everything is kept until two approve it anew', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'migrations-'));
  const path = join(folder, 'control.db');
  const before = new Kysely<unknown>({ dialect: nodeSqliteDialect(openSqlite(path)) });
  const migrator = new Migrator({ db: before, provider: { getMigrations: async () => ({ ...migrations }) } });
  assert.equal((await migrator.migrateTo('0020-recovery')).error, undefined);
  for (const statement of ['INSERT INTO retention VALUES (90)', "INSERT INTO audit_start VALUES (5, x'05')"])
    await sql.raw(statement).execute(before);
  await before.destroy();
  const store = await openStore(path);
  assert.deepEqual(await store.selectFrom('retention').selectAll().execute(), []);
  const asides = await store.selectFrom('unsigned_retention').selectAll().execute();
  assert.deepEqual(
    asides.map(({ days }) => days),
    [90],
  );
  const start = await store.selectFrom('audit_start').selectAll().executeTakeFirstOrThrow();
  assert.deepEqual([start.seq, start.certificate], [5, null]);
  await store.destroy();
  rmSync(folder, { recursive: true });
});
