/** What `wg show` says to people. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { archivedText, rotationText, shownText } from '../../../server/cli/wg-text.ts';
import { loadConfig } from '../../../server/config.ts';
import { fipsNote } from '../../../server/wireguard/fips-note.ts';

const peer = { publicKey: 'K', name: 'site', allowedIps: ['10.0.0.0/8'], presharedKey: false };
const live = { lastHandshake: 940_000, bytesIn: 5_242_880, bytesOut: 12, endpoint: '192.0.2.9:7' };
const exchanged = { ...live, pskEpoch: 3, pskSince: 970_000 };

const lines: [string, object, RegExp][] = [
  ['a plain peer as classical only', { ...peer, protection: 'classical', live }, /classical only$/],
  ['a key that somebody set', { ...peer, protection: 'preshared', live }, /preshared key$/],
  [
    'the epoch of an exchange',
    { ...peer, protection: 'exchanged', live: exchanged },
    /post-quantum, epoch 3, 30 s ago$/,
  ],
  ['an exchange that has not been', { ...peer, protection: 'exchanged', live }, /post-quantum, none yet$/],
  ['handshake and transfer', { ...peer, protection: 'classical', live }, /60 s ago +5\.00 MiB +12 B/],
  ['where the peer is heard', { ...peer, protection: 'classical', endpoint: '192.0.2.1:1', live }, /192\.0\.2\.9:7/],
  ['a peer without a gateway', { ...peer, protection: 'classical' }, /never +- +- +classical only$/],
];
for (const [what, shown, line] of lines) {
  test(`QPT-2: wg show says ${what}`, () => {
    assert.match(
      shownText({ publicKey: 'G', port: 51_820, peers: [shown] }, 1_000_000, 'a note')
        .split('\n')
        .at(-1) ?? '',
      line,
    );
  });
}

test('QPT-14: wg show says below its heading what FIPS does not approve', () => {
  const [plain, routed] = (['embedded', 'routed'] as const).map((driver) => {
    const { wireguard } = loadConfig();
    return fipsNote({ wireguard: { ...wireguard, driver } });
  });
  assert.match(shownText({ peers: [] }, 0, plain ?? ''), /\nnote: WireGuard .*ChaCha20-Poly1305.* FIPS 140-3 .*\n/);
  assert.match(routed ?? '', /^The tunnel from browsers .*ChaCha20-Poly1305/);
});

test('QPT-8: archived peers are shown with when and why', () => {
  const archived = { ...peer, connector: false, addedAt: 0, archivedAt: 0, reason: 'sold' };
  assert.match(archivedText({ peers: [archived] }), /1970-01-01T00:00:00\.000Z +sold$/);
});

test('QPT-7: a rotation says who has to be told', () => {
  assert.match(
    rotationText({ from: 'A', backup: 'b', toTell: ['router'] }),
    /would take the place of A[\s\S]*told by you: router\.$/,
  );
  const done = { from: 'A', to: 'B', backup: 'b', toTell: [] };
  assert.match(rotationText(done), /is B and takes the place of A[\s\S]*ends at once/);
  assert.match(
    rotationText({ ...done, oldUntil: 0 }),
    /until it has moved, or 1970-01-01T00:00:00\.000Z; connections go on/,
  );
});

test('QPT-7: wg show names the old key and who still uses it', () => {
  const retiring = { publicKey: 'OLD', until: 0, peers: ['K'] };
  assert.match(
    shownText({ publicKey: 'G', port: 1, retiring, peers: [{ ...peer, protection: 'classical' }] }, 0, 'a note'),
    /old public key: OLD, until 1970-01-01T00:00:00\.000Z, still used by site\n/,
  );
});
