import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jarKeyOf } from '../../web/hub/device.ts';

test('a jar key is of one service, of one device, and comes out the same each time', async () => {
  const device = async (byte: number) => ({
    jarRoot: await crypto.subtle.importKey('raw', new Uint8Array(32).fill(byte), 'HKDF', false, ['deriveBits']),
  });
  const [one, two] = [await device(1), await device(2)];
  const wiki = await jarKeyOf(one, 'wiki');
  assert.equal(wiki.length, 32);
  assert.deepEqual(await jarKeyOf(one, 'wiki'), wiki);
  assert.notDeepEqual(await jarKeyOf(one, 'payroll'), wiki);
  assert.notDeepEqual(await jarKeyOf(two, 'wiki'), wiki);
});
