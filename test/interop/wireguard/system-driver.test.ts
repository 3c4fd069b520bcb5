/**
 * The gateway on an interface of the system: a real wireguard-go in a namespace with a default route, and tcpdump on that
 * other way out. Nothing of the data plane may ever be seen there in the clear.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { here, needsNamespaces } from '../../support/namespace.ts';
import { addresses, bareConnect, Cable, type Connector, Machine, newConnector } from './system-driver.ts';

const options = { ...needsNamespaces, timeout: 120_000 };

const target = ({ key }: Connector) => ({ host: addresses.service, port: 7, wireguardKey: key, text: 'hello' });
/** Impatient: what is held back gets no answer at all. */
const soon = (connector: Connector) => ({ ask: 'tcp', limitMs: 1_000, ...target(connector) }) as const;
const isEcho = ({ text }: { text?: string }) => text === 'hello';

/** A machine whose gateway reaches a plain WireGuard peer through wireguard-go. */
async function newMachine(t: Parameters<typeof newConnector>[0], exchanges = false) {
  const machine = new Machine(t);
  await machine.makeInterface();
  machine.guard();
  const connector = await newConnector(t, machine, exchanges);
  await machine.startGateway({ driver: 'system', interface: machine.interfaceName });
  await machine.ask({ ask: 'peers', peers: [connector.record], psks: connector.first });
  return { machine, connector };
}

test(
  'BR-7: the gateway reaches TCP and UDP services through a wireguard-go of the system, by UAPI',
  options,
  async (t) => {
    const { machine, connector } = await newMachine(t);
    const cable = await Cable.watch(t, machine, here.spawn);
    await machine.until(soon(connector), isEcho);
    assert.equal((await machine.ask({ ask: 'udp', ...target(connector) })).text, 'hello');
    const { peers } = await machine.until(
      { ask: 'status' },
      (answer) => answer.peers?.[0]?.lastHandshake !== undefined,
    );
    assert.equal(peers?.[0]?.publicKey, connector.key);
    assert.ok((peers?.[0]?.bytesIn ?? 0) > 0);
    assert.deepEqual(await cable.plaintext(), []);
    const { findings = [] } = await machine.ask({ ask: 'doctor' });
    assert.deepEqual(
      findings.map(({ check, verdict }) => [check, verdict]),
      [['dataplane', 'ok']],
    );
    // Another key than the one behind the address is refused here as with the embedded driver.
    const wrong = await machine.ask({ ask: 'tcp', ...target(connector), wireguardKey: machine.gatewayKey });
    assert.equal(wrong.error, 'EWRONGPEER');
  },
);

test('QPT-2: keys are exchanged through the system’s interface before a service is reached', options, async (t) => {
  const { machine, connector } = await newMachine(t, true);
  await machine.until(soon(connector), isEcho);
  const { peers } = await machine.ask({ ask: 'status' });
  assert.ok((peers?.[0]?.pskEpoch ?? 0) >= 1);
});

test(
  'BR-7: with the route or the interface gone not one packet leaves by another way, and both may come again',
  options,
  async (t) => {
    const { machine, connector } = await newMachine(t);
    const cable = await Cable.watch(t, machine, here.spawn);
    await machine.until(soon(connector), isEcho);

    machine.place.exec('ip', 'route', 'del', 'default', 'dev', machine.interfaceName, 'table', '51870');
    const routeless = await machine.ask({ ask: 'tcp', ...target(connector) });
    assert.match(routeless.error ?? '', /^E(HOST|NET)UNREACH$/);
    assert.equal(
      (await machine.ask({ ask: 'doctor' })).findings?.some(({ check }) => check === 'dataplane.route_missing'),
      true,
    );
    assert.match(bareConnect(machine), /^E(HOST|NET)UNREACH$/);

    await machine.endInterface();
    const gone = await machine.ask({ ask: 'tcp', ...target(connector) });
    assert.match(gone.error ?? '', /^E(ADDRNOTAVAIL|HOSTUNREACH|NETUNREACH)$/);
    // The worst case: somebody gives the address to another interface.
    machine.place.exec('ip', 'addr', 'add', `${addresses.gateway}/32`, 'dev', 'lo');
    assert.match(bareConnect(machine), /^E(HOST|NET)UNREACH$/);
    machine.place.exec('ip', 'addr', 'del', `${addresses.gateway}/32`, 'dev', 'lo');
    assert.deepEqual(await cable.plaintext(), []);

    await machine.makeInterface();
    machine.guard();
    await machine.until(soon(connector), isEcho);
    assert.deepEqual(await cable.plaintext(), []);
  },
);

