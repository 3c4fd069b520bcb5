import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8, utf8Decode } from '../../protocol/bytes.ts';
import type { Header } from '../../protocol/exchange/http.ts';
import type { Stream } from '../../protocol/stream.ts';
import type { PasswordStage } from '../../worker/api.ts';
import { basicAuthorization, basicRealm } from '../../worker/tunnel/basic-challenge.ts';
import { HttpExchange } from '../../worker/tunnel/http-exchange.ts';
import { HttpPasswords } from '../../worker/tunnel/http-passwords.ts';
import { settled } from '../support/fake-clock.ts';
import { answer, readHead, readRest, request, Said, TestTunnel } from './app-side.ts';

const challenges: readonly (readonly [string, string | undefined])[] = [
  ['Basic realm="the files"', 'the files'],
  ['basic realm=x', 'x'],
  ['Basic  realm = "wide"', 'wide'],
  ['Basic', ''],
  ['Basic charset="UTF-8"', ''],
  ['Basic charset="UTF-8", realm="q"', 'q'],
  ['Basic realm="a, \\"b\\""', 'a, "b"'],
  ['Negotiate abc==, Basic realm="x"', 'x'],
  ['Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"', 'simple'],
  ['Bearer, Basic realm="z"', 'z'],
  ['Basic, Bearer realm="not this"', ''],
  ['Digest realm="Basic realm=1"', undefined],
  ['Bearer', undefined],
  ['', undefined],
];

for (const [said, realm] of challenges)
  test(`BR-1: of the challenge ‘${said}’ the Basic realm is ${JSON.stringify(realm)}`, () => {
    assert.equal(basicRealm([['WWW-Authenticate', said]]), realm);
  });

test('BR-1: user and password are said in UTF-8 (RFC 7617 section 2.1), and a user with a colon is refused', () => {
  assert.equal(basicAuthorization('test', '123£'), 'Basic dGVzdDoxMjPCow==');
  assert.throws(() => basicAuthorization('a:b', 'c'), TypeError);
});

/** A tunnel whose person is asked for passwords. */
async function asked() {
  const tunnel = await TestTunnel.start();
  const stages: (PasswordStage | undefined)[] = [];
  const passwords = new HttpPasswords((stage) => stages.push(stage));
  const use = { open: tunnel.open.bind(tunnel), hidden: tunnel.hidden, origin: tunnel.origin, passwords };
  const begin = (fields = {}) => {
    const said = new Said();
    const exchange = new HttpExchange(request(fields), use, said.say);
    return { said, exchange, over: exchange.run() };
  };
  return { tunnel, stages, passwords, begin };
}

const basic: Header[] = [['www-authenticate', 'Basic realm="files"']];
const grace = basicAuthorization('grace', 'hopper');

async function refuse(stream: Stream): Promise<void> {
  await answer(stream, 401, basic, utf8('who?'));
  await stream.finish();
}

async function accept(stream: Stream): Promise<void> {
  await answer(stream, 200, [], utf8('in'));
  await stream.finish();
}

const authorizationOn = async (stream: Stream) =>
  (await readHead(stream)).head.headers.find(([name]) => name === 'authorization')?.[1];

test('BR-1: a service that asks for a password gets the person’s, the page its answer, and no page the question', async () => {
  const { tunnel, stages, passwords, begin } = await asked();
  const { said, over } = begin();
  const first = await tunnel.accept();
  assert.equal(await authorizationOn(first), undefined);
  await refuse(first);
  await settled();
  assert.deepEqual(stages, ['asked']);
  passwords.answer('grace', 'hopper');
  const second = await tunnel.accept();
  assert.equal(await authorizationOn(second), grace);
  await accept(second);
  assert.equal((await said.until('head')).status, 200);
  assert.equal(utf8Decode((await said.until('chunk')).chunk), 'in');
  await over;
  assert.deepEqual(stages, ['asked', undefined]);
  await tunnel.end();
});

test('BR-1: what was said is said at once next time, in and below the folder, until the tunnel ends', async () => {
  const { tunnel, passwords, begin } = await asked();
  passwords.keep('files', '/dav/list?all', grace);
  for (const [target, known] of [
    ['/dav/', grace],
    ['/dav/deep/er?x=/', grace],
    ['/davenport', undefined],
    ['/', undefined],
  ] as const) {
    const { over } = begin({ target });
    const stream = await tunnel.accept();
    assert.equal(await authorizationOn(stream), known, target);
    await accept(stream);
    await over;
  }
  passwords.forget();
  assert.equal(passwords.known('/dav/'), undefined);
  await tunnel.end();
});

