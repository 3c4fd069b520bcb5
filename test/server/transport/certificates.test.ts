/** The certificate behind serverCertificateHashes, its successor, and the Retry token. */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { certificateDays, makeCertificate } from '../../../server/transport/certificate.ts';
import { Certificates } from '../../../server/transport/certificates.ts';
import { transportLimits } from '../../../server/transport/limits.ts';
import { RetryTokens } from '../../../server/transport/quiche/retry-token.ts';
import { ManualClock } from './support/clock.ts';
import { Random } from './support/random.ts';

const dayMs = 86_400_000;
const start = Date.UTC(2026, 10, 22);

describe('the certificate', () => {
  it('BR-6: is what browsers accept by its hash: ECDSA P-256, valid now, for less than a fortnight', async () => {
    const made = await makeCertificate(start);
    const certificate = new X509Certificate(made.certificate);
    assert.equal(certificate.publicKey.asymmetricKeyType, 'ec');
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    assert.ok(certificate.verify(certificate.publicKey));
    const from = Date.parse(certificate.validFrom);
    const to = Date.parse(certificate.validTo);
    assert.ok(from <= start && start < to);
    assert.ok(to - from <= 13 * dayMs);
    assert.deepEqual(made.hash, new Uint8Array(createHash('sha256').update(certificate.raw).digest()));
  });

  it('never repeats a key', async () => {
    const [one, two] = await Promise.all([makeCertificate(start), makeCertificate(start)]);
    assert.notDeepEqual(one.hash, two.hash);
    assert.notEqual(one.key, two.key);
  });
});

describe('the certificates', () => {
  it('BR-6: announces the next one from the start, and changes to it a day before the first ends', async () => {
    const clock = new ManualClock(start);
    const changed = Promise.withResolvers<void>();
    const certificates = await Certificates.start(clock, () => changed.resolve());
    const [first, second] = certificates.hashes;
    assert.deepEqual(certificates.current.hash, first);
    clock.advance((certificateDays - 1) * dayMs - 1);
    assert.deepEqual(certificates.current.hash, first);
    assert.ok(certificates.current.notAfter - clock.now() > 0.9 * dayMs);
    clock.advance(1);
    assert.deepEqual(certificates.current.hash, second);
    await changed.promise;
    const [now, third] = certificates.hashes;
    assert.deepEqual(now, second);
    assert.notDeepEqual(third, second);
    assert.notDeepEqual(third, first);
    certificates.close();
    assert.equal(clock.pending, 0);
  });

  it('serves one that is valid at every hour of two months', async () => {
    const clock = new ManualClock(start);
    let made = Promise.withResolvers<void>();
    const certificates = await Certificates.start(clock, () => made.resolve());
    let announced = certificates.hashes.map((hash) => Buffer.from(hash).toString('hex'));
    let changes = 0;
    for (let hour = 0; hour < 60 * 24; hour++) {
      const { hash, notBefore, notAfter } = certificates.current;
      assert.ok(notBefore <= clock.now() && clock.now() < notAfter);
      if (!announced.includes(Buffer.from(hash).toString('hex'))) assert.fail('a certificate came unannounced');
      if (Buffer.from(hash).toString('hex') === announced[1]) {
        await made.promise;
        made = Promise.withResolvers();
        changes += 1;
        announced = certificates.hashes.map((one) => Buffer.from(one).toString('hex'));
      }
      clock.advance(3_600_000);
    }
    assert.equal(changes, 4);
    certificates.close();
  });

  it('makes both anew after a sleep that outlived both', async () => {
    const clock = new ManualClock(start);
    const changed = Promise.withResolvers<void>();
    const certificates = await Certificates.start(clock, () => changed.resolve());
    const old = certificates.hashes;
    // A machine that slept runs no timers: the clock has simply moved when somebody looks.
    const asleep = new ManualClock(start + 40 * dayMs);
    clock.now = () => asleep.now();
    assert.ok(certificates.current);
    await changed.promise;
    const { notBefore, notAfter } = certificates.current;
    assert.ok(notBefore <= clock.now() && clock.now() < notAfter);
    for (const hash of certificates.hashes) for (const gone of old) assert.notDeepEqual(hash, gone);
    certificates.close();
  });
});

describe('a Retry token', () => {
  const peer = { host: '192.0.2.7', port: 4433 };
  const random = new Random();
  const ours = random.bytes(20);
  const theirs = random.bytes(8);
  let now = 5_000;
  const tokens = new RetryTokens(() => now);

  it('gives back the id the client first chose', () => {
    assert.deepEqual(tokens.open(tokens.mint(peer, ours, theirs), peer, ours), theirs);
  });

  it('is for one address, one port, one connection id and one server', () => {
    const token = tokens.mint(peer, ours, theirs);
    assert.equal(tokens.open(token, { ...peer, host: '192.0.2.8' }, ours), undefined);
    assert.equal(tokens.open(token, { ...peer, port: 4434 }, ours), undefined);
    assert.equal(tokens.open(token, peer, random.bytes(20)), undefined);
    assert.equal(new RetryTokens(() => now).open(token, peer, ours), undefined);
  });

  it('is refused with any bit changed and at any other length', () => {
    const token = tokens.mint(peer, ours, theirs);
    for (let i = 0; i < token.length; i++) {
      const changed = Buffer.from(token);
      changed[i]! ^= 1 << random.below(8);
      assert.equal(tokens.open(changed, peer, ours), undefined, `byte ${i}, seed ${random.seed}`);
      assert.equal(tokens.open(token.subarray(0, i), peer, ours), undefined);
    }
    assert.equal(tokens.open(Buffer.alloc(200), peer, ours), undefined);
  });

  it('does not last', () => {
    const token = tokens.mint(peer, ours, theirs);
    now += transportLimits.retryTokenMs;
    assert.deepEqual(tokens.open(token, peer, ours), theirs);
    now += 1;
    assert.equal(tokens.open(token, peer, ours), undefined);
  });
});
