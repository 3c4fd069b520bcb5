/** TLS of our own: files that fit or do not, renewal, the name in a ClientHello, and whom a proxy may speak for. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { pino } from 'pino';
import { isPublic, readPair, type TlsErrorCode } from '../../../server/tls/certificate-files.ts';
import { CertificateWatch } from '../../../server/tls/certificate-watch.ts';
import { Proxies } from '../../../server/tls/proxies.ts';
import { certificateFor, newServer } from '../../../server/tls/secure-server.ts';
import { readServerName } from '../../../server/up/client-hello.ts';
import { openFrontDoor } from '../../../server/up/front-door.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const log = pino({ level: 'silent' });
const folder = mkdtempSync(join(tmpdir(), 'latchkey-tls-'));
let authority: CertificateAuthority;
before(async () => {
  authority = await CertificateAuthority.found(folder);
});
after(() => rmSync(folder, { recursive: true }));

test('BR-8: files that cannot be served are refused by what is wrong with them, and the message has no content of theirs', async () => {
  const [one, two] = [
    await authority.issue('one', { names: ['a.test'] }),
    await authority.issue('two', { names: ['b.test'] }),
  ];
  const empty = join(folder, 'empty');
  writeFileSync(empty, 'SECRET-LINE');
  const cases: [string, string, TlsErrorCode][] = [
    [join(folder, 'absent'), one.key, 'certificate_unreadable'],
    [empty, one.key, 'certificate_malformed'],
    [one.certificate, join(folder, 'absent'), 'key_unreadable'],
    [one.certificate, empty, 'key_malformed'],
    [one.certificate, two.key, 'key_mismatch'],
  ];
  for (const [certificate, key, code] of cases) {
    assert.throws(
      () => readPair({ certificate, key }),
      (error: Error & { code?: string }) => error.code === code && !error.message.includes('SECRET-LINE'),
      code,
    );
  }
  assert.equal(readPair(one).chain[0].checkHost('a.test'), 'a.test');
  assert.equal(isPublic(readPair(one)), false, 'nobody ships the root of this authority');
});

test('BR-8: a renewed pair is served as it comes, and one that does not fit yet leaves the old one in use', async () => {
  const clock = new FakeClock();
  const files = await authority.issue('renewed', { names: ['old.test'] });
  const seen: string[] = [];
  const watch = new CertificateWatch(files, {
    clock,
    log,
    onChange: ({ chain }) => seen.push(String(chain[0].subjectAltName)),
  });
  const [before, context] = [watch.pair, watch.context];
  const other = await authority.issue('other', { names: ['new.test'] });
  const { certificate, key } = readPair(other);
  // An ACME client writes one file after the other.
  writeFileSync(files.certificate, certificate);
  await clock.advance(60_000);
  assert.equal(watch.pair, before);
  writeFileSync(files.key, key);
  await clock.advance(60_000);
  assert.deepEqual(seen, ['DNS:new.test']);
  assert.notEqual(watch.context, context);
  rmSync(files.certificate);
  await clock.advance(60_000);
  assert.equal(watch.pair.chain[0].checkHost('new.test'), 'new.test', 'what is gone from the disk is served on');
  watch.close();
  assert.equal(clock.pending, 0);
});

/** The first bytes of a real client. */
async function helloOf(servername: string | undefined): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: '127.0.0.1', port, ...(servername !== undefined && { servername }) });
  client.on('error', () => undefined);
  const [socket] = await accepted;
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

test('BR-8: the name in a ClientHello is found at every length of what has come, whole and in small records', async () => {
  const hello = await helloOf('Tunnel.Apps.Test');
  for (let length = 0; length < hello.length; length += 1)
    assert.deepEqual(readServerName(hello.subarray(0, length)), { t: 'incomplete' }, `${length} bytes`);
  assert.deepEqual(readServerName(hello), { t: 'name', name: 'tunnel.apps.test' });
  const body = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < body.length; at += 100) {
    const part = body.subarray(at, at + 100);
    records.push(Buffer.concat([Buffer.from([22, 3, 1, 0, part.length]), part]));
  }
  assert.deepEqual(readServerName(Buffer.concat(records)), { t: 'name', name: 'tunnel.apps.test' });
  assert.deepEqual(readServerName(await helloOf(undefined)), { t: 'name', name: '' });
});

test('BR-8: a ClientHello with any byte changed is read or refused, and never throws', async () => {
  const hello = await helloOf('tunnel.apps.test');
  for (let at = 0; at < hello.length; at += 1) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const changed = Buffer.from(hello);
      changed[at] = value;
      assert.match(readServerName(changed).t, /^(incomplete|malformed|name)$/);
    }
  }
});

