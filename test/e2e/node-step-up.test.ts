/** Step-up through the real product: what waits for it, what it opens, and a relay between two sessions that gains nothing. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { unbase64url, utf8 } from '../../protocol/bytes.ts';
import { stepupChallenge } from '../../protocol/challenges.ts';
import type { Session } from '../../protocol/session.ts';
import type { StepupAssertion, StepupQuestion } from '../../protocol/stepup.ts';
import { amrBit, decodeSvid } from '../../protocol/svid.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import { Arrivals } from '../protocol/session/pair.ts';
import { endOf, eventAfter, eventsAfter } from './support/node-audit.ts';
import { connect, fetchThrough, TunnelWebSocket } from './support/node-client.ts';
import type { Launched, NodePerson } from './support/node-person.ts';
import { serviceA, World } from './support/node-world.ts';

const policies = `
@id("admins") permit (principal in Group::"admins", action, resource);
@id("fresh") forbid (principal, action == Action::"request", resource == Service::"alpha")
  unless { context.amr.contains("stepUp") };
`;

let world: World;
before(async () => {
  world = await World.start();
  await world.applyPolicies(policies);
});
after(() => world?.[Symbol.asyncDispose]());

interface Tunnel {
  readonly session: Session;
  readonly launched: Launched;
  readonly asked: Arrivals<StepupQuestion>;
}

async function tunnel(person: NodePerson = world.admin): Promise<Tunnel> {
  const asked = new Arrivals<StepupQuestion>();
  const launched = await person.launch(serviceA);
  const options = { session: { onStepup: (question: StepupQuestion) => asked.push(question) } };
  return { session: await connect(world.port, world.fingerprint, launched, options), launched, asked };
}

/** The person's passkey over a nonce and the exporter of the session they see. */
function touch(person: NodePerson, nonce: Uint8Array, exporter: Uint8Array): StepupAssertion {
  const rpId = 'hub.localhost';
  const challenge = stepupChallenge(nodeCrypto, {
    rpId,
    nonce,
    deviceKeyHash: nodeCrypto.sha256(person.devicePublicKey),
    userHandle: person.passkey.userHandle!,
    exporter,
  });
  const { id, response } = person.passkey.get({ challenge, origin: `http://hub.localhost:${world.port}`, rpId });
  return {
    credentialId: unbase64url(id),
    authenticatorData: unbase64url(response.authenticatorData),
    clientDataJson: unbase64url(response.clientDataJSON),
    signature: unbase64url(response.signature),
    userHandle: unbase64url(response.userHandle ?? ''),
  };
}

/** The code that the gateway gave in place of an answer. */
async function refusalOf(request: ReturnType<typeof fetchThrough>): Promise<string> {
  return request.then(
    ({ status }) => `answered ${status}`,
    (error: { code?: string }) => String(error.code),
  );
}

test('QZ-23: a request waits for a touch of the passkey, then goes on by itself; the next ones are not asked for', async () => {
  const from = await endOf(world.product);
  const { session, launched, asked } = await tunnel();
  const body = utf8('a body that is sent once');
  const waiting = [
    fetchThrough(session, serviceA, { method: 'POST', target: '/upload', body }),
    fetchThrough(session, serviceA, '/whoami'),
  ];
  const { nonce, exporter } = await asked.next();
  session.answerStepup(nonce, touch(world.admin, nonce, exporter));
  for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 200);
  assert.equal((await fetchThrough(session, serviceA, '/whoami')).status, 200);
  assert.equal(asked.isEmpty, true);
  const socket = await TunnelWebSocket.open(session, serviceA, '/echo');
  await socket.close();
  await eventAfter(world.product, from, ({ type }) => type === 'websocket.open');
  const events = await eventsAfter(world.product, from);
  const steps = events.filter(({ type }) => type === 'stepup').map(({ decision, service }) => ({ decision, service }));
  assert.deepEqual(steps, [{ decision: 'allow', service: serviceA }]);
  const requests = events.filter(({ type }) => type === 'http.request');
  assert.deepEqual(requests.map(({ decision, policies: ids, reason }) => [decision, ids?.[0], reason]).sort(), [
    ['allow', 'admins', undefined],
    ['allow', 'admins', undefined],
    ['allow', 'admins', undefined],
    ['deny', 'fresh', 'stepup_required'],
    ['deny', 'fresh', 'stepup_required'],
  ]);
  // And the next credential says so.
  const renewed = await world.admin.renew(launched);
  assert.equal(decodeSvid(unbase64url(renewed.answer.svid)).amr & amrBit.stepUp, amrBit.stepUp);
  const other = await connect(world.port, world.fingerprint, renewed);
  assert.equal((await fetchThrough(other, serviceA, '/whoami')).status, 200);
  for (const one of [session, other]) one.close('done');
});

test('QZ-23: an assertion that was made in another session is refused: a man in the middle gains nothing', async () => {
  const from = await endOf(world.product);
  // Near: what the person sees. Far: the relay's own, with the same person's credential and the same gateway.
  const [near, far] = [await tunnel(), await tunnel()];
  const blocked = refusalOf(fetchThrough(far.session, serviceA, '/whoami'));
  const { nonce, exporter } = await far.asked.next();
  const seenByThePerson = near.session.exporter('webauthn', nonce);
  assert.notDeepEqual(seenByThePerson, exporter);
  far.session.answerStepup(nonce, touch(world.admin, nonce, seenByThePerson));
  assert.equal(await blocked, 'stepup_required');
  const event = await eventAfter(world.product, from, ({ type }) => type === 'stepup');
  assert.deepEqual([event.decision, event.reason, event.actor], ['deny', 'webauthn_challenge', world.admin.spiffeId]);
  // Neither session was stepped up by it.
  for (const { session, asked } of [near, far]) {
    const again = refusalOf(fetchThrough(session, serviceA, '/whoami'));
    session.answerStepup((await asked.next()).nonce);
    assert.equal(await again, 'stepup_required');
    session.close('done');
  }
});

test('QZ-23: a step-up of one session is none of the next; who declines is told, and nothing is left waiting', async () => {
  const first = await tunnel();
  const waiting = fetchThrough(first.session, serviceA, '/whoami');
  const { nonce, exporter } = await first.asked.next();
  first.session.answerStepup(nonce, touch(world.admin, nonce, exporter));
  assert.equal((await waiting).status, 200);
  const second = await tunnel();
  const blocked = refusalOf(fetchThrough(second.session, serviceA, '/whoami'));
  second.session.answerStepup((await second.asked.next()).nonce);
  assert.equal(await blocked, 'stepup_required');
  // A session that ends while it asks leaves nobody behind either.
  const third = await tunnel();
  const cut = refusalOf(fetchThrough(third.session, serviceA, '/whoami'));
  await third.asked.next();
  third.session.close('done');
  assert.equal(await cut, 'session_closed');
  for (const { session } of [first, second]) session.close('done');
});
