/** Who may open what, through the real product: by policy, by credential, by WireGuard key; and each decision in the audit. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { verifyAudit } from '../../server/audit/verify.ts';
import { type ChainedEvent, endOf, eventAfter, eventsAfter } from './support/node-audit.ts';
import { AuditCopy, fieldChanges, tamperings } from './support/node-audit-copy.ts';
import { begin, connect, fetchThrough } from './support/node-client.ts';
import { FarPeer } from './support/node-far-peer.ts';
import type { NodePerson } from './support/node-person.ts';
import { serviceA, serviceB, World } from './support/node-world.ts';
import { runCli } from './support/product.ts';

const policies = `
@id("admins") permit (principal in Group::"admins", action, resource);
@id("field-opens-alpha") permit (principal in Group::"field", action, resource == Service::"alpha");
@id("nobody-asks-for-secrets") forbid (principal, action == Action::"request", resource)
  when { context has path && context.path like "/secret*" };
`;

let world: World;
/** May open alpha and nothing else. */
let ada: NodePerson;
/** May open nothing. */
let grace: NodePerson;

before(async () => {
  world = await World.start();
  await world.applyPolicies(policies);
  ada = await world.invite('Ada', 'field');
  grace = await world.invite('Grace');
});
after(() => world?.[Symbol.asyncDispose]());

/** What matters of a decision. */
function verdict({ type, actor, service, decision, policies, reason }: ChainedEvent) {
  return { type, actor, service, decision, policies, reason };
}

test('QHX-6: who has no grant sees no service, and a direct launch is denied by name of the deciding policy', async () => {
  assert.deepEqual(await grace.services(), []);
  assert.deepEqual(await ada.services(), [serviceA]);
  assert.deepEqual(await world.admin.services(), [serviceA, serviceB]);
  const from = await endOf(world.product);
  await assert.rejects(grace.launch(serviceA), { status: 403, code: 'denied' });
  const event = await eventAfter(world.product, from, ({ type }) => type === 'launch');
  assert.deepEqual(verdict(event), {
    ...{ type: 'launch', actor: grace.spiffeId, service: serviceA },
    ...{ decision: 'deny', policies: ['default-deny'], reason: 'denied' },
  });
  await assert.rejects(ada.launch(serviceB), { status: 403, code: 'denied' });
  await assert.rejects(ada.launch('no-such-service'), { status: 404, code: 'service_unknown' });
});

test('QHX-6: a hand-made OPEN for a service next to one that is granted is refused by the gateway, and audited', async () => {
  const from = await endOf(world.product);
  const session = await world.session(serviceA, { person: ada });
  assert.equal((await fetchThrough(session, serviceA, '/whoami')).status, 200);
  const refusal = await refusalOf(session.open({ kind: 'http', service: serviceB }));
  assert.equal(refusal.code, 'denied');
  const event = await eventAfter(world.product, from, ({ correlation }) => correlation === refusal.correlation);
  assert.deepEqual(verdict(event), {
    ...{ type: 'stream.open', actor: ada.spiffeId, service: serviceB },
    ...{ decision: 'deny', policies: ['default-deny'], reason: 'policy' },
  });
  // The session is none the worse for it.
  assert.equal((await fetchThrough(session, serviceA, '/whoami')).status, 200);
  session.close('done');
});

test('QHX-6: a credential for one service opens no other, even one that the person may launch', async () => {
  const from = await endOf(world.product);
  const session = await world.session(serviceA);
  const refusal = await refusalOf(session.open({ kind: 'http', service: serviceB }));
  assert.equal(refusal.code, 'denied');
  const event = await eventAfter(world.product, from, ({ correlation }) => correlation === refusal.correlation);
  assert.deepEqual([event.policies, event.reason], [['credential-scope'], 'credential_scope']);
  const unknown = await refusalOf(session.open({ kind: 'http', service: 'no-such-service' }));
  assert.equal(unknown.code, 'denied', 'what exists is not for a stranger to find out');
  const wrongKind = await refusalOf(session.open({ kind: 'tcp', service: serviceA }));
  assert.equal(wrongKind.code, 'protocol');
  session.close('done');
});

