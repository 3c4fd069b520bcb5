import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAddress, isUnicast, parseAddress } from '../../../server/netstack/address.ts';

const canonical: [text: string, same: string][] = [
  ['100.100.0.1', '100.100.0.1'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['fd6c:6b::1', 'fd6c:6b:0:0:0:0:0:1'],
  ['2001:db8::1:0:0:1', '2001:db8:0:0:1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:0DB8::1:1:1:1:1'],
  ['::ffff:c0a8:1', '::ffff:192.168.0.1'],
];

for (const [text, same] of canonical) {
  test(`reads ${same} and writes it as ${text}`, () => {
    assert.equal(formatAddress(parseAddress(same)), text);
    assert.equal(formatAddress(parseAddress(text)), text);
  });
}

for (const text of ['', 'localhost', '1.2.3', '1.2.3.256', 'fe80::1%eth0', '1::2::3', ':::']) {
  test(`refuses ${JSON.stringify(text)} as an address`, () => {
    assert.throws(() => parseAddress(text), TypeError);
  });
}

test('every address survives writing and reading', () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }).map((bytes) => Uint8Array.from(bytes)),
  );
  fc.assert(fc.property(address, (bytes) => assert.deepEqual(parseAddress(formatAddress(bytes)), bytes)));
});

test('answers nobody at a multicast, broadcast or unspecified address', () => {
  for (const text of ['224.0.0.1', '255.255.255.255', '0.0.0.0', 'ff02::1', '::']) {
    const address = parseAddress(text);
    assert.equal(isUnicast(address, 0, address.length), false, text);
  }
});
