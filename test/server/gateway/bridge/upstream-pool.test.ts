import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import 'reflect-metadata';
import { PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { serveHttp } from '../../../../server/gateway/bridge/http-exchange.ts';
import type { UpstreamTarget } from '../../../../server/gateway/bridge/upstream-pool.ts';
import { connectLimitMs } from '../../../../server/gateway/limits.ts';
import { context } from '../exchange/support.ts';
import { fixture, listen, plainConnect } from './fixture.ts';
import { StreamPair } from './stream-pair.ts';

async function certificate(names: ConstructorParameters<typeof SubjectAlternativeNameExtension>[0]) {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const made = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=test service',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: algorithm,
    keys,
    extensions: [new SubjectAlternativeNameExtension(names)],
  });
  const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { cert: made.toString('pem'), key };
}

async function get(to: ReturnType<typeof fixture>) {
  const pair = new StreamPair();
  const outcome = serveHttp(pair.gateway, to.deps);
  outcome.catch(() => undefined);
  const answer = pair.receive();
  answer.catch(() => undefined);
  await pair.sendHead('GET', '/');
  pair.finish();
  return { outcome, answer };
}

for (const [upstreamHost, names] of [
  ['wiki.internal:8443', [{ type: 'dns', value: 'wiki.internal' }]],
  ['127.0.0.1', [{ type: 'ip', value: '127.0.0.1' }]],
] as const)
  test(`BR-1: speaks TLS to ${upstreamHost} over the data plane and checks who answers`, async () => {
    const pair = await certificate([...names]);
    const port = await listen(createHttpsServer(pair, (_request, response) => response.end('ok')));
    const service = { scheme: 'https', upstreamHost } as const;
    const good = await get(fixture(port, { service, ca: pair.cert }));
    assert.equal((await good.answer).status, 200);
    await good.outcome;
    const unknown = await get(fixture(port, { service }));
    await assert.rejects(unknown.outcome, { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    const named = await get(fixture(port, { service: { ...service, upstreamHost: 'other.internal' }, ca: pair.cert }));
    await assert.rejects(named.outcome, { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

test('QHX-4: never speaks plain HTTP to a service that was said to be https', async () => {
  let first = '';
  const port = await listen(
    createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (chunk: Buffer) => {
        first = chunk.toString('latin1');
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno');
      });
    }),
  );
  const { outcome } = await get(fixture(port, { service: { scheme: 'https' } }));
  await assert.rejects(outcome);
  assert.equal(first.charCodeAt(0), 0x16, 'a TLS handshake record');
  assert.ok(!first.includes('GET /') && !first.includes('x-latchkey'));
});

test('BR-7: asks for the address and the WireGuard key of the service, nothing else', async () => {
  const targets: UpstreamTarget[] = [];
  const { pool } = fixture(7, {
    connect: async (target) => {
      targets.push(target);
      return new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    },
  });
  (await pool.connect()).destroy();
  assert.deepEqual(targets, [{ host: '127.0.0.1', port: 7, wireguardKey: context.service.wireguardKey }]);
});

test('BR-7: closing the pool ends every connection, those under way too', async () => {
  const ended = Promise.withResolvers<void>();
  const port = await listen(
    createServer((socket) => {
      socket.on('close', () => ended.resolve());
      socket.resume();
    }),
  );
  const { pool } = fixture(port, { connect: plainConnect });
  await pool.connect();
  pool.close();
  await ended.promise;
  await assert.rejects(pool.connect(), { code: 'timeout' });

  const never = fixture(port, {
    connect: (_target, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });
  const connecting = never.pool.connect();
  never.pool.close();
  await assert.rejects(connecting, { code: 'timeout' });
});

test('only connections that are kept for later requests have to be answered as soon as a new one', async () => {
  const port = await listen(createHttpServer((_request, response) => response.end('ok')));
  const limits: (number | undefined)[] = [];
  const to = fixture(port, {
    connect: (target, signal) => {
      limits.push(target.answerLimitMs);
      return plainConnect(target, signal);
    },
  });
  assert.equal((await (await get(to)).answer).status, 200);
  (await to.pool.connect()).destroy();
  assert.deepEqual(limits, [connectLimitMs, undefined]);
});
