/** The door of a service inside the tunnel: who shows what, and that nobody else gets as far as the service. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Duplex, duplexPair } from 'node:stream';
import { after, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { unbase64url } from '../../../protocol/bytes.ts';
import { tlsFloor } from '../../../server/channel/mutual-tls.ts';
import { systemClock } from '../../../server/channel/system-clock.ts';
import { demoService } from '../../../server/connector/demo/demo-service.ts';
import { ServiceDoor } from '../../../server/connector/service-door.ts';
import { InternalCa, newTlsIdentity } from '../../../server/control/internal-ca.ts';
import { InnerTls } from '../../../server/gateway/inner-tls.ts';
import { logger, setLogLevel } from '../../../server/log.ts';

setLogLevel('silent');
const domain = 'example.internal';
const serviceId = `spiffe://${domain}/ns/default/svc/demo`;
const now = Date.now();
const signal = new AbortController().signal;
const service = demoService();
let reached = 0;
let folder: string;
let ca: InternalCa;
let door: ServiceDoor;

function open(name: string): Promise<InternalCa> {
  const at = join(folder, name);
  const paths = { keys: join(at, 'keys'), trust: join(at, 'trust') };
  for (const path of Object.values(paths)) mkdirSync(path, { recursive: true });
  return InternalCa.open(paths, domain, now);
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'door-'));
  ca = await open('ours');
  door = newDoor();
  const { key, cert } = await newTlsIdentity(ca, serviceId, now);
  door.identify(key, { serviceSvids: { demo: cert }, authority: ca.certificate });
});
after(() => rmSync(folder, { recursive: true }));

function newDoor(): ServiceDoor {
  const behind = (caller: Duplex) => {
    reached++;
    service.emit('connection', caller);
  };
  return new ServiceDoor('demo', domain, behind, logger('test'));
}

/** A connection through the tunnel to the door. */
function tunnel(to = door): Duplex {
  const [near, far] = duplexPair();
  near.on('error', () => {});
  to.serve(far);
  // A break of one end is an end at the other, as the netstack's reset would be.
  far.once('close', () => near.destroy());
  return near;
}

async function gateway(id = `spiffe://${domain}/gateway/one`): Promise<InnerTls> {
  const inner = new InnerTls(systemClock);
  inner.certify(await ca.issue(unbase64url(inner.certificateKey), id, now));
  inner.trust({ authority: ca.certificate, federations: [] });
  return inner;
}

test('QPT-2: the gateway reaches the demo service through TLS inside the tunnel', async () => {
  const secured = await (await gateway()).secure(tunnel(), { spiffeId: serviceId }, signal);
  const asked = get({ host: 'demo', path: '/style.css', createConnection: () => secured as never });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  assert.equal(answer.statusCode, 200);
  assert.match(String(answer.headers['content-type']), /text\/css/);
  asked.destroy();
});

const strangers: Record<string, () => Promise<Duplex>> = {
  'the tunnel alone, in the clear': async () => {
    const near = tunnel();
    near.write('GET / HTTP/1.1\r\nHost: demo\r\n\r\n');
    return near;
  },
  'TLS without a certificate': async () => {
    const socket = tunnel();
    return connectTls({ socket, ...tlsFloor, ca: ca.certificate, checkServerIdentity: () => undefined });
  },
  'the certificate of a connector': async () => {
    const identity = await newTlsIdentity(ca, `spiffe://${domain}/connector/one`, now);
    return connectTls({ socket: tunnel(), ...tlsFloor, ...identity, checkServerIdentity: () => undefined });
  },
  'a gateway of another installation by our authority': async () => {
    const identity = await newTlsIdentity(ca, 'spiffe://other.internal/gateway/one', now);
    return connectTls({ socket: tunnel(), ...tlsFloor, ...identity, checkServerIdentity: () => undefined });
  },
  'a gateway of ours by another authority': async () => {
    const identity = await newTlsIdentity(await open('theirs'), `spiffe://${domain}/gateway/one`, now);
    return connectTls({ socket: tunnel(), ...tlsFloor, ...identity, rejectUnauthorized: false });
  },
  'a key exchange that is not post-quantum': async () => {
    const identity = await newTlsIdentity(ca, `spiffe://${domain}/gateway/one`, now);
    return connectTls({ socket: tunnel(), ...tlsFloor, ...identity, ecdhCurve: 'X25519' });
  },
  'a gateway, while the service has no certificate yet': async () => {
    const identity = await newTlsIdentity(ca, `spiffe://${domain}/gateway/one`, now);
    return connectTls({ socket: tunnel(newDoor()), ...tlsFloor, ...identity });
  },
};

for (const [who, come] of Object.entries(strangers))
  test(`QPT-2: ${who} gets no service`, async () => {
    const before = reached;
    const stranger = await come();
    stranger.on('error', () => {}).resume();
    // Not events.once, which takes an error before the end for its own.
    if (!stranger.destroyed) await new Promise((resolve) => stranger.once('close', resolve));
    assert.equal(reached, before);
  });

test('QPT-2: a gateway turns away from a door that shows another service', async () => {
  const secured = (await gateway()).secure(tunnel(), { spiffeId: `spiffe://${domain}/ns/default/svc/wiki` }, signal);
  await assert.rejects(secured, { code: 'EWRONGIDENTITY' });
});