test('QZ-39: every attempt of a scripted visit is in the audit, once, with its decision and its policy', async () => {
  const from = await endOf(world.product);
  const session = await world.session(serviceA, { person: ada });
  for (const target of ['/whoami', '/old', '/download?bytes=1000']) await fetchThrough(session, serviceA, target);
  const forbidden = await begin(session, serviceA, { target: '/secret/plans?token=in-the-query' });
  assert.equal(forbidden.status, 403);
  await assert.rejects(forbidden.stream.read(), { code: 'denied' });
  await refusalOf(session.open({ kind: 'http', service: serviceB }));
  session.close('done');
  await session.closed;
  const isAda = ({ actor }: ChainedEvent) => actor === ada.spiffeId;
  const began = await eventAfter(world.product, from, (event) => isAda(event) && event.type === 'session.open');
  const isOfIt = ({ detail }: ChainedEvent) => detail?.['session'] === began.detail?.['session'];
  await eventAfter(world.product, from, (event) => isOfIt(event) && event.type === 'session.close');
  const seen = (await eventsAfter(world.product, from)).filter(
    (event) => isAda(event) && (isOfIt(event) || event.type === 'launch' || event.type === 'posture'),
  );
  const lines = seen.map(({ type, service, decision, policies }) =>
    [type, service, decision, policies?.join()].join(' '),
  );
  const allowed = 'allow field-opens-alpha';
  assert.deepEqual(lines.sort(), [
    'http.request alpha allow field-opens-alpha',
    'http.request alpha allow field-opens-alpha',
    'http.request alpha allow field-opens-alpha',
    'http.request alpha deny nobody-asks-for-secrets',
    `launch alpha ${allowed}`,
    'posture alpha allow ',
    'session.close alpha  ',
    `session.open alpha ${allowed}`,
    'stream.close alpha  ',
    ...Array.from({ length: 4 }, () => `stream.open alpha ${allowed}`),
    'stream.open beta deny default-deny',
  ]);
  assert.ok(!JSON.stringify(seen).includes('in-the-query'), 'a query is not for the audit');
});

test('QZ-7: a policy that no longer permits ends the sessions it permitted, and says so in the audit', async () => {
  const session = await world.session(serviceA, { person: ada });
  const witness = await world.session(serviceA);
  const from = await endOf(world.product);
  await world.applyPolicies(policies.replace('Group::"field"', 'Group::"nobody"'));
  assert.deepEqual(await session.closed, { code: 'denied', byPeer: true, cut: false });
  const event = await eventAfter(
    world.product,
    from,
    ({ type, decision }) => type === 'session.close' && decision === 'deny',
  );
  assert.deepEqual([event.actor, event.policies], [ada.spiffeId, ['default-deny']]);
  await world.assertUnharmed(witness);
  witness.close('done');
  await world.applyPolicies(policies);
});

test('QPT-1: the address of a service behind another WireGuard key is refused, and nothing reaches it', async () => {
  const options = { address: '10.77.0.2', port: 8_080 };
  await using honest = await FarPeer.start(world.product, {
    ...options,
    serve: (_, response) => response.end('honest'),
  });
  await using impostor = await FarPeer.start(world.product, {
    ...options,
    serve: (_, response) => response.end('impostor'),
  });
  await honest.join(world.product, 'field');
  await world.product.cliJson('service', 'add', 'gamma', `http://${options.address}:${options.port}`);
  const session = await world.session('gamma');
  assert.equal((await fetchThrough(session, 'gamma', '/')).body.toString(), 'honest');

  await world.product.cliJson('wg', 'remove-peer', honest.publicKey);
  await impostor.join(world.product, 'field');
  const from = await endOf(world.product);
  const refused = await begin(session, 'gamma', { target: '/' });
  assert.equal(refused.status, 403);
  assert.deepEqual(
    refused.headers.find(([name]) => name === ':error'),
    [':error', 'wrong_peer'],
  );
  await assert.rejects(refused.stream.read(), { code: 'wrong_peer' });
  const event = await eventAfter(world.product, from, ({ type }) => type === 'stream.close');
  assert.deepEqual([event.service, event.reason], ['gamma', 'wrong_peer']);
  assert.equal(impostor.requests, 0);
  assert.equal(honest.requests, 1);
  // It is the binding that stops it and nothing else: a service bound to that key works.
  await world.product.cliJson('service', 'add', 'epsilon', `http://${options.address}:${options.port}`);
  const other = await world.session('epsilon');
  assert.equal((await fetchThrough(other, 'epsilon', '/')).body.toString(), 'impostor');
  other.close('done');
  assert.equal((await begin(session, 'gamma', { target: '/' })).status, 403);

  // The key that the service is bound to comes back, and with it the service.
  await world.product.cliJson('wg', 'remove-peer', impostor.publicKey);
  await honest.join(world.product, 'field');
  assert.equal((await fetchThrough(session, 'gamma', '/')).body.toString(), 'honest');
  session.close('done');
  for (const name of ['gamma', 'epsilon']) await world.product.cliJson('service', 'remove', name);
});