const config = { hubHost: 'hub.a.test', appsDomain: 'apps.b.test' };

for (const [name, kind] of [
  ['hub.a.test', 'hub'],
  ['HUB.A.TEST', 'hub'],
  ['wiki.apps.b.test', 'apps'],
  ['apps.b.test', undefined],
  ['.apps.b.test', undefined],
  ['x.wiki.apps.b.test', undefined],
  ['a.test', undefined],
  ['', undefined],
] as const) {
  test(`BR-8: the name "${name}" is served ${kind === undefined ? 'by no certificate' : `by the ${kind} certificate`}`, () => {
    assert.equal(certificateFor(config, name), kind);
  });
}

test('BR-8: the front door hands TLS over by name, unread, and each owner answers with its own certificate', async (t) => {
  const tls = {
    hub: await authority.issue('hub', { names: ['hub.a.test'] }),
    apps: await authority.issue('apps', { names: ['*.apps.b.test'] }),
    webTransport: 'auto',
  } as const;
  const owners = ['control', 'gateway'].map((owner) => {
    const server = newServer({ config: { ...config, tls }, clock: new FakeClock(), log }, {});
    server.on('request', (request, response) => response.end(`${owner} ${request.url}`));
    return [owner, server] as const;
  });
  const door = await openFrontDoor(
    { port: 0, host: '127.0.0.1', tunnelName: 'tunnel.apps.b.test' },
    (owner, socket, head) => {
      socket.unshift(head);
      return owners.find(([name]) => name === owner)?.[1].emit('connection', socket) ?? false;
    },
  );
  t.after(() => {
    door.close();
    for (const [, server] of owners) {
      server.closeAllConnections();
      server.emit('close');
    }
  });
  const ask = async (servername: string): Promise<string> => {
    const options = { host: '127.0.0.1', port: door.port, servername, ca: readRoot() };
    const socket: TLSSocket = connect(options, () =>
      socket.write(`GET /x HTTP/1.1\r\nhost: ${servername}\r\nconnection: close\r\n\r\n`),
    );
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    await once(socket, 'close');
    return text
      .split('\r\n\r\n')
      .slice(1)
      .join('')
      .replace(/^\w+\r\n|\r\n.*$/gs, '');
  };
  assert.match(await ask('hub.a.test'), /control \/x/);
  assert.match(await ask('wiki.apps.b.test'), /control \/x/);
  assert.match(await ask('tunnel.apps.b.test'), /gateway \/x/);
  await assert.rejects(ask('elsewhere.test'));
  const plain = await fetch(`http://127.0.0.1:${door.port}/`);
  assert.deepEqual([plain.status, await plain.text()], [400, 'This port speaks https.']);
});

function readRoot(): string {
  return readFileSync(authority.root, 'utf8');
}

for (const [peer, forwarded, proto, address, secure] of [
  ['127.0.0.1', '203.0.113.9', 'https', '203.0.113.9', true],
  ['::ffff:127.0.0.1', '203.0.113.9', 'https', '203.0.113.9', true],
  ['127.0.0.1', '203.0.113.9', undefined, '203.0.113.9', false],
  // Whoever writes the header first may write anything: what the proxy added counts.
  ['127.0.0.1', '10.0.0.1, 203.0.113.9', 'https', '203.0.113.9', true],
  // A proxy behind a proxy.
  ['127.0.0.1', '203.0.113.9, 10.1.2.3', 'https', '203.0.113.9', true],
  ['127.0.0.1', 'nonsense', 'https', '127.0.0.1', true],
  ['127.0.0.1', undefined, 'https', '127.0.0.1', true],
  // A stranger is who it is, whatever it says.
  ['198.51.100.7', '203.0.113.9', 'https', '198.51.100.7', false],
] as const) {
  test(`BR-8: ${peer} that says "${forwarded}" and ${proto} is taken for ${address}, ${secure ? '' : 'not '}over TLS`, () => {
    const proxies = new Proxies(['127.0.0.1/32', '10.1.0.0/16']);
    const headers = { 'x-forwarded-for': forwarded, 'x-forwarded-proto': proto };
    const request = { socket: { remoteAddress: peer }, headers } as unknown as IncomingMessage;
    assert.deepEqual(proxies.callerOf(request), { address, secure });
  });
}

test('BR-8: by default nobody speaks for anybody else', () => {
  const headers = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' };
  const request = { socket: { remoteAddress: '127.0.0.1' }, headers } as unknown as IncomingMessage;
  assert.deepEqual(new Proxies([]).callerOf(request), { address: '127.0.0.1', secure: false });
});
