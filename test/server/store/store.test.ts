import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { sql } from 'kysely';
import { openStore, type StorePlace } from '../../../server/store/store.ts';
import { newStorePlace, onPostgres } from '../../support/postgres.ts';

describe('store', () => {
  let directory: string;
  let path: string;
  let place: StorePlace;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'store-'));
    path = join(directory, 'control.db');
    place = await newStorePlace(path);
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const user = (id: string) => ({
    id,
    handle: Buffer.from(id),
    name: 'Ada',
    created_at: 1,
    disabled_at: null,
    disabled_reason: null,
  });

  test('what was committed is there after opening it again, bytes and times intact', async () => {
    const store = await openStore(place);
    const handle = Uint8Array.from({ length: 256 }, (_, i) => i);
    await store
      .insertInto('users')
      .values({ ...user('u'), handle, created_at: 1_790_000_000_123 })
      .execute();
    await store.destroy();
    const again = await openStore(place);
    const row = await again.selectFrom('users').selectAll().executeTakeFirstOrThrow();
    assert.deepEqual([...row.handle], [...handle]);
    assert.equal(row.created_at, 1_790_000_000_123);
    await again.destroy();
  });

  test('only the owner may read the file, journal included', { skip: onPostgres }, async () => {
    const store = await openStore(path);
    await store.insertInto('users').values(user('u')).execute();
    for (const file of [path, `${path}-wal`]) assert.equal(statSync(file).mode & 0o077, 0);
    await store.destroy();
  });

  test('commits are durable: WAL with full synchronisation, foreign keys on', { skip: onPostgres }, async () => {
    const store = await openStore(path);
    const pragma = async (name: string) =>
      Object.values((await sql.raw<object>(`PRAGMA ${name}`).execute(store)).rows[0]!)[0] as unknown;
    assert.equal(await pragma('journal_mode'), 'wal');
    assert.equal(await pragma('synchronous'), 2);
    assert.equal(await pragma('foreign_keys'), 1);
    await store.destroy();
  });

  test('a transaction that fails leaves nothing', async () => {
    const store = await openStore(place);
    await assert.rejects(
      store.transaction().execute(async (transaction) => {
        await transaction.insertInto('users').values(user('u')).execute();
        throw new RangeError('stop');
      }),
      RangeError,
    );
    assert.deepEqual(await store.selectFrom('users').selectAll().execute(), []);
    await store.destroy();
  });

  test('updates report how many rows they changed, which single use rests on', async () => {
    const store = await openStore(place);
    await store
      .insertInto('users')
      .values([user('a'), user('b')])
      .execute();
    const disable = () =>
      store
        .updateTable('users')
        .set({ disabled_at: 2 })
        .where('id', '=', 'a')
        .where('disabled_at', 'is', null)
        .executeTakeFirstOrThrow();
    assert.equal((await disable()).numUpdatedRows, 1n);
    assert.equal((await disable()).numUpdatedRows, 0n);
    await store.destroy();
  });

  test('whoever checks and then writes in a transaction is not overtaken in between', async () => {
    const store = await openStore(place);
    const takeOne = () =>
      store.transaction().execute(async (transaction) => {
        const { value } = await transaction
          .selectFrom('counters')
          .select('value')
          .where('name', '=', 'revocation_epoch')
          .executeTakeFirstOrThrow();
        await transaction
          .updateTable('counters')
          .set({ value: value + 1 })
          .where('name', '=', 'revocation_epoch')
          .execute();
        return value;
      });
    const taken = await Promise.all(Array.from({ length: 30 }, takeOne));
    assert.deepEqual(
      taken.sort((a, b) => a - b),
      Array.from({ length: 30 }, (_, n) => n),
    );
    await store.destroy();
  });

  test('text sorts by its bytes, whatever the language of the database', async () => {
    const store = await openStore(place);
    const ids = ['b', 'B', 'a', 'é', '_', '1'];
    await store.insertInto('users').values(ids.map(user)).execute();
    const sorted = await store.selectFrom('users').select('id').orderBy('id').execute();
    assert.deepEqual(
      sorted.map(({ id }) => id),
      ['1', 'B', '_', 'a', 'b', 'é'],
    );
    await store.destroy();
  });

  test('a file that is no database is refused by code', async () => {
    writeFileSync(path, 'this is not a database, but it is long enough to be looked at as one');
    await assert.rejects(openStore(path), { code: 'open' });
  });
});