test(
  'BR-7: each half of the guard holds alone, the gateway wants both, and without them plaintext would leave',
  options,
  async (t) => {
    const { machine, connector } = await newMachine(t);
    const cable = await Cable.watch(t, machine, here.spawn);
    await machine.until(soon(connector), isEcho);
    const { place, interfaceName } = machine;
    const table = `latchkey_${interfaceName}`;

    // Without the rule the gateway refuses, though the interface is there and works.
    place.exec('ip', 'rule', 'del', 'from', addresses.gateway, 'lookup', '51870');
    await machine.until(soon(connector), ({ error }) => error === 'EHOSTUNREACH');
    const checks =
      (await machine.ask({ ask: 'doctor' })).findings?.map(({ check, verdict }) => `${verdict} ${check}`) ?? [];
    assert.ok(checks.includes('fail dataplane.rule_missing'), checks.join());
    // nftables alone holds back what the default route would now take.
    assert.equal(bareConnect(machine), 'silence');
    assert.match(place.exec('nft', 'list', 'table', 'inet', table), /saddr 100\.100\.0\.1 .* counter packets [1-9]/);
    assert.deepEqual(await cable.plaintext(), []);

    machine.guard();
    await machine.until(soon(connector), isEcho);
    place.exec('nft', 'delete', 'table', 'inet', table);
    await machine.until(soon(connector), ({ error }) => error === 'EHOSTUNREACH');
    // The rule and its table alone.
    await machine.endInterface();
    place.exec('ip', 'addr', 'add', `${addresses.gateway}/32`, 'dev', 'lo');
    assert.match(bareConnect(machine), /^E(HOST|NET)UNREACH$/);
    assert.deepEqual(await cable.plaintext(), []);

    // And what all this is for: without either, it goes out by the default route, and our tcpdump sees it.
    place.exec('ip', 'rule', 'del', 'from', addresses.gateway, 'lookup', '51870');
    assert.equal(bareConnect(machine), 'silence');
    assert.match((await cable.plaintext()).join('\n'), /100\.100\.0\.1\.\d+ > 100\.100\.0\.2\.7: Flags \[S\]/);
  },
);

test('QPT-15: a plain routed interface stands in for WireGuard, under the same guard', options, async (t) => {
  const machine = new Machine(t);
  const { place } = machine;
  const [near, far] = [`${place.name}a`, `${place.name}b`];
  // The other end of the line, with a service, in a namespace of its own: the test's own network has no such addresses.
  const site = new Machine(t).place;
  site.exec('ip', 'link', 'add', far, 'type', 'veth', 'peer', 'name', near, 'netns', place.name);
  site.exec('ip', 'addr', 'add', `${addresses.service}/32`, 'dev', far);
  site.exec('ip', 'link', 'set', far, 'up');
  site.exec('ip', 'route', 'replace', `${addresses.gateway}/32`, 'dev', far, 'src', addresses.service);
  place.exec('ip', 'addr', 'add', `${addresses.gateway}/32`, 'dev', near);
  place.exec('ip', 'link', 'set', near, 'up');
  machine.guard(near);
  const script = "require('node:net').createServer((s) => s.pipe(s)).listen(7, () => console.log('up'))";
  const service = site.spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => service.stdout?.once('data', resolve));

  const peer = {
    publicKey: Buffer.alloc(32, 9).toString('base64'),
    name: 'line',
    allowedIps: [`${addresses.service}/32`],
  };
  await machine.startGateway({ driver: 'routed', interface: near });
  await machine.ask({ ask: 'peers', peers: [peer] });
  const ask = { ask: 'tcp', host: addresses.service, port: 7, wireguardKey: peer.publicKey, text: 'hello' } as const;
  assert.equal((await machine.ask(ask)).text, 'hello');
  assert.equal((await machine.ask({ ...ask, wireguardKey: machine.gatewayKey })).error, 'EWRONGPEER');

  const cable = await Cable.watch(t, machine, here.spawn);
  site.exec('ip', 'link', 'del', far);
  assert.match((await machine.ask(ask)).error ?? '', /^E(ADDRNOTAVAIL|HOSTUNREACH|NETUNREACH)$/);
  assert.deepEqual(await cable.plaintext(), []);
  // A connector of ours wants keys exchanged, which nobody does here.
  await machine.ask({ ask: 'peers', peers: [{ ...peer, pskExchange: true }] });
  assert.equal((await machine.ask({ ...ask, limitMs: 2_000 })).error, 'EHOSTUNREACH');
});
