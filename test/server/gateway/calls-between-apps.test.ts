/** A page of one app calls another, through a real gateway: only where the operator said so, policy and CORS allow it. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import type { Header } from '../../../protocol/exchange/http.ts';
import { origins } from '../../../server/config.ts';
import { fetchThrough } from './world/exchange.ts';
import { World } from './world/world.ts';

let world: World;
const seen: IncomingMessage[] = [];
const origin = () => origins.app(world.config, 'wiki');

before(async () => {
  world = await World.open(
    (request, response) => {
      seen.push(request);
      const allowed = { 'access-control-allow-origin': origin(), 'access-control-allow-credentials': 'true' };
      if (request.url === '/closed') response.writeHead(200).end('closed');
      else if (request.url === '/moved') response.writeHead(302, { ...allowed, location: '/next' }).end();
      else if (request.method === 'OPTIONS')
        response.writeHead(204, { ...allowed, 'access-control-allow-methods': 'PUT' }).end();
      else
        response
          .writeHead(200, { ...allowed, 'set-cookie': 'sid=1', 'x-secret': '1', 'content-type': 'text/plain' })
          .end('data');
    },
    [{}, { name: 'api', corsFrom: ['wiki'] }, { name: 'mail' }, { name: 'old', corsFrom: ['wiki'] }],
  );
});
after(() => world.close());
beforeEach(() => {
  seen.length = 0;
});

async function call(service: string, target: string, method = 'GET', headers: Header[] = []) {
  const session = await world.client();
  try {
    return await fetchThrough(session, target, { service, method, headers });
  } finally {
    session.close('done');
  }
}
const code = ({ headers }: Awaited<ReturnType<typeof call>>) => headers.find(([name]) => name === ':error')?.[1];
const failed = async (...of: Parameters<typeof call>) => {
  try {
    return code(await call(...of));
  } catch (error) {
    return (error as { code?: string }).code;
  }
};
const stolen: Header[] = [
  ['origin', 'http://evil.example'],
  [':jar-key', Buffer.alloc(32, 5).toString('base64url')],
  [':cookies', 'sid=mine'],
  [':site', 'same-origin'],
];

test('app-access: a page may read another app that allows it, as its own origin, without cookies and without identity', async () => {
  const answer = await call('api', '/data', 'GET', stolen);
  assert.equal(answer.body.toString(), 'data');
  assert.deepEqual(
    answer.headers.filter(([name]) => !name.startsWith(':')),
    [['content-type', 'text/plain']],
  );
  const [{ headers } = { headers: {} as IncomingMessage['headers'] }] = seen;
  assert.equal(headers.origin, origin());
  assert.equal(headers['sec-fetch-site'], 'same-site');
  assert.deepEqual(
    [headers.cookie, headers['x-latchkey-user'], headers['x-latchkey-jwt']],
    [undefined, undefined, undefined],
  );
  const event = await world.authority.event(({ type, service }) => type === 'http.request' && service === 'api');
  assert.equal(event.decision, 'allow');
});

test('app-access: a call with credentials tells who is calling, and nothing of cookies', async () => {
  await call('api', '/data', 'GET', [[':credentials', 'include'], ...stolen]);
  assert.equal(seen[0]?.headers['x-latchkey-user'], 'ada');
  assert.equal(seen[0]?.headers.cookie, undefined);
});

test('app-access: what is not simple is asked for first, as nobody, and sent only when it is allowed', async () => {
  assert.equal((await call('api', '/data', 'PUT', [[':credentials', 'include']])).status, 200);
  assert.deepEqual(
    seen.map(({ method }) => method),
    ['OPTIONS', 'PUT'],
  );
  assert.equal(seen[0]?.headers['access-control-request-method'], 'PUT');
  assert.equal(seen[0]?.headers['x-latchkey-user'], undefined);
  seen.length = 0;
  assert.equal(await failed('api', '/data', 'DELETE'), 'denied');
  assert.deepEqual(
    seen.map(({ method }) => method),
    ['OPTIONS'],
  );
});

test('app-access: an answer that does not allow it is kept from the page, and a redirect is not followed', async () => {
  assert.equal(await failed('api', '/closed'), 'denied');
  assert.equal(await failed('api', '/moved'), 'denied');
});

test('QHX-6: one app calls no other that was not set to be called by it, nor one its person may not open', async () => {
  assert.equal(await failed('mail', '/data'), 'denied');
  assert.equal(await failed('old', '/data'), 'denied');
  const session = await world.client();
  await assert.rejects(session.open({ kind: 'websocket', service: 'api' }), { code: 'denied' });
  session.close('done');
  assert.deepEqual(seen, []);
});

test('QHX-6: a caller that is set no more is refused from the next call on', async () => {
  const before = structuredClone(world.authority.content);
  const session = await world.client();
  assert.equal((await fetchThrough(session, '/data', { service: 'api' })).status, 200);
  const changed = structuredClone(before);
  for (const service of changed.services) delete service.corsFrom;
  await world.publish(changed);
  await assert.rejects(session.open({ kind: 'http', service: 'api' }), { code: 'denied' });
  assert.equal((await fetchThrough(session, '/data')).status, 200, 'its own service goes on');
  session.close('done');
  await world.publish(before);
});
