/** What a service is told of who is calling, by a real gateway over a real session. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { after, before, test } from 'node:test';
import { createLocalJWKSet, decodeJwt, type JWTVerifyOptions, jwtVerify } from 'jose';
import { WebSocketServer } from 'ws';
import { encodeRequestHead, type Header, ResponseHeadReader } from '../../../protocol/exchange/http.ts';
import { origins } from '../../../server/config.ts';
import { fetchThrough } from './world/exchange.ts';
import { World } from './world/world.ts';

let world: World;
let seen: IncomingMessage | undefined;

before(async () => {
  world = await World.open(
    (request, response) => {
      seen = request;
      response.writeHead(302, {
        location: `http://${request.headers.host}/next`,
        'set-cookie': `sid=1; Domain=${request.headers.host?.replace(/:.*/, '')}; Path=/`,
      });
      response.end();
    },
    [{}, { name: 'mail' }, { name: 'strict', host: 'upstream', upstreamHost: 'strict.internal:8080' }],
  );
  const webSockets = new WebSocketServer({ noServer: true });
  world.far.http.on('upgrade', (request, socket, head) => {
    seen = request;
    webSockets.handleUpgrade(request, socket, head, (webSocket) => webSocket.close());
  });
});
after(() => world.close());

const issuer = () => origins.hub(world.config);
const audience = (service: string) => origins.app(world.config, service);

/** The one thing a service has to do. */
async function verified(token: string, options: JWTVerifyOptions) {
  const keys = world.authority.hello?.assertionKeys ?? [];
  const set = createLocalJWKSet({ keys: keys.map(({ kid, x, y }) => ({ kty: 'EC', crv: 'P-256', kid, x, y })) });
  return (await jwtVerify(token, set, { algorithms: ['ES256'], ...options })).payload;
}

const claimed: Header[] = [
  ['X-Latchkey-User', 'mallory'],
  ['x_latchkey_jwt', 'forged'],
  ['X-Latchkey-Jwt', 'forged'],
  ['X-Latchkey-Groups', 'root'],
  ['X-Forwarded-User', 'mallory'],
  ['Remote-User', 'mallory'],
  ['X-Forwarded-For', '10.0.0.1'],
];

async function told(service: string, headers: Header[] = claimed): Promise<IncomingMessage['headers']> {
  const session = await world.client({ svid: { service } });
  await fetchThrough(session, '/', { service, headers });
  session.close('done');
  assert.ok(seen);
  return seen.headers;
}

test('QPT-9: a service is told who is calling by the gateway alone, in plain headers and signed', async () => {
  const headers = await told('wiki');
  assert.doesNotMatch(JSON.stringify(seen?.rawHeaders), /mallory|forged|root|10\.0\.0\.1/);
  assert.deepEqual(
    ['user', 'name', 'groups', 'device'].map((name) => headers[`x-latchkey-${name}`]),
    ['ada', 'ada', 'admins', 'laptop'],
  );
  const claims = await verified(String(headers['x-latchkey-jwt']), { issuer: issuer(), audience: audience('wiki') });
  const { iat = 0, nbf = 0, exp = 0, jti, sid, ...rest } = claims;
  assert.deepEqual(rest, {
    ...{ iss: issuer(), aud: audience('wiki'), sub: 'ada', name: 'ada', groups: ['admins'], device: 'laptop' },
    amr: ['passkey', 'deviceKey'],
  });
  assert.ok(exp - iat <= 120 && nbf <= iat);
  assert.match(String(jti), /^[0-9a-f-]{36}$/);
  assert.match(String(sid), /^[0-9a-f]+$/);
});

test('QPT-9: a statement for one service is worth nothing at another', async () => {
  const token = String((await told('mail'))['x-latchkey-jwt']);
  await assert.rejects(verified(token, { audience: audience('wiki') }), { claim: 'aud' });
  await verified(token, { audience: audience('mail') });
});

test('QPT-9: one statement serves a burst, each session has its own', async () => {
  const session = await world.client();
  const ids: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    await fetchThrough(session, '/');
    ids.push(decodeJwt(String(seen?.headers['x-latchkey-jwt'])).jti);
  }
  session.close('done');
  assert.equal(new Set(ids).size, 1);
  assert.notEqual(decodeJwt(String((await told('wiki'))['x-latchkey-jwt'])).jti, ids[0]);
});

test('QPT-9: a person who leaves a group is told so with the next request', async () => {
  const session = await world.client();
  await fetchThrough(session, '/');
  const before = structuredClone(world.authority.content);
  const changed = structuredClone(before);
  for (const entity of changed.entities)
    if (entity.uid.id === 'ada') entity.parents = [...entity.parents, { type: 'Group', id: 'guests' }];
  await world.publish(changed);
  await fetchThrough(session, '/');
  assert.equal(seen?.headers['x-latchkey-groups'], 'admins,guests');
  assert.deepEqual(decodeJwt(String(seen?.headers['x-latchkey-jwt']))['groups'], ['admins', 'guests']);
  session.close('done');
  await world.publish(before);
});

test('QPT-9: a WebSocket tells the same, and what its client claims is stripped', async () => {
  const session = await world.client();
  const stream = await session.open({ kind: 'websocket', service: 'wiki' });
  await stream.write(encodeRequestHead({ method: 'GET', target: '/socket', headers: claimed }));
  const reader = new ResponseHeadReader();
  for (let chunk = await stream.read(); chunk !== null && reader.push(chunk) === undefined; )
    chunk = await stream.read();
  assert.equal(reader.head.status, 101);
  assert.equal(seen?.headers['x-latchkey-user'], 'ada');
  await verified(String(seen?.headers['x-latchkey-jwt']), { audience: audience('wiki') });
  assert.doesNotMatch(JSON.stringify(seen?.rawHeaders), /mallory|forged/);
  session.close('done');
});

test('app-access: a service that chose its own host is told that one, and what it answers is mapped back', async () => {
  const session = await world.client({ svid: { service: 'strict' } });
  const origin = audience('strict');
  const { headers } = await fetchThrough(session, '/', {
    service: 'strict',
    method: 'POST',
    headers: [
      ['origin', origin],
      ['referer', `${origin}/page?x`],
      ['destination', `${origin}/copy`],
      [':mode', 'cors'],
    ],
    body: Buffer.from('x'),
  });
  assert.ok(seen);
  const { host, origin: said, referer, destination } = seen.headers;
  const own = 'http://strict.internal:8080';
  assert.deepEqual([host, said, referer, destination], ['strict.internal:8080', own, `${own}/page?x`, `${own}/copy`]);
  // Of one origin with the others: an app that believes them holds them against Origin.
  assert.deepEqual(
    [seen.headers['x-forwarded-proto'], seen.headers['x-forwarded-host']],
    ['http', 'strict.internal:8080'],
  );
  const value = (name: string) => headers.find(([other]) => other === name)?.[1];
  assert.equal(value('location'), `${origin}/next`);
  assert.match(value(':set-cookie') ?? '', /^sid=1; Path=\//);
  session.close('done');
});
