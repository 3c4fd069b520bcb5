import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOrNull } from '../../../server/netstack/address.ts';
import { AllowedIps } from '../../../server/wireguard/allowed-ips.ts';
import { formatPrefix, type IpBytes, maskTo, type Prefix, parsePrefix } from '../../../server/wireguard/ip.ts';
import { newSeed, Seeded } from './seeded.ts';

/** The slow twin: looks at every prefix. */
class LinearRouter {
  #entries: { prefix: Prefix; owner: number }[] = [];

  assign(owner: number, prefixes: Prefix[]): void {
    const taken = new Set(prefixes.map(formatPrefix));
    this.#entries = this.#entries.filter((entry) => entry.owner !== owner && !taken.has(formatPrefix(entry.prefix)));
    for (const name of taken) this.#entries.push({ prefix: parsePrefix(name), owner });
  }

  release(owner: number): void {
    this.#entries = this.#entries.filter((entry) => entry.owner !== owner);
  }

  lookup(address: IpBytes): number | undefined {
    const fits = this.#entries.filter(
      ({ prefix }) =>
        prefix.address.length === address.length &&
        Buffer.compare(maskTo(address, prefix.length), prefix.address) === 0,
    );
    return fits.sort((a, b) => b.prefix.length - a.prefix.length)[0]?.owner;
  }

  count(owner: number): number {
    return this.#entries.filter((entry) => entry.owner === owner).length;
  }
}

/** Few distinct bytes, so that prefixes nest, touch and collide. */
function randomAddress(random: Seeded, length: 4 | 16): IpBytes {
  const common = random.below(length);
  return Uint8Array.from({ length }, (_, n) =>
    n < common ? 10 : [0, 10, 10, 128, 255, random.below(256)][random.below(6)]!,
  );
}

function randomPrefix(random: Seeded): Prefix {
  const length = random.next() < 0.5 ? 4 : 16;
  const bits = random.below(length * 8 + 1);
  return { address: maskTo(randomAddress(random, length), bits), length: bits };
}

test('BR-7: cryptokey routing agrees with a linear router on 2^13 random sets', () => {
  const random = new Seeded(newSeed());
  const trie = new AllowedIps<number>();
  const linear = new LinearRouter();
  for (let round = 0; round < 2 ** 13; round++) {
    const owner = random.below(12);
    if (random.next() < 0.2) {
      trie.release(owner);
      linear.release(owner);
    } else {
      const prefixes = Array.from({ length: random.below(12) }, () => randomPrefix(random));
      trie.assign(owner, prefixes);
      linear.assign(owner, prefixes);
    }
    for (let probe = 0; probe < 8; probe++) {
      const address = randomAddress(random, random.next() < 0.5 ? 4 : 16);
      assert.equal(trie.lookup(address), linear.lookup(address), `seed ${random.seed}, round ${round}`);
    }
    if (round % 16 > 0) continue;
    for (let one = 0; one < 12; one++) assert.equal(trie.prefixesOf(one).length, linear.count(one));
  }
});

const routed: [string, string | undefined][] = [
  ['10.1.2.3', 'host'],
  ['10.1.2.4', 'net'],
  ['10.9.9.9', 'wide'],
  ['11.0.0.0', 'default'],
  ['fd00::1', 'six'],
  ['fd01::1', undefined],
];

test('the longest prefix wins, and the families do not mix', () => {
  const trie = new AllowedIps<string>();
  trie.assign('default', [parsePrefix('0.0.0.0/0')]);
  trie.assign('wide', [parsePrefix('10.0.0.0/8')]);
  trie.assign('net', [parsePrefix('10.1.2.0/24')]);
  trie.assign('host', [parsePrefix('10.1.2.3')]);
  trie.assign('six', [parsePrefix('fd00::/16')]);
  for (const [address, owner] of routed) assert.equal(trie.lookup(addressOrNull(address)!), owner, address);
});

test('a prefix that is given to another peer is no longer the first one’s', () => {
  const trie = new AllowedIps<string>();
  trie.assign('a', [parsePrefix('10.0.0.0/8'), parsePrefix('10.1.0.0/16')]);
  trie.assign('b', [parsePrefix('10.1.0.0/16')]);
  assert.equal(trie.lookup(addressOrNull('10.1.0.1')!), 'b');
  trie.release('a');
  assert.equal(trie.lookup(addressOrNull('10.1.0.1')!), 'b');
  assert.equal(trie.lookup(addressOrNull('10.2.0.1')!), undefined);
});
