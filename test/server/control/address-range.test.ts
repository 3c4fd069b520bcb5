import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  contains,
  formatRange,
  hostsOf,
  onlyAddress,
  overlap,
  parseRange,
} from '../../../server/control/address-range.ts';

describe('address ranges', () => {
  const forms: [string, string | undefined][] = [
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['255.255.255.255/32', '255.255.255.255/32'],
    ['fd6c:6b::1/48', 'fd6c:6b::/48'],
    ['2001:DB8:0:0:1::1', '2001:db8::1:0:0:1/128'],
    ['::ffff:192.0.2.1', '::ffff:c000:201/128'],
    ['::/0', '::/0'],
    ['10.0.0.0/33', undefined],
    ['fd00::/129', undefined],
    ['10.0.0/8', undefined],
    ['010.0.0.1', undefined],
    ['10.0.0.0/8x', undefined],
    ['10.0.0.0/-1', undefined],
    ['', undefined],
    ['fe80::1%eth0', undefined],
  ];
  for (const [text, form] of forms) {
    test(`${JSON.stringify(text)} is ${form ?? 'no range'}`, () => {
      const range = parseRange(text);
      assert.equal(range && formatRange(range), form);
    });
  }

  const pairs: [string, string, boolean][] = [
    ['10.0.0.0/8', '10.255.0.0/16', true],
    ['10.0.0.0/16', '10.1.0.0/16', false],
    ['0.0.0.0/0', '192.0.2.1', true],
    ['::/0', '10.0.0.1', false],
    ['fd00::/16', 'fd00:1::/32', true],
  ];
  for (const [a, b, expected] of pairs) {
    test(`${a} and ${b} ${expected ? 'overlap' : 'are apart'}, whichever is named first`, () => {
      assert.equal(overlap(parseRange(a)!, parseRange(b)!), expected);
      assert.equal(overlap(parseRange(b)!, parseRange(a)!), expected);
    });
  }

  test('a range contains addresses and no other ranges', () => {
    const range = parseRange('10.0.0.0/8')!;
    assert.equal(contains(range, '10.9.9.9'), true);
    assert.equal(contains(range, '11.0.0.1'), false);
    assert.equal(contains(range, '10.0.0.0/9'), false);
  });

  test('hosts of a subnet leave out its first and last address', () => {
    assert.deepEqual(
      [...hostsOf(parseRange('192.0.2.0/29')!)],
      [1, 2, 3, 4, 5, 6].map((n) => `192.0.2.${n}`),
    );
    assert.deepEqual([...hostsOf(parseRange('192.0.2.1/32')!)], []);
  });

  test('a peer of one address is named by it', () => {
    assert.equal(onlyAddress([parseRange('192.0.2.1')!]), '192.0.2.1');
    assert.equal(onlyAddress([parseRange('192.0.2.0/24')!]), undefined);
    assert.equal(onlyAddress([parseRange('192.0.2.1')!, parseRange('192.0.2.2')!]), undefined);
  });
});
