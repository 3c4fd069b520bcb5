/** STEPUP and STEPUP_ASSERT: both ends know the same exporter, no two sessions do, and each question is answered once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, DecodeError, hex, isZero, utf8 } from '../../../protocol/bytes.ts';
import { decodeNotice, encodeNotice } from '../../../protocol/notice.ts';
import { recordKind } from '../../../protocol/record.ts';
import { type EpochSecrets, exporterValue } from '../../../protocol/schedule.ts';
import {
  decodeStepupAssertion,
  encodeStepupAssertion,
  type StepupAssertion,
  type StepupQuestion,
} from '../../../protocol/stepup.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { settled } from '../../support/fake-clock.ts';
import { Arrivals, epochZero, newPair, newRawPeer, type PairOptions } from './pair.ts';

const nonce = new Uint8Array(32).fill(4);
const assertion: StepupAssertion = {
  credentialId: Uint8Array.of(1, 2, 3),
  authenticatorData: new Uint8Array(37).fill(5),
  clientDataJson: utf8('{"type":"webauthn.get"}'),
  signature: new Uint8Array(70).fill(6),
  userHandle: new Uint8Array(0),
};

type Answer = { readonly question: StepupQuestion; readonly assertion: StepupAssertion | undefined };

async function askingPair(options: PairOptions = {}) {
  const asked = new Arrivals<StepupQuestion>();
  const answers = new Arrivals<Answer>();
  const pair = await newPair({
    ...options,
    client: { onStepup: (question) => asked.push(question) },
    gateway: { onStepupAnswer: (question, given) => answers.push({ question, assertion: given }) },
  });
  return { ...pair, asked, answers };
}

/** One rekey, until both ends seal under the next epoch. */
async function rekey({ client, gateway }: Awaited<ReturnType<typeof askingPair>>, epoch: number): Promise<void> {
  client.requestRekey();
  while (client.state.epoch < epoch || gateway.state.epoch < epoch) await new Promise(setImmediate);
}

test('QZ-23: a question and its answer cross, and both ends have the same exporter', async () => {
  const pair = await askingPair();
  pair.gateway.askStepup(nonce);
  const question = await pair.asked.next();
  assert.deepEqual(question.nonce, nonce);
  assert.equal(pair.client.answerStepup(nonce, assertion), true);
  const answer = await pair.answers.next();
  assert.deepEqual(answer.assertion, assertion);
  assert.deepEqual(answer.question, question);
  assert.deepEqual(question.exporter, pair.client.exporter('webauthn', nonce));
});

test('QZ-23: the exporter is that of the epoch of the question, though a rekey ends before the answer', async () => {
  const pair = await askingPair();
  pair.gateway.askStepup(nonce);
  const question = await pair.asked.next();
  await rekey(pair, 1);
  assert.notDeepEqual(pair.client.exporter('webauthn', nonce), question.exporter);
  pair.client.answerStepup(nonce, assertion);
  assert.deepEqual((await pair.answers.next()).question.exporter, question.exporter);
});

test('QZ-23: a question between RK_RESP and RK_DONE has the exporter of the old epoch, which goes when its keys do', async () => {
  const asked = new Arrivals<StepupQuestion>();
  const answers = new Arrivals<Answer>();
  const epochs: EpochSecrets[] = [];
  const pair = await newPair({
    onEpoch: (epoch) => epochs.push(epoch),
    client: { onStepup: (question) => asked.push(question) },
    gateway: {
      onStepupAnswer: (question, given) => answers.push({ question, assertion: given }),
      onState: ({ phase, epoch }) => {
        if (phase === 'rekeying' && epoch === 0) pair.gateway.askStepup(nonce);
      },
    },
  });
  pair.client.requestRekey();
  const question = await asked.next();
  assert.equal(pair.client.state.epoch, 1, 'the client seals under the next epoch already');
  assert.deepEqual(question.exporter, exporterValue(nodeCrypto, epochZero(), 'webauthn', nonce));
  pair.client.answerStepup(nonce, assertion);
  assert.deepEqual((await answers.next()).question, question);
  assert.ok(epochs.length === 2 && epochs.every(({ chain }) => isZero(chain)));
  await pair.clock.advance(30_000);
  assert.ok(epochs.every(({ client, gateway, exporter }) => [client, gateway, exporter].every(isZero)));
  assert.throws(() => exporterValue(nodeCrypto, epochs[0]!, 'webauthn', nonce), TypeError);
});

test('another epoch, another nonce: another exporter', async () => {
  const pair = await askingPair();
  const seen = new Set<string>();
  for (const [epoch, byte] of [
    [0, 1],
    [0, 2],
    [1, 1],
    [2, 1],
  ] as const) {
    if (pair.client.state.epoch < epoch) await rekey(pair, epoch);
    pair.gateway.askStepup(new Uint8Array(32).fill(byte));
    seen.add(hex((await pair.asked.next()).exporter));
  }
  assert.equal(seen.size, 4);
});

