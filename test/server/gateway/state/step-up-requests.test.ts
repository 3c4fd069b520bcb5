/** What a person's browser answered reaches the control plane only in a form that its schema takes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FromPeer, fromPeerSchema } from '../../../../server/channel/messages.ts';
import { StepUpRefused, StepUpRequests } from '../../../../server/gateway/state/step-up-requests.ts';

const assertion = {
  credentialId: new Uint8Array(1_023).fill(1),
  authenticatorData: new Uint8Array(2_048).fill(2),
  clientDataJson: new Uint8Array(2_048).fill(3),
  signature: new Uint8Array(4_096).fill(4),
  userHandle: new Uint8Array(64).fill(5),
};
const of = { serial: new Uint8Array(16), ceremony: '0'.repeat(24), exporter: new Uint8Array(32), assertion };

function newRequests() {
  const sent: FromPeer[] = [];
  const requests: StepUpRequests = new StepUpRequests((question) => {
    sent.push(question);
    queueMicrotask(() => requests.answered({ t: 'stepup.done', id: question.id }));
    return true;
  });
  return { requests, sent };
}

test('QZ-23: the longest answer that the session takes, and the one without a user handle, fit the channel', async () => {
  const { requests, sent } = newRequests();
  await requests.finish(of);
  await requests.finish({ ...of, assertion: { ...assertion, userHandle: new Uint8Array(0) } });
  assert.equal(sent.length, 2);
  for (const message of sent) assert.ok(fromPeerSchema.safeParse(message).success);
});

for (const [what, bad] of [
  ['credential id', { credentialId: new Uint8Array(0) }],
  ['authenticator data', { authenticatorData: new Uint8Array(0) }],
  ['client data', { clientDataJson: new Uint8Array(0) }],
  ['signature', { signature: new Uint8Array(0) }],
] as const)
  test(`QZ-2: an answer with an empty ${what} is refused here: the channel, which is everybody's, hears nothing of it`, async () => {
    const { requests, sent } = newRequests();
    const refused = requests.finish({ ...of, assertion: { ...assertion, ...bad } });
    await assert.rejects(refused, (error) => error instanceof StepUpRefused && error.code === 'malformed');
    assert.deepEqual(sent, []);
  });
