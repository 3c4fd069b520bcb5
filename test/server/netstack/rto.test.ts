import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetransmissionTimeout } from '../../../server/netstack/rto.ts';

test('starts at one second and doubles to sixty at most', () => {
  const rto = new RetransmissionTimeout();
  const seen = Array.from({ length: 8 }, () => {
    const { ms } = rto;
    rto.backOff();
    return ms;
  });
  assert.deepEqual(seen, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
});

test('takes SRTT and RTTVAR from the first sample as RFC 6298 section 2.2 says', () => {
  const rto = new RetransmissionTimeout();
  rto.sample(400, 1);
  assert.equal(rto.ms, 400 + 4 * 200);
});

test('moves by 1/8 and 1/4 with each further sample', () => {
  const rto = new RetransmissionTimeout();
  rto.sample(400, 1);
  rto.sample(800, 1);
  assert.equal(rto.ms, 450 + 4 * (0.75 * 200 + 0.25 * 400));
});

test('a sample ends the doubling', () => {
  const rto = new RetransmissionTimeout();
  rto.backOff();
  rto.backOff();
  rto.sample(1_000, 1);
  assert.equal(rto.ms, 3_000);
});

test('never goes below the floor however short the way', () => {
  const rto = new RetransmissionTimeout();
  for (let i = 0; i < 100; i++) rto.sample(0, 1);
  assert.equal(rto.ms, 200);
});

test('many samples a round trip count as one', () => {
  const one = new RetransmissionTimeout();
  const many = new RetransmissionTimeout();
  one.sample(1_000, 1);
  many.sample(1_000, 1);
  one.sample(2_000, 1);
  for (let i = 0; i < 10; i++) many.sample(2_000, 10);
  assert.ok(Math.abs(one.ms - many.ms) < 150);
});
