import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresUrlFault, withoutPassword, withSafeTransport } from '../../../server/store/postgres-url.ts';

test('QPT-8: a URL that names a PostgreSQL database is taken, and nothing that weakens its TLS', () => {
  const refused: [string, RegExp][] = [
    ['mysql://db/latchkey', /neither/],
    ['postgres', /neither/],
    ['postgres://ada:s3cret@[', /neither/],
    ['postgres://db', /no database/],
    ['postgres://db/', /no database/],
    ['postgres://db/latchkey?sslmode=require', /verify-full/],
    ['postgres://db/latchkey?sslmode=no-verify', /verify-full/],
    ['postgres://db/latchkey?ssl=0', /parameters/],
    ['postgres://db/latchkey?uselibpqcompat=true', /parameters/],
    ['postgres://db/latchkey?options=-c%20synchronous_commit%3Doff', /parameters/],
  ];
  for (const [url, words] of refused) {
    assert.match(postgresUrlFault(url) ?? '', words, url);
    assert.doesNotMatch(postgresUrlFault(url) ?? '', /s3cret/);
  }
  for (const url of [
    'postgres://ada:s3cret@db.example:5432/latchkey',
    'postgresql://db/latchkey?sslmode=verify-full&sslrootcert=/etc/ca.pem',
    'postgres:///latchkey?host=/run/postgresql&user=ada',
  ])
    assert.equal(postgresUrlFault(url), undefined, url);
});

test('QPT-8: a server on another machine is reached by TLS that verifies it, unless the URL says otherwise', () => {
  const mode = (url: string) => new URL(withSafeTransport(url)).searchParams.get('sslmode');
  const table: [string, string | null][] = [
    ['postgres://db.example/latchkey', 'verify-full'],
    ['postgres://ada:s3cret@192.0.2.7:5432/latchkey', 'verify-full'],
    ['postgres:///latchkey?host=db.example', 'verify-full'],
    ['postgres://localhost/latchkey?host=db.example', 'verify-full'],
    ['postgres://localhost.example/latchkey', 'verify-full'],
    ['postgres://db.example/latchkey?sslmode=disable', 'disable'],
    ['postgres://localhost/latchkey', null],
    ['postgres://127.0.0.1:5433/latchkey', null],
    ['postgres://[::1]/latchkey', null],
    ['postgres:///latchkey?host=/run/postgresql', null],
  ];
  for (const [url, expected] of table) assert.equal(mode(url), expected, url);
});

test('QPT-10: what people are shown of it has no password', () => {
  assert.equal(withoutPassword('postgres://ada:s3cret@db/latchkey'), 'postgres://ada:***@db/latchkey');
  assert.equal(withoutPassword('postgres://db/latchkey'), 'postgres://db/latchkey');
  assert.equal(withoutPassword('sqlite'), 'sqlite');
});