test('a person may decline, and a client without a person does so at once', async () => {
  const pair = await askingPair();
  pair.gateway.askStepup(nonce);
  await pair.asked.next();
  pair.client.answerStepup(nonce);
  assert.equal((await pair.answers.next()).assertion, undefined);

  const answers = new Arrivals<Answer>();
  const alone = await newPair({
    gateway: { onStepupAnswer: (question, given) => answers.push({ question, assertion: given }) },
  });
  alone.gateway.askStepup(nonce);
  assert.equal((await answers.next()).assertion, undefined);
});

test('a question is answered once, and a newer one takes its place', async () => {
  const pair = await askingPair();
  const [first, second] = [nonce, new Uint8Array(32).fill(9)];
  pair.gateway.askStepup(first);
  pair.gateway.askStepup(second);
  await pair.asked.next();
  await pair.asked.next();
  assert.equal(pair.client.answerStepup(first, assertion), false);
  assert.equal(pair.client.answerStepup(second, assertion), true);
  assert.equal(pair.client.answerStepup(second, assertion), false);
  assert.deepEqual((await pair.answers.next()).question.nonce, second);
  assert.equal(pair.answers.isEmpty, true);
});

/** What a peer without manners is told. */
async function codeAfter(role: 'client' | 'gateway', kind: number, contents: Uint8Array[], ask: boolean) {
  const peer = await newRawPeer(role);
  if (ask) peer.victim.askStepup(nonce);
  for (const content of contents) void peer.control.send(kind, content);
  await settled();
  await peer.clock.advance(1_000);
  return peer.victim.state.code;
}

test('QZ-2: an answer that comes twice, or to a question of nobody, ends the session', async () => {
  const given = encodeStepupAssertion(nonce, assertion);
  const { stepupAssert } = recordKind;
  assert.equal(await codeAfter('client', stepupAssert, [given], false), 'decode');
  assert.equal(
    await codeAfter('client', stepupAssert, [encodeStepupAssertion(new Uint8Array(32), assertion)], true),
    'decode',
  );
  assert.equal(await codeAfter('client', stepupAssert, [given], true), undefined);
  assert.equal(await codeAfter('client', stepupAssert, [given, given], true), 'decode');
});

test('a gateway that asks with half a nonce loses its session', async () => {
  assert.equal(await codeAfter('gateway', recordKind.stepup, [nonce.subarray(1)], false), 'decode');
});

test('every prefix of an answer, and one byte more, is refused', () => {
  const whole = encodeStepupAssertion(nonce, assertion);
  assert.deepEqual(decodeStepupAssertion(whole), { nonce, assertion });
  assert.deepEqual(decodeStepupAssertion(nonce), { nonce, assertion: undefined });
  for (let length = 0; length < whole.length; length++) {
    if (length === nonce.length) continue;
    assert.throws(() => decodeStepupAssertion(whole.subarray(0, length)), DecodeError, `${length} bytes`);
  }
  assert.throws(() => decodeStepupAssertion(concat(whole, Uint8Array.of(0))), DecodeError);
});

test('a field longer than any authenticator makes is neither sent nor taken', () => {
  const long = { ...assertion, userHandle: new Uint8Array(65) };
  assert.throws(() => encodeStepupAssertion(nonce, long), TypeError);
  const whole = encodeStepupAssertion(nonce, { ...assertion, userHandle: new Uint8Array(64) });
  const forged = concat(whole.subarray(0, -66), Uint8Array.of(0, 65), new Uint8Array(65));
  assert.throws(() => decodeStepupAssertion(forged), DecodeError);
});

test('QZ-2: an answer without what every authenticator gives ends its session; a user handle alone may be missing', async () => {
  for (const field of ['credentialId', 'authenticatorData', 'clientDataJson', 'signature'] as const) {
    const given = encodeStepupAssertion(nonce, { ...assertion, [field]: new Uint8Array(0) });
    assert.throws(() => decodeStepupAssertion(given), DecodeError, field);
    assert.equal(await codeAfter('client', recordKind.stepupAssert, [given], true), 'decode', field);
  }
});

test('each role does its own half', async () => {
  const { client, gateway } = await askingPair();
  assert.throws(() => client.askStepup(nonce), TypeError);
  assert.throws(() => gateway.answerStepup(nonce), TypeError);
});

test('a notice of a later version says nothing', () => {
  for (const code of ['stepup_done', 'stepup_refused'] as const) assert.equal(decodeNotice(encodeNotice(code)), code);
  for (const content of [[], [0], [3], [1, 1]]) assert.equal(decodeNotice(Uint8Array.from(content)), undefined);
});