test('a service that is removed ends its sessions, and its credentials open nothing', async () => {
  await world.product.cliJson('service', 'add', 'delta', 'http://demo.wg');
  const launched = await world.admin.launch('delta');
  const session = await connect(world.port, world.fingerprint, launched);
  await world.product.cliJson('service', 'remove', 'delta');
  assert.deepEqual(await session.closed, { code: 'denied', byPeer: true, cut: false });
  const from = await endOf(world.product);
  await assert.rejects(connect(world.port, world.fingerprint, launched), { name: 'HandshakeError' });
  const event = await eventAfter(world.product, from, ({ type }) => type === 'session.refused');
  assert.deepEqual([event.service, event.decision, event.reason], ['delta', 'deny', 'denied']);
});

test('QPT-10: nothing secret of these runs stands in a log or a file', () => {
  world.assertNothingTold();
});

test('QZ-8: the audit chain of a running and of a stopped installation verifies', async () => {
  const running = await world.product.cliJson('audit', 'verify');
  assert.equal(running['ok'], true);
  assert.equal(await world.product.stop(), 0);
  const stopped = await world.product.cliJson('audit', 'verify');
  assert.equal(stopped['ok'], true);
  assert.equal(stopped['fingerprint'], world.fingerprint);
  assert.ok(Number(stopped['events']) > 80, `only ${stopped['events']} events`);
});

for (const { name, fault, change } of tamperings) {
  test(`QZ-8: ${name} is found: ${fault}`, async () => {
    using copy = new AuditCopy(world.product.data);
    change(copy);
    const report = await verifyAudit(copy.data);
    assert.equal(report.ok ? 'none' : report.fault, fault);
  });
}

test('QZ-8: "latchkey audit verify" ends with a code of its own for a chain that does not verify', async () => {
  using copy = new AuditCopy(world.product.data);
  copy.delete(copy.rows.length);
  const { code, stdout, stderr } = await runCli(['audit', 'verify', '--json', '--data', copy.data]);
  assert.deepEqual([code, stdout, (JSON.parse(stderr) as { error: string }).error], [2, '', 'audit_cut']);
});

test('QZ-8: a change of any field of an event is found', async () => {
  const fields = new Set<string>();
  using copy = new AuditCopy(world.product.data);
  for (const change of fieldChanges(copy)) {
    fields.add(change.field);
    using damaged = new AuditCopy(world.product.data);
    damaged.rewrite(change.seq, change.column, change.value);
    const report = await verifyAudit(damaged.data);
    assert.equal(report.ok, false, `${change.field} of event ${change.seq}`);
  }
  for (const field of [
    'hash',
    'prev',
    'id',
    'event.actor',
    'event.decision',
    'event.policies',
    'event.detail',
    'event.time',
  ])
    assert.ok(fields.has(field), `${field} was not tried`);
});

/** How an OPEN was refused. */
async function refusalOf(opening: Promise<unknown>): Promise<{ code: string; correlation: string }> {
  const { error } = await opening.then(
    () => ({ error: undefined }),
    (cause: unknown) => ({ error: cause as { code: string; correlation: string } }),
  );
  assert.ok(error, 'the stream was opened');
  return error;
}
