import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, equal, hex, isZero } from '../../protocol/bytes.ts';
import { L } from '../../protocol/labels.ts';
import * as schedule from '../../protocol/schedule.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';

const fill = (value: number, length = 32): Uint8Array => new Uint8Array(length).fill(value);
const first = () => schedule.firstEpoch(nodeCrypto, fill(1), fill(2));
const step = (epoch: schedule.EpochSecrets, shared = fill(5, 64), init = fill(3, 1_220), resp = fill(4, 1_124)) =>
  schedule.nextEpoch(nodeCrypto, epoch, init, resp, shared);

test('the label carries output length, prefix and context, each with its length', () => {
  const infos: string[] = [];
  const expand = (_: Uint8Array, info: Uint8Array, length: number) => {
    infos.push(hex(info));
    return new Uint8Array(length);
  };
  L({ expand }, fill(0), 'stream', Uint8Array.of(9), 48);
  assert.deepEqual(infos, [`00300a${Buffer.from('lk1 stream').toString('hex')}0109`]);
});

test('no two keys of an epoch are alike: directions, streams, flows, exporters', () => {
  const epoch = first();
  const keys = [epoch.client, epoch.gateway].flatMap((direction) => [
    direction,
    ...[0n, 1n, 2n, 256n, 2n ** 63n].map((id) => schedule.streamKey(nodeCrypto, direction, id)),
    ...[0, 1, 256, 2 ** 31].map((id) => schedule.datagramKey(nodeCrypto, direction, id)),
  ]);
  keys.push(epoch.chain, epoch.exporter, schedule.rekeyConfirm(nodeCrypto, epoch));
  for (const label of ['a', 'b'])
    for (const context of [fill(1, 0), fill(1, 1)])
      keys.push(schedule.exporterValue(nodeCrypto, epoch, label, context));
  assert.equal(new Set(keys.map(hex)).size, keys.length);
});

test('QZ-11: a rekey whose X25519 half is zero ends the session, and either half changes the epoch', () => {
  const epoch = first();
  assert.throws(() => step(epoch, concat(fill(5), fill(0))), { name: 'KeyExchangeError', code: 'zero_share' });
  const epochs = [step(epoch), step(epoch, concat(fill(6), fill(5))), step(epoch, concat(fill(5), fill(6)))];
  assert.equal(new Set(epochs.map(({ client }) => hex(client))).size, 3);
});

test('QZ-15: an epoch depends on every byte of both rekey messages and on all epochs before', () => {
  const plain = step(first());
  const [init, resp] = [fill(3, 1_220), fill(4, 1_124)];
  init[1_219]! ^= 1;
  resp[0]! ^= 1;
  const others = [
    step(first(), undefined, init),
    step(first(), undefined, undefined, resp),
    step(schedule.firstEpoch(nodeCrypto, fill(9), fill(2))),
  ];
  for (const other of others) assert.ok(!equal(other.client, plain.client));
  assert.deepEqual([plain.number, step(plain).number], [1, 2]);
});

test('an ended epoch holds no secret, and the next one does not depend on it any more', () => {
  const epoch = first();
  const next = step(epoch);
  schedule.wipeEpoch(epoch);
  for (const secret of [epoch.client, epoch.gateway, epoch.chain, epoch.exporter]) assert.ok(isZero(secret));
  for (const secret of [next.client, next.gateway, next.chain, next.exporter]) assert.ok(!isZero(secret));
});

test('a rekey leaves no secret behind but the new epoch, whether it works or not', () => {
  const handedOut: Uint8Array[] = [];
  const keep = (secret: Uint8Array): Uint8Array => {
    handedOut.push(secret);
    return secret;
  };
  const crypto = {
    ...nodeCrypto,
    extract: (salt: Uint8Array, ikm: Uint8Array) => keep(nodeCrypto.extract(salt, ikm)),
    expand: (key: Uint8Array, info: Uint8Array, length: number) => keep(nodeCrypto.expand(key, info, length)),
  };
  const next = schedule.nextEpoch(crypto, first(), fill(3), fill(4), fill(5, 64));
  schedule.rekeyConfirm(crypto, next);
  const left = handedOut.filter((secret) => !isZero(secret));
  assert.deepEqual(new Set(left), new Set([next.client, next.gateway, next.chain, next.exporter]));
  assert.equal(handedOut.length, 6);
});
