import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64url, unbase64url } from '../../protocol/bytes.ts';
import { pinsFingerprint, signPins } from '../../protocol/pins.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import { believe, type LaunchAnswer } from '../../worker/tunnel/credential.ts';
import { type Changes, expected, keys, launchAnswer, now } from './launch-answer.ts';

const clock = { now: () => now };
const good = await launchAnswer();
const judge = (answer: LaunchAnswer, ours = expected) => believe(answer, ours, nodeCrypto, clock);

test('a whole and true answer is believed', async () => {
  const credential = await judge(good);
  assert.deepEqual(credential.gateway.publicKey, keys.gateway.publicKey);
  assert.deepEqual(credential.service, { name: 'wiki', title: 'The wiki', app: 'http://wiki.apps.localhost:8700' });
  assert.equal(credential.serial.length, 16);
  assert.equal(credential.renewInMs, 361_000);
  assert.deepEqual(
    credential.endpoints.map(({ transport, certHashes }) => [transport, certHashes.length]),
    [
      ['webtransport', 1],
      ['websocket', 0],
    ],
  );
});

test('QHX-4: a document with any part changed is not believed', async () => {
  const documents = {
    svid: good.svid,
    descriptor: good.descriptor,
    pins: good.pins,
    root: good.root,
    'certificates 1': good.certificates[1] ?? '',
    'certificates 2': good.certificates[2] ?? '',
  };
  let refused = 0;
  for (const [name, text] of Object.entries(documents)) {
    const bytes = unbase64url(text);
    // The front of each field, and places all along the bodies and signatures.
    const places = [
      0,
      4,
      5,
      36,
      37,
      40,
      41,
      42,
      ...Array.from({ length: 8 }, (_, i) => Math.floor((bytes.length * i) / 8)),
    ];
    for (const at of new Set([...places, bytes.length - 1])) {
      const tampered = bytes.slice();
      tampered[at] = tampered[at]! ^ 1;
      await assert.rejects(judge(withDocument(name, base64url(tampered))), { code: 'bad_answer' }, `${name} at ${at}`);
      refused += 1;
    }
    for (const cut of [bytes.slice(1), bytes.slice(0, -1), new Uint8Array([...bytes, 0]), new Uint8Array(0)])
      await assert.rejects(judge(withDocument(name, base64url(cut))), { code: 'bad_answer' }, `${name} cut`);
  }
  assert.ok(refused > 60);
});

function withDocument(name: string, text: string): LaunchAnswer {
  const [field = '', index] = name.split(' ');
  if (index === undefined) return { ...good, [field]: text };
  return { ...good, certificates: good.certificates.with(Number(index), text) };
}

const signedWrongly: Record<string, [Changes, string]> = {
  'a credential for another service': [{ service: 'payroll' }, 'bad_answer'],
  'a credential for another session key': [{ sessionPublicKey: keys.stranger.publicKey }, 'bad_answer'],
  'a descriptor signed by the credential issuer': [{ descriptorSigner: 'svid' }, 'bad_answer'],
  'a credential signed by the directory': [{ svidSigner: 'directory' }, 'bad_answer'],
  'a credential signed by a stranger': [{ svidSigner: 'stranger' }, 'bad_answer'],
  'certificates of another root': [{ certificateSigner: 'stranger' }, 'bad_answer'],
  'a descriptor that has expired': [{ descriptorNotAfter: now }, 'clock'],
  'a directory key that has expired': [{ directoryNotAfter: now - 1 }, 'clock'],
  'a gateway that speaks only later versions': [{ descriptorMinVersion: 2 }, 'version'],
};
for (const [what, [changes, code]] of Object.entries(signedWrongly))
  test(`QHX-4: ${what} is not believed`, async () => {
    await assert.rejects(judge(await launchAnswer(changes)), { code });
  });

test('QHX-4: pins other than those of the enrolment link are not believed', async () => {
  await assert.rejects(judge(good, { ...expected, pins: new Uint8Array(32) }), { code: 'bad_answer' });
});

test('QZ-22: a browser whose pins name the root that was before follows to the one in use, and only where they point', async () => {
  const before = (next: Uint8Array) =>
    signPins(nodeCrypto, keys.stranger, { current: nodeCrypto.sha256(keys.stranger.publicKey), next });
  const enrolledBefore = async (next: Uint8Array) => {
    const pins = await before(next);
    const earlier = [{ pins: base64url(pins), root: base64url(keys.stranger.publicKey) }];
    return judge({ ...good, earlier }, { ...expected, pins: pinsFingerprint(nodeCrypto, pins) });
  };
  const credential = await enrolledBefore(nodeCrypto.sha256(keys.root.publicKey));
  assert.deepEqual(credential.gateway.publicKey, keys.gateway.publicKey);
  await assert.rejects(enrolledBefore(nodeCrypto.sha256(keys.svid.publicKey)), { code: 'bad_answer' });
});

test('QHX-4: another root cannot stand behind the same pins', async () => {
  await assert.rejects(judge({ ...good, root: base64url(keys.stranger.publicKey) }), { code: 'bad_answer' });
});

const misshapen: Record<string, unknown> = {
  'no object': null,
  'an empty object': {},
  'no certificates': { ...good, certificates: [] },
  'certificates that are no texts': { ...good, certificates: [1, 2] },
  'a document that is no base64url': { ...good, svid: '+/=' },
  'the posture of another device': { ...good, posture: base64url(new Uint8Array(40)) },
  'a posture of another length': { ...good, posture: good.posture.slice(0, 40) },
  'another service by its side': { ...good, service: { ...good.service, name: 'payroll' } },
  'the origin of another app': { ...good, service: { ...good.service, app: 'http://payroll.apps.localhost:8700' } },
  'an endpoint in the clear': {
    ...good,
    endpoints: [{ url: 'http://127.0.0.1/', transport: 'webtransport', certHashes: [] }],
  },
  'an endpoint that is script': {
    ...good,
    endpoints: [{ url: 'javascript:1', transport: 'websocket', certHashes: [] }],
  },
  'an endpoint of no kind': { ...good, endpoints: [{ url: 'wss://a/', transport: 'carrier pigeon', certHashes: [] }] },
  'a path of roots that is none': { ...good, earlier: 'abc' },
  'a time that is none': { ...good, renewAfter: 'soon' },
};
for (const [what, answer] of Object.entries(misshapen))
  test(`an answer with ${what} is refused as such`, async () => {
    await assert.rejects(judge(answer as LaunchAnswer), { code: 'bad_answer' });
  });