test('BR-1: a password that is refused is asked for again; a person who would rather not leaves the page its 401', async () => {
  const { tunnel, stages, passwords, begin } = await asked();
  const { said, over } = begin();
  await refuse(await tunnel.accept());
  await settled();
  passwords.answer('grace', 'wrong');
  await refuse(await tunnel.accept());
  await settled();
  assert.deepEqual(stages, ['asked', undefined, 'wrong']);
  passwords.decline();
  const head = await said.until('head');
  assert.equal(head.status, 401);
  assert.deepEqual(head.headers, basic);
  assert.equal(utf8Decode((await said.until('chunk')).chunk), 'who?');
  await over;
  assert.equal(passwords.known('/'), undefined);
  // A script that goes on asking is not put to the person again; going somewhere is.
  const script = begin({ mode: 'cors', dest: 'empty' });
  await refuse(await tunnel.accept());
  assert.equal((await script.said.until('head')).status, 401);
  const page = begin();
  await refuse(await tunnel.accept());
  await settled();
  assert.equal(stages.at(-1), 'asked');
  passwords.forget();
  assert.equal((await page.said.until('head')).status, 401);
  await tunnel.end();
});

test('BR-1: twenty requests that are refused at once make one question', async () => {
  const { tunnel, stages, passwords, begin } = await asked();
  const begun = Array.from({ length: 20 }, () => begin());
  for (const _ of begun) await refuse(await tunnel.accept());
  await settled();
  passwords.answer('grace', 'hopper');
  for (const _ of begun) {
    const stream = await tunnel.accept();
    assert.equal(await authorizationOn(stream), grace);
    await accept(stream);
  }
  for (const { said } of begun) assert.equal((await said.until('head')).status, 200);
  assert.deepEqual(stages, ['asked', undefined]);
  await tunnel.end();
});

test('BR-1: a body is sent again with the password, as it was; one too long to be kept is not, and nobody is asked', async () => {
  for (const [length, isSentAgain] of [
    [10_000, true],
    [256 * 1024 + 1, false],
  ] as const) {
    const { tunnel, passwords, stages, begin } = await asked();
    const { said, exchange, over } = begin({ method: 'PUT', hasBody: true });
    const stream = await tunnel.accept();
    const body = Uint8Array.from({ length }, (_, i) => i % 251);
    const half = length >> 1;
    exchange.take({ t: 'body', id: 7, chunk: body.slice(0, half) });
    exchange.take({ t: 'body', id: 7, chunk: body.slice(half) });
    exchange.take({ t: 'body-end', id: 7, length });
    const { rest } = await readHead(stream);
    assert.deepEqual(await readRest(stream, rest), body);
    await refuse(stream);
    if (isSentAgain) {
      await settled();
      passwords.answer('grace', 'hopper');
      const again = await tunnel.accept();
      const { head, rest: more } = await readHead(again);
      assert.deepEqual(head.headers.at(-1), ['authorization', grace]);
      assert.deepEqual(await readRest(again, more), body);
      await accept(again);
    } else assert.deepEqual(stages, []);
    assert.equal((await said.until('head')).status, isSentAgain ? 200 : 401);
    await over;
    await tunnel.end();
  }
});

test('BR-1: what the address of a request says is tried after a refusal, as browsers do, and nobody is asked', async () => {
  const { tunnel, stages, passwords, begin } = await asked();
  const login = { user: 'grace', password: 'hopper' };
  const right = begin({ login, method: 'PROPFIND' });
  const first = await tunnel.accept();
  assert.equal(await authorizationOn(first), undefined);
  await refuse(first);
  const second = await tunnel.accept();
  assert.equal(await authorizationOn(second), grace);
  await accept(second);
  assert.equal((await right.said.until('head')).status, 200);
  assert.equal(passwords.known('/'), grace);
  const wrong = begin({ login });
  await refuse(await tunnel.accept());
  await refuse(await tunnel.accept());
  assert.equal((await wrong.said.until('head')).status, 401);
  assert.deepEqual(stages, []);
  await tunnel.end();
});

const own: readonly (readonly [string, object])[] = [
  ['says itself who it is', { headers: [['Authorization', 'Bearer token']] }],
  ['wants to be nobody', { anonymous: true }],
  ['calls another app', { call: { service: 'api', credentials: true } }],
];
for (const [what, fields] of own)
  test(`BR-1: a page that ${what} gets its 401, and the password of this service goes nowhere`, async () => {
    const { tunnel, stages, passwords, begin } = await asked();
    passwords.keep('files', '/', grace);
    const { said, over } = begin(fields);
    const stream = await tunnel.accept();
    assert.notEqual(await authorizationOn(stream), grace);
    await refuse(stream);
    assert.equal((await said.until('head')).status, 401);
    await over;
    assert.deepEqual(stages, []);
    await tunnel.end();
  });

test('BR-1: a request that was taken back while the person was asked is not sent', async () => {
  const { tunnel, passwords, begin } = await asked();
  const { exchange, over } = begin();
  await refuse(await tunnel.accept());
  await settled();
  exchange.take({ t: 'cancel', id: 7 });
  passwords.answer('grace', 'hopper');
  await over;
  assert.equal(tunnel.opened, 1);
  await tunnel.end();
});

test('QHX-6: a request without credentials carries no cookies of the page, and says so', async () => {
  const { tunnel, begin } = await asked();
  const { exchange, over } = begin({ anonymous: true });
  const stream = await tunnel.accept();
  const { head } = await readHead(stream);
  assert.deepEqual(head.headers[0], [':credentials', 'omit']);
  exchange.take({ t: 'cancel', id: 7 });
  await over;
  await tunnel.end();
});
