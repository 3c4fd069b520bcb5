import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../protocol/bytes.ts';
import { launchChallenge } from '../../protocol/challenges.ts';
import { verifyComposite } from '../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import type { HubToTunnel, LaunchTerms, TunnelToHub } from '../../worker/api.ts';
import { type Launched, launchOver } from '../../worker/tunnel/launch.ts';
import { rememberingSigner } from '../protocol/fixed-handshake.ts';
import { Arrivals } from '../protocol/session/pair.ts';
import { FakeClock } from '../support/fake-clock.ts';

const hash = (text: string): Uint8Array => nodeCrypto.sha256(utf8(text));
const key = rememberingSigner('session');
const terms: LaunchTerms = {
  nonce: hash('nonce'),
  lease: hash('lease').slice(0, 16),
  rpId: 'hub.localhost',
  userHandle: hash('ada'),
  deviceKeyHash: hash('device'),
  postureHash: hash('posture'),
};
const launched = { t: 'launched', answer: { svid: 'x' }, pins: hash('pins'), jarKey: hash('jar') } as const;

/** A launch under way, and the hub's end of it. @param newest the fingerprint of the pins in use */
function begin(service = 'wiki', newest: Uint8Array = launched.pins) {
  const { port1, port2 } = new MessageChannel();
  const clock = new FakeClock();
  const heard = new Arrivals<TunnelToHub>();
  port2.onmessage = (event: MessageEvent<TunnelToHub>) => heard.push(event.data);
  const outcome: Promise<Launched> = launchOver(port1, service, key, {
    ...{ crypto: nodeCrypto, clock },
    believe: async () => ({ pins: newest }),
  });
  outcome.catch(() => undefined);
  const say = (message: HubToTunnel | object) => port2.postMessage(message);
  return { clock, heard, outcome, say, hubPort: port2 };
}

async function endorsementOf(service: string, challenge: object): Promise<Uint8Array> {
  const { heard, say, outcome, hubPort } = begin(service);
  say({ t: 'heard' });
  assert.equal((await heard.next()).t, 'key');
  say({ t: 'challenge', ...challenge });
  const message = await heard.next();
  assert.equal(message.t, 'endorsement');
  say(launched);
  await outcome;
  hubPort.close();
  return message.t === 'endorsement' ? message.signature : new Uint8Array(0);
}

const expectedChallenge = (service: string) =>
  launchChallenge(nodeCrypto, { ...terms, service, sessionKeyHash: nodeCrypto.sha256(key.publicKey) });

test('the Worker endorses its own key for its own service', async () => {
  const signature = await endorsementOf('wiki', terms);
  assert.ok(verifyComposite(key.publicKey, expectedChallenge('wiki'), 'Latchkey/1 launch', signature));
  assert.ok(!verifyComposite(key.publicKey, expectedChallenge('payroll'), 'Latchkey/1 launch', signature));
});

test('QZ-22: a hub whose pins led to a newer root is told which', async () => {
  const { heard, outcome, say, hubPort } = begin('wiki', hash('newer'));
  for (const message of [{ t: 'heard' }, { t: 'challenge', ...terms }, launched]) say(message);
  assert.deepEqual((await outcome).pins, launched.pins);
  const told = [await heard.next(), await heard.next(), await heard.next()];
  assert.deepEqual(told.at(-1), { t: 'followed', pins: hash('newer') });
  hubPort.close();
});

test('QHX-4: a hub cannot make the Worker sign for another service, another key or bytes of its choice', async () => {
  const wishes = { challenge: hash('anything'), service: 'payroll', sessionKeyHash: hash('another key') };
  const signature = await endorsementOf('wiki', { ...terms, ...wishes });
  assert.ok(verifyComposite(key.publicKey, expectedChallenge('wiki'), 'Latchkey/1 launch', signature));
});

test('a refusal of the hub comes out with its code, sentence and id', async () => {
  const { say, outcome } = begin();
  say({ t: 'heard' });
  say({ t: 'refused', code: 'denied', message: 'A policy says no.', correlation: 'c0ffee' });
  await assert.rejects(outcome, { code: 'denied', message: 'A policy says no.', correlation: 'c0ffee' });
});

const nonsense: Record<string, object[]> = {
  'an answer before the challenge': [{ t: 'heard' }, launched],
  'a challenge before it heard': [{ t: 'challenge', ...terms }],
  'a kind nobody knows': [{ t: 'heard' }, { t: 'open sesame' }],
  'terms of the wrong length': [{ t: 'heard' }, { t: 'challenge', ...terms, nonce: new Uint8Array(31) }],
  'terms that are no bytes': [{ t: 'heard' }, { t: 'challenge', ...terms, lease: 'lease' }],
  'no terms': [{ t: 'heard' }, { t: 'challenge' }],
  'a jar key that is no key': [
    { t: 'heard' },
    { t: 'challenge', ...terms },
    { ...launched, jarKey: hash('x').slice(1) },
  ],
  'pins that are no bytes': [{ t: 'heard' }, { t: 'challenge', ...terms }, { ...launched, pins: 'pins' }],
};
for (const [what, messages] of Object.entries(nonsense))
  test(`a hub that says ${what} is not followed`, async () => {
    const { say, outcome } = begin();
    for (const message of messages) say(message);
    await assert.rejects(outcome, { code: 'hub_confused' });
  });

test('a hub that is not there is given up after eight seconds', async () => {
  const { clock, outcome } = begin();
  await clock.advance(7_999);
  assert.equal(clock.pending, 1);
  await clock.advance(1);
  await assert.rejects(outcome, { code: 'hub_silent' });
  assert.equal(clock.pending, 0);
});

test('a hub that is there and slow is waited for longer', async () => {
  const { clock, heard, outcome, say } = begin();
  say({ t: 'heard' });
  await heard.next();
  await clock.advance(20_000);
  say({ t: 'challenge', ...terms });
  assert.equal((await heard.next()).t, 'endorsement');
  await clock.advance(30_000);
  await assert.rejects(outcome, { code: 'hub_silent' });
});
