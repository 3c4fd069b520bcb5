/**
 * Every string that the API takes, at every address of its own OpenAPI documents, is given the corpora of injection: a 4xx
 * with a code, nothing changed, nothing of it repeated in an answer or a log; and every body is damaged in every way.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { Browser } from './browser.ts';
import { type Answer, Installation } from './installation.ts';

/** Nothing else has it. */
const mark = 'Kx7marked';
const printable = {
  sql: `'; DROP TABLE users; -- ${mark}`,
  shell: `$(touch /tmp/${mark}) \`id\` | id`,
  path: `../../../etc/passwd ${mark}`,
};
const unprintable = {
  header: `x\r\nSet-Cookie: a=${mark}`,
  log: `x\n{"level":60,"msg":"${mark}"}`,
  bidi: `\u202e${mark}`,
  ansi: `\u001b[2J${mark}`,
  nul: `x\u0000${mark}`,
};
/** Where a person writes what they like, and it is kept as it is: everything that can be printed is right there. */
const free =
  /^(post \/admin\/(enrolments|users) name|(post|patch) \/admin\/services.* title|post \/admin\/devices\/.* name)$/;

type Schema = {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
  readonly $ref?: string;
  readonly pattern?: string;
};
type Operation = {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
};
interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
  readonly body?: Schema;
}

let installation: Installation;
let ada: Browser;
const routes: { admin: Route[]; hub: Route[] } = { admin: [], hub: [] };

before(async () => {
  installation = await new Installation().start();
  ada = new Browser(installation);
  const { body } = await ada.enrol((await installation.admin('POST', '/admin/enrolments/first', {})).body.url);
  for (const role of ['pki', 'notary', 'policy'])
    await installation.admin('POST', '/admin/roles', { user: body.user.id, role, held: true });
  routes.admin = routesOf((await installation.admin('GET', '/api/openapi.json')).body);
  const hub = (await ada.get('/api/openapi.json')).body;
  routes.hub = routesOf(hub).filter(({ path }) => !path.startsWith('/api/admin/'));
});
after(async () => {
  await installation.stop();
  installation.remove();
});

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document, of which a part is read
function routesOf(document: any): Route[] {
  const resolved = (schema: Schema): Schema =>
    schema.$ref === undefined ? schema : document.components.schemas[schema.$ref.split('/').at(-1) ?? ''];
  return Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const body = operation.requestBody?.content['application/json']?.schema;
      return { method, path, operation, ...(body !== undefined && { body: resolved(body) }) };
    }),
  );
}

/** Something of that shape. */
function sample(schema: Schema): unknown {
  const [one] = schema.anyOf ?? schema.oneOf ?? [];
  if (one !== undefined) return sample(one);
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.type === 'object')
    return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, sample(inner)]));
  if (schema.type === 'array') return [sample(schema.items ?? {})];
  if (schema.type === 'number' || schema.type === 'integer') return 1;
  return schema.type === 'boolean' ? false : 'x';
}

/** Each place of a string in it. @param isAlone without anything else, which a sample may be refused for */
function* strings(schema: Schema, isAlone: boolean): Iterable<{ at: string; put: (text: string) => unknown }> {
  for (const one of schema.anyOf ?? schema.oneOf ?? []) yield* strings(one, isAlone);
  if (schema.type === 'object')
    for (const [name, inner] of Object.entries(schema.properties ?? {}))
      for (const { at, put } of strings(inner, isAlone)) {
        const whole = isAlone ? {} : (sample(schema) as object);
        yield { at: at === '' ? name : `${name}.${at}`, put: (text) => ({ ...whole, [name]: put(text) }) };
      }
  else if (schema.type === 'array')
    for (const { at, put } of strings(schema.items ?? {}, isAlone)) yield { at, put: (text) => [put(text)] };
  else if (schema.type === 'string') yield { at: '', put: (text) => text };
}

/** What the hub takes is whole or nothing. */
function placesOf(which: 'admin' | 'hub', body: Schema = {}) {
  const alone = which === 'hub' ? [] : [...strings(body, true)].map((place) => ({ ...place, isAlone: true }));
  return [...[...strings(body, false)].map((place) => ({ ...place, isAlone: false })), ...alone];
}

const corpora = Object.entries({ ...printable, ...unprintable });
/** Three of them, in turn. */
function corporaOf(turn: number): [string, string][] {
  return [0, 3, 6].map((step) => corpora[(turn + step) % corpora.length]!);
}

/** All that is kept, but for the record of what was refused and for what a request spends. */
async function kept(): Promise<string> {
  const { store } = installation.control.context;
  const tables = (await store.introspection.getTables()).map(({ name }) => name);
  const looked = tables.filter((name) => !/^(audit|spent_nonces|ceremonies)$/.test(name));
  const all = await Promise.all(looked.map((name) => sql.raw(`SELECT * FROM ${name}`).execute(store)));
  // In whatever order the store has them.
  return JSON.stringify(all.map((table) => table.rows.map((row) => JSON.stringify(row)).sort()));
}

