/** What people write into a configuration, and the codes that refuse it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { addressOrNull, formatAddress } from '../../../server/netstack/address.ts';
import { type PeerConfig, WireGuardDevice } from '../../../server/wireguard/device.ts';
import { parsePrefix } from '../../../server/wireguard/ip.ts';
import { PrivateKey, type StaticPublic } from '../../../server/wireguard/keys.ts';
import { formatEndpoint, parseEndpoint } from '../../../server/wireguard/wire.ts';
import { publicKeyOf } from './pair.ts';

const someKey = publicKeyOf(new Uint8Array(32).fill(7));

const addresses: [string, string | null][] = [
  ['10.0.0.1', '10.0.0.1'],
  ['::', '::'],
  ['fd00::1', 'fd00::1'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ['::ffff:1.2.3.4', '::ffff:102:304'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ['fe80::1%eth0', null],
  ['10.0.0.256', null],
  ['10.0.0', null],
  ['1::2::3', null],
  ['', null],
];

for (const [text, expected] of addresses) {
  test(`reads the address "${text}" as ${expected}`, () => {
    const address = addressOrNull(text);
    assert.equal(address && formatAddress(address), expected);
  });
}

for (const text of [
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  'fd00::/129',
  'x/8',
  '/8',
  '10.0.0.0/ 8',
]) {
  test(`refuses "${text}" as allowed IPs`, () => {
    assert.throws(() => parsePrefix(text), { code: 'allowed_ips_malformed' });
  });
}

for (const text of ['host', 'host:', ':1', 'host:0', 'host:65536', '[::1]', '[10.0.0.1]:1', 'fd00::1:51820', 'a b:1']) {
  test(`refuses "${text}" as an endpoint`, () => {
    assert.throws(() => parseEndpoint(text), { code: 'endpoint_malformed' });
  });
}

test('reads endpoints of three kinds and writes addresses back', () => {
  assert.deepEqual(parseEndpoint('192.0.2.1:51820'), { host: '192.0.2.1', port: 51_820, literal: true });
  assert.deepEqual(parseEndpoint('[fd00::1]:1'), { host: 'fd00::1', port: 1, literal: true });
  assert.deepEqual(parseEndpoint('wg.example.com:65535'), { host: 'wg.example.com', port: 65_535, literal: false });
  assert.equal(formatEndpoint({ address: 'fd00::1', port: 1 }), '[fd00::1]:1');
  assert.equal(formatEndpoint({ address: '192.0.2.1', port: 2 }), '192.0.2.1:2');
});

const refusals: [string, Partial<PeerConfig>, string][] = [
  ['a key that is not base64', { publicKey: 'nonsense' }, 'key_malformed'],
  ['a key of 31 bytes', { publicKey: Buffer.alloc(31).toString('base64') }, 'key_malformed'],
  ['a point of low order', { publicKey: Buffer.alloc(32).toString('base64') }, 'key_malformed'],
  ['a preshared key of 16 bytes', { presharedKey: new Uint8Array(16) }, 'key_malformed'],
  ['allowed IPs that are none', { allowedIps: ['here'] }, 'allowed_ips_malformed'],
  ['an endpoint without a port', { endpoint: '192.0.2.1' }, 'endpoint_malformed'],
  ['half a second of keepalive', { persistentKeepaliveS: 0.5 }, 'keepalive_malformed'],
];

for (const [what, part, code] of refusals) {
  test(`a device refuses ${what} and stays as it was`, async () => {
    const device = new WireGuardDevice({ privateKey: randomBytes(32) });
    const good = { publicKey: someKey, allowedIps: ['10.0.0.1/32'] };
    device.setPeer(good);
    assert.throws(() => device.setPeer({ ...good, ...part }), { code });
    assert.deepEqual(
      device.peers().map((peer) => peer.allowedIps),
      [['10.0.0.1/32']],
    );
    await device.close();
  });
}

test('a device refuses its own key as a peer, and everything once it is closed', async () => {
  const privateKey = randomBytes(32);
  const device = new WireGuardDevice({ privateKey });
  assert.throws(() => device.setPeer({ publicKey: publicKeyOf(privateKey), allowedIps: [] }), { code: 'key_own' });
  await device.close();
  assert.throws(() => device.setPeer({ publicKey: someKey, allowedIps: [] }), { code: 'closed' });
});

test('routes by allowed IPs until the peer is removed, and says when that changes', async () => {
  const device = new WireGuardDevice({ privateKey: randomBytes(32) });
  let changes = 0;
  device.onRoutes = () => changes++;
  device.setPeer({ publicKey: someKey, allowedIps: ['10.0.0.0/24', 'fd00::/64'] });
  assert.equal(device.route('10.0.0.9'), someKey);
  assert.equal(device.route('fd00::9'), someKey);
  assert.equal(device.route('10.0.1.9'), undefined);
  assert.equal(device.route('not an address'), undefined);
  device.removePeer(someKey);
  assert.equal(device.route('10.0.0.9'), undefined);
  assert.equal(changes, 2);
  await device.close();
});

test('neither a private key nor a device can be printed or serialised into its secret', async () => {
  const privateKey = randomBytes(32);
  const presharedKey = randomBytes(32);
  const device = new WireGuardDevice({ privateKey });
  device.setPeer({ publicKey: someKey, allowedIps: [], presharedKey });
  const shown = [device, new PrivateKey<StaticPublic>(privateKey)]
    .map((one) => inspect(one, { depth: 20, showHidden: true }) + JSON.stringify(one))
    .join('');
  for (const secret of [privateKey, presharedKey]) {
    for (const encoding of ['hex', 'base64'] as const) {
      assert.ok(!shown.includes(secret.toString(encoding)), 'a secret was printed');
    }
    assert.ok(!shown.includes([...secret].join(',')), 'a secret was printed');
  }
  await device.close();
});
