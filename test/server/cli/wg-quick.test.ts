/** Files of wg-quick in and out, and what a bad one is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readQuickPeers, writeQuickPeers } from '../../../server/cli/wg-quick.ts';

const [one, two] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64'));
const whole = `
# a laptop's file
[Interface]
PrivateKey = ${two}
Address = 10.0.0.2/32   # ours
PostUp = iptables -A FORWARD -i %i -j ACCEPT

[Peer]
PublicKey = ${one}
PresharedKey = ${two}
AllowedIPs = 10.0.0.0/24, fd00::/64
allowedips=10.1.0.1
Endpoint = [2001:db8::1]:51820
PersistentKeepalive = 25
[peer]\r
PublicKey = ${two}\r
AllowedIPs = 10.2.0.0/16\r
PersistentKeepalive = off\r
`;

test('QPT-8: reads every peer of a file, whatever the case of its names', () => {
  assert.deepEqual(readQuickPeers(whole), [
    {
      publicKey: one,
      presharedKey: two,
      allowedIps: ['10.0.0.0/24', 'fd00::/64', '10.1.0.1'],
      endpoint: '[2001:db8::1]:51820',
      keepaliveS: 25,
    },
    { publicKey: two, allowedIps: ['10.2.0.0/16'], keepaliveS: 0 },
  ]);
  assert.deepEqual(readQuickPeers('[Interface]\nListenPort = 1\n'), []);
});

const peer = `[Peer]\nPublicKey = ${one}\n`;
const refused: [text: string, line: number, reason: RegExp][] = [
  ['PublicKey = x', 1, /must stand under/],
  ['[Server]', 1, /section is/],
  ['[Interface]\nPublicKey = x', 2, /\[Interface\] has no setting/],
  ['[Peer]\nPrivateKey = x', 2, /\[Peer\] has no setting/],
  ['[Peer]\n__proto__ = x', 2, /\[Peer\] has no setting/],
  ['[Peer]\nPublicKey', 2, /"Name = value"/],
  ['[Peer]\nPublicKey = short', 2, /44 characters/],
  [`${peer}PublicKey = ${one}`, 3, /before in the same section/],
  [`${peer}PresharedKey = nothing`, 3, /44 characters/],
  [`${peer}AllowedIPs = 10.0.0.0/33`, 3, /prefixes such as/],
  [`${peer}AllowedIPs = 10.0.0.0/8,`, 3, /prefixes such as/],
  [`${peer}Endpoint = 192.0.2.1`, 3, /host:port/],
  [`${peer}Endpoint = wg.example.com:1`, 3, /must be an IP address/],
  [`${peer}PersistentKeepalive = 65536`, 3, /0 to 65535/],
  [`\n${peer}`, 2, /no AllowedIPs/],
  ['[Peer]\nAllowedIPs = 10.0.0.1', 1, /no PublicKey/],
  [`${peer}AllowedIPs = 10.0.0.1\n${peer}AllowedIPs = 10.0.0.2`, 4, /there before/],
  [`${peer}AllowedIPs = 10.0.0.0/8\n[Peer]\nPublicKey = ${two}\nAllowedIPs = fd00::/8, 10.1.0.0/16`, 4, /overlap/],
];

for (const [text, line, reason] of refused) {
  test(`QPT-8: a bad file is refused with its line: ${line}, ${reason.source}`, () => {
    assert.throws(
      () => readQuickPeers(text),
      (error: Error & { code: string }) => {
        assert.equal(error.code, 'wg_quick_malformed');
        assert.match(error.message, new RegExp(`^Line ${line}: `));
        assert.match(error.message, reason);
        return true;
      },
    );
  });
}

test('a refusal repeats nothing of the file, which may hold keys', () => {
  const secret = 'c2VjcmV0';
  for (const text of [
    `[Peer]\nPresharedKey = ${secret}`,
    `[Peer]\n${secret}`,
    `[${secret}]`,
    `[Peer]\n${secret} = 1`,
  ]) {
    assert.throws(
      () => readQuickPeers(text),
      (error: Error) => !error.message.includes(secret),
    );
  }
});

test('what is written is read back, without keys that are secret', () => {
  const peers = [
    { name: 'site', publicKey: one!, allowedIps: ['10.0.0.0/24'], endpoint: '192.0.2.1:51820', keepaliveS: 25 },
    { name: 'roamer', publicKey: two!, allowedIps: ['10.1.0.1/32', 'fd00::1/128'] },
  ];
  const text = writeQuickPeers(51_820, peers);
  assert.deepEqual(
    readQuickPeers(text),
    peers.map(({ name: _name, ...rest }) => rest),
  );
  assert.doesNotMatch(text, /^(Private|Preshared)Key/m);
});
