/** How many may be on their way in, and what a stranger costs. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { base64url } from '../../../../protocol/bytes.ts';
import type { Session } from '../../../../protocol/session.ts';
import type { AuditEvent } from '../../../../server/channel/audit-event.ts';
import { loadConfig } from '../../../../server/config.ts';
import { generateComposite } from '../../../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../../../server/crypto/node-crypto.ts';
import {
  credentialHandshakes,
  maxHalfOpenHandshakes,
  maxUdpFlowsPerDevice,
} from '../../../../server/gateway/limits.ts';
import type { SessionDependencies } from '../../../../server/gateway/sessions/dependencies.ts';
import { Sessions } from '../../../../server/gateway/sessions/sessions.ts';
import { logger } from '../../../../server/log.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { loopbackPair } from '../../../support/loopback-carrier.ts';
import { fetchThrough } from '../world/exchange.ts';
import { World } from '../world/world.ts';

const peer = { address: '192.0.2.7', origin: undefined, transport: 'loopback' } as const;

test('QPT-9: no more than 1,024 strangers wait at a time, each for ten seconds at most', async () => {
  const clock = new FakeClock();
  const identity = { signer: generateComposite().signer, stealthKeys: [new Uint8Array(32)] };
  const used: Partial<SessionDependencies> = {
    config: loadConfig(),
    clock,
    crypto: nodeCrypto,
    identity,
    log: logger('test'),
  };
  // Nothing beyond the handshake's first message is reached here.
  const sessions = new Sessions(used as SessionDependencies);
  const links = Array.from({ length: maxHalfOpenHandshakes }, () => loopbackPair());
  for (const link of links) sessions.take(link.gateway, peer);
  assert.equal(sessions.counts.halfOpen, maxHalfOpenHandshakes);
  const late = loopbackPair();
  sessions.take(late.gateway, peer);
  await links[0]!.client.closed;
  assert.equal(sessions.counts.halfOpen, maxHalfOpenHandshakes, 'the one that waited longest has made room');
  await clock.advance(10_000);
  await Promise.all([...links, late].map((link) => link.client.closed));
  while (sessions.counts.halfOpen > 0) await setImmediate();
  assert.equal(clock.pending, 0, 'no timer is left');
});

let world: World;
before(async () => {
  world = await World.open(
    (_request, response) => response.end('ok'),
    [{}, { name: 'mail' }, { name: 'dns', scheme: 'udp', port: 53 }],
  );
});
after(() => world.close());

test('QPT-9: strangers who say nothing keep nobody out who knows the stealth key', async () => {
  const strangers = Array.from({ length: maxHalfOpenHandshakes }, () => world.loopback());
  const session = await world.client();
  assert.equal((await fetchThrough(session, '/')).status, 200);
  await strangers[0]!.closed;
  for (const carrier of strangers) carrier.close();
  session.close('done');
  await session.closed;
  while (world.gateway.status().sessions > 0 || world.gateway.sessions.counts.halfOpen > 0) await setImmediate();
});

test('QPT-9: a person may have many tabs, but not without end, and others are not kept out', async () => {
  const tabs = await Promise.all(Array.from({ length: 40 }, () => world.client()));
  assert.equal(world.gateway.status().sessions, 40);
  const other = await world.client({ svid: { spiffeId: 'spiffe://latchkey.local/user/ada/device/phone' } });
  assert.equal((await fetchThrough(other, '/')).status, 200);
  // Whoever administrates asks about those of a page.
  const { sessions } = world.gateway;
  const all = sessions.report();
  const { serial } = all.at(-1)!;
  assert.equal(all.length, 41);
  assert.deepEqual(
    sessions.report([serial]),
    all.filter((one) => one.serial === serial),
  );
  assert.deepEqual(sessions.report([]), []);
  for (const tab of [...tabs, other]) tab.close('done');
  await Promise.all([...tabs, other].map((tab) => tab.closed));
  while (world.gateway.status().sessions > 0) await setImmediate();
});

test('QZ-23, QZ-39: a session leaves its beginning, with the session key it was launched for, its end and the bytes it moved behind', async () => {
  const device = 'spiffe://latchkey.local/user/ada/device/counted';
  const session = await world.client({ svid: { spiffeId: device } });
  await fetchThrough(session, '/');
  session.close('done');
  const ended = await world.authority.event(({ type, actor }) => type === 'session.close' && actor === device);
  assert.equal(ended.reason, 'done');
  assert.equal(ended.detail?.['byPeer'], true);
  assert.ok(Number(ended.detail?.['bytesIn']) > 0 && Number(ended.detail?.['bytesOut']) > 0);
  const types = world.authority.events.filter(({ actor }) => actor === device).map(({ type }) => type);
  assert.deepEqual(types, ['session.open', 'stream.open', 'http.request', 'session.close']);
  const begun = world.authority.events.find(({ actor, type }) => actor === device && type === 'session.open');
  assert.equal(begun?.detail?.['sessionKey'], base64url(nodeCrypto.sha256(session.signer.publicKey)));
});

test('QZ-39: a session that policy ends names the policy in its last event', async () => {
  const device = 'spiffe://latchkey.local/user/ada/device/forbidden';
  const session = await world.client({ svid: { spiffeId: device, service: 'mail' } });
  const { content } = world.authority;
  const closed = 'forbid (principal, action, resource == Service::"mail");';
  await world.publish({ ...content, policies: { ...content.policies, 'mail-closed': closed } });
  assert.equal((await session.closed).code, 'denied');
  const ended = await world.authority.event(({ type, actor }) => type === 'session.close' && actor === device);
  assert.equal(ended.decision, 'deny');
  assert.deepEqual(ended.policies, ['mail-closed']);
  await world.publish(content);
});

test('QPT-9: a credential without its key spends nothing of the share of its device, and names nobody', async () => {
  const device = 'spiffe://latchkey.local/user/ada/device/copied';
  const sessionPublicKey = generateComposite().signer.publicKey;
  const stolen = await world.authority.issue({ spiffeId: device, sessionPublicKey });
  // From an address each, or a quick machine would use up that share first.
  for (let i = 0; i < credentialHandshakes.burst + 8; i++)
    await assert.rejects(world.client({ rawSvid: stolen, carrier: world.loopbackFrom(`198.51.100.${i}`) }));
  const session = await world.client({ svid: { spiffeId: device } });
  assert.equal((await fetchThrough(session, '/')).status, 200);
  session.close('done');
  await world.authority.event(({ type, actor }) => type === 'session.close' && actor === device);
  assert.ok(!world.authority.events.some(({ type, actor }) => type === 'session.refused' && actor === device));
});

test('QPT-9: a device has so many UDP flows in all its sessions together, and others are not kept out', async () => {
  const device = { service: 'dns', spiffeId: 'spiffe://latchkey.local/user/ada/device/greedy' };
  const first = await world.client({ svid: device });
  const second = await world.client({ svid: device });
  const open = (session: Session) => session.open({ kind: 'udp', service: 'dns' });
  const half = maxUdpFlowsPerDevice / 2;
  await Promise.all(Array.from({ length: half }, () => open(first)));
  await Promise.all(Array.from({ length: half }, () => open(second)));
  await assert.rejects(open(second), { code: 'too_many' });
  const other = await world.client({ svid: { service: 'dns' } });
  await open(other);
  first.close('done');
  const left = ({ type, actor }: AuditEvent) => type === 'session.close' && actor === device.spiffeId;
  await world.authority.event(left);
  await open(second);
  for (const session of [second, other]) session.close('done');
  await Promise.all([second.closed, other.closed]);
});

const freshMail = `forbid (principal, action == Action::"open", resource == Service::"mail")
  unless { context.amr.contains("stepUp") };`;
const mailBy = (device: string) =>
  world.client({ svid: { spiffeId: `spiffe://latchkey.local/user/ada/device/${device}`, service: 'mail' } });
const eventOf = (wanted: string, device: string) =>
  world.authority.event(({ type, actor }) => type === wanted && actor?.endsWith(`/device/${device}`) === true);

test('QZ-23: a policy that begins to want a touch ends the sessions without one, and they come again to be asked', async () => {
  const { content } = world.authority;
  const open = await mailBy('tightened');
  await world.publish({ ...content, policies: { ...content.policies, fresh: freshMail } });
  assert.equal((await open.closed).code, 'stepup_required');
  const ended = await eventOf('session.close', 'tightened');
  assert.deepEqual([ended.reason, ended.decision, ended.policies], ['stepup_required', 'deny', ['fresh']]);
  const again = await mailBy('asked');
  const begun = await eventOf('session.open', 'asked');
  // Permitted by what permits it after a touch, and not by what forbids it until then.
  assert.deepEqual([begun.decision, begun.policies, begun.reason], ['allow', ['admins'], 'stepup_pending']);
  // What is revoked of others changes nothing for who may still be asked.
  const other = await world.client({ svid: { spiffeId: 'spiffe://latchkey.local/user/ada/device/lost' } });
  await world.authority.revoke([{ kind: 'device', id: new TextEncoder().encode('lost') }]);
  assert.equal((await other.closed).code, 'revoked');
  fetchThrough(again, '/', { service: 'mail' }).catch(() => undefined);
  const asked = await eventOf('stream.open', 'asked');
  assert.deepEqual([asked.decision, asked.policies, asked.reason], ['deny', ['fresh'], 'stepup_required']);
  again.close('done');
  await again.closed;
  await world.publish(content);
});

test('QZ-23: a credential that was just renewed is no touch of the passkey: a rule on authAgeS asks for one', async () => {
  const { content } = world.authority;
  const young = `forbid (principal, action == Action::"open", resource == Service::"mail") when { context.authAgeS > 3600 };`;
  await world.publish({ ...content, policies: { ...content.policies, young } });
  const session = await mailBy('renewed');
  fetchThrough(session, '/', { service: 'mail' }).catch(() => undefined);
  const asked = await eventOf('stream.open', 'renewed');
  assert.deepEqual([asked.decision, asked.policies, asked.reason], ['deny', ['young'], 'stepup_required']);
  session.close('done');
  await session.closed;
  await world.publish(content);
});