const fill = (path: string, text: string) => path.replaceAll(/\{[^}]+\}/g, encodeURIComponent(text));
async function send(which: 'admin' | 'hub', method: string, path: string, body?: unknown): Promise<Answer> {
  const upper = method.toUpperCase();
  // Nobody is slowed down, and no lease ends.
  if (which === 'hub') installation.clock.advance(260);
  if (which === 'admin') return installation.admin(upper, path, body as object);
  return upper === 'GET' ? ada.get(path) : ada.postSigned(path, (body ?? {}) as object);
}

/** Refused by a code of ours, and silent about what it was. */
function assertRefused(answer: Answer, what: string): void {
  assert.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status} ${answer.text.slice(0, 120)}`);
  assert.match(answer.body?.error ?? '', /^[a-z][a-z0-9_]+$/, what);
  assertSilent(answer, what);
}
function assertSilent(answer: Answer, what: string): void {
  assert.ok(!answer.text.includes(mark) && !JSON.stringify(answer.headers).includes(mark), `${what} repeats it`);
}
function assertLogged(): void {
  for (const line of installation.logged) {
    assert.ok(!line.includes(mark), line);
    assert.equal(typeof JSON.parse(line).level, 'number', line);
  }
}

for (const which of ['admin', 'hub'] as const) {
  test(`QPT-9: no name in an address and no part of a query of the ${which} injects anything`, async () => {
    for (const { method, path, operation, body } of routes[which]) {
      const had = await kept();
      for (const parameter of operation.parameters ?? [])
        for (const [kind, text] of corpora) {
          const what = `${method} ${path} ${parameter.name}: ${kind}`;
          const isName = parameter.in === 'path';
          const query = isName ? '' : `?${parameter.name}=${encodeURIComponent(text)}`;
          const answer = await send(which, method, fill(path, isName ? text : 'x') + query, body && sample(body));
          // What is looked for, or why something is done, may be any text that can be printed.
          const isText = (parameter.name === 'search' || parameter.name === 'reason') && kind in printable;
          if (isText || parameter.name === 'search') assert.ok(answer.status < 500, what);
          else assertRefused(answer, what);
          // Whatever it is asked of: it is refused for itself.
          if (parameter.name === 'reason' && kind in unprintable) assert.equal(answer.body.error, 'malformed', what);
          assertSilent(answer, what);
        }
      assert.equal(await kept(), had, `${method} ${path} left something`);
    }
    assertLogged();
  });

  test(`QPT-9: no string of a body at any address of the ${which} injects anything`, async () => {
    let asked = 0;
    for (const { method, path, body } of routes[which]) {
      const had = await kept();
      let isKept = false;
      for (const { at, put, isAlone } of placesOf(which, body))
        for (const [kind, text] of isAlone ? corpora : corporaOf(asked)) {
          const what = `${method} ${path} ${at}`;
          const answer = await send(which, method, fill(path, 'x'), put(text));
          asked += 1;
          const isFree = free.test(what) && kind in printable;
          // What is wrong with a draft is what its writer asks for, in Cedar's words, which quote it.
          if (/\/policies/.test(path) && at.includes('text'))
            assert.ok(answer.status === 400 || answer.body.faults.length > 0, `${what}: ${kind}`);
          else if (isFree && answer.status === 200) isKept = true;
          else if (isFree) assert.ok(answer.status < 500, `${what} ${kind}`);
          else assertRefused(answer, `${what}: ${kind}`);
        }
      if (!isKept) assert.equal(await kept(), had, `${method} ${path} left something`);
    }
    assertLogged();
    assert.ok(asked > 200, `${asked} were tried`);
  });
}

const bodies: readonly [what: string, body: string, headers?: Record<string, string>][] = [
  ['cut', `{"${mark}":`],
  ['a list', `["${mark}"]`],
  ['a text', `"${mark}"`],
  ['null', 'null'],
  ['nothing', ''],
  ['a key nobody knows', `{"${mark}":1}`],
  ['a prototype', `{"__proto__":{"${mark}":1},"constructor":{"prototype":{"${mark}":1}}}`],
  ['no UTF-8', Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]).toString('latin1')],
  ['deep', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
  ['of another type', `{"${mark}":1}`, { 'content-type': 'text/plain' }],
  ['too large', JSON.stringify({ [mark]: 'x'.repeat(200_000) })],
];
test('QPT-9: no damaged, oversized or foreign body is taken anywhere', async () => {
  const taking = routes.admin.filter(({ body }) => body !== undefined);
  assert.ok(taking.length > 20);
  const had = await kept();
  for (const { method, path } of taking)
    for (const [what, body, headers] of bodies) {
      const call = { method: method.toUpperCase(), path: fill(path, 'x'), body, ...(headers && { headers }) };
      const answer = await installation.socket(call);
      assertRefused(answer, `${method} ${path}: ${what}`);
    }
  assert.equal(await kept(), had);
  assertLogged();
});
