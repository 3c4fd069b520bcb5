import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { unbase64url, utf8 } from '../../../protocol/bytes.ts';
import { approvalChallenge, loginChallenge } from '../../../protocol/challenges.ts';
import { followPins } from '../../../protocol/pins.ts';
import { verifyAudit } from '../../../server/audit/verify.ts';
import { Housekeeping } from '../../../server/control/housekeeping.ts';
import { newEvent } from '../../../server/control/identifiers.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { storePlace } from '../../../server/store/paths.ts';
import type { Ceremony } from '../../support/authenticator.ts';
import { Browser } from './browser.ts';
import { Installation } from './installation.ts';

const wide = '@id("all") permit (principal, action, resource);';
const dayMs = 86_400_000;

describe('changes that take two administrators', () => {
  let installation: Installation;
  let ada: Browser;
  let bob: Browser;
  let eve: Browser;
  beforeEach(async () => {
    installation = await new Installation().start();
    ada = await policyAdmin(await enrolled((await installation.admin('POST', '/admin/enrolments/first', {})).body.url));
    bob = await policyAdmin(await invited('Bob', 'writers'));
    eve = await invited('Eve', 'admins');
  });
  afterEach(async () => {
    await installation.stop();
    installation.remove();
  });

  async function enrolled(url: string): Promise<Browser> {
    const browser = new Browser(installation);
    assert.equal((await browser.enrol(url)).status, 200);
    return browser;
  }
  const invited = async (name: string, group: string) =>
    enrolled((await installation.admin('POST', '/admin/enrolments', { name, group })).body.url);

  const userOf = async (browser: Browser): Promise<string> => (await browser.get('/api/session')).body.user.id;
  async function policyAdmin(browser: Browser, held = true): Promise<Browser> {
    const role = { user: await userOf(browser), role: 'policy', held };
    assert.equal((await installation.admin('POST', '/admin/roles', role)).status, 200);
    return browser;
  }

  const put = (text: string) => installation.admin('PUT', '/admin/policies', { text });
  const inForce = async () => Object.keys((await installation.admin('GET', '/admin/policies')).body.policies);
  const waiting = async () => (await installation.admin('GET', '/admin/changes')).body.changes;

  interface Document {
    readonly id: string;
    readonly document: string;
  }
  const asked = async (text = wide): Promise<Document> => (await put(text)).body.change;

  function touch(browser: Browser, nonce: string, document: string, wrong: Partial<Ceremony> = {}) {
    const challenge = approvalChallenge(nodeCrypto, {
      rpId: installation.config.rpId,
      nonce: unbase64url(nonce),
      deviceKeyHash: nodeCrypto.sha256(browser.devicePublicKey),
      userHandle: browser.passkey.userHandle!,
      documentHash: nodeCrypto.sha256(utf8(document)),
    });
    return browser.passkey.get({ challenge, origin: installation.hub, rpId: installation.config.rpId, ...wrong });
  }
  const begin = (browser: Browser, id: string) => browser.postSigned('/api/changes/begin', { change: id });
  async function approve(browser: Browser, { id, document }: Document, wrong: Partial<Ceremony> = {}) {
    const begun = await begin(browser, id);
    if (begun.status !== 200) return begun;
    const credential = touch(browser, begun.body.nonce, document, wrong);
    return browser.postSigned('/api/changes/finish', { ceremony: begun.body.ceremony, credential });
  }
  const rotation = async () => (await installation.admin('POST', '/admin/root', { dryRun: false })).body;
  const operations = async () =>
    (await installation.events('admin')).map(({ detail, reason }) => reason ?? detail.operation).slice(-4);

  test('QHX-8: policies that let everybody in wait, and are in force when two administrators have signed them', async () => {
    const { status, body } = await put(wide);
    assert.deepEqual([status, body.state, body.change.state, body.change.needed], [200, 'waiting', 'waiting', 2]);
    assert.deepEqual(body.change.dangers[0].policies, ['all']);
    assert.deepEqual(await inForce(), ['admins']);
    const first = await approve(ada, body.change);
    assert.deepEqual([first.body.state, first.body.approvals.length], ['waiting', 1]);
    assert.deepEqual(await inForce(), ['admins'], 'one is not enough');
    const { epoch } = installation.control.desk.policy;
    const second = await approve(bob, body.change);
    assert.deepEqual([second.body.state, second.body.approvals.length], ['done', 2]);
    assert.deepEqual(await inForce(), ['all']);
    assert.ok(installation.control.desk.policy.epoch > epoch, 'the gateways are told');
    const [change] = await installation.events('policy.change');
    const people = second.body.approvals.map(({ user }: { user: string }) => user);
    assert.equal(change.detail.approvedBy, people.join(' '));
    assert.deepEqual((await operations()).slice(-3), ['change.request', 'change.approve', 'change.approve']);
    // What is in force already is no new danger.
    assert.equal(
      (await put(`${wide} @id("no") forbid (principal, action, resource == Service::"x");`)).body.state,
      'inForce',
    );
  });

  test('QZ-42: how long audit events are kept takes two, and what is older is dropped so that the log stays whole', async () => {
    const set = async (days: unknown) => installation.admin('POST', '/admin/retention', { days } as object);
    for (const days of [0, 89, 90.5, -1, 1e9, '90', undefined]) assert.equal((await set(days)).body.error, 'malformed');
    assert.deepEqual((await set(null)).body, { days: null }, 'it is so already');
    const { body } = await set(90);
    assert.deepEqual([body.days, body.change.kind, body.change.dangers[0].code], [null, 'retention.set', 'retention']);
    const other = (await set(365)).body.change;
    assert.equal((await approve(ada, body.change)).body.state, 'waiting');
    const inForceNow = async () => (await installation.admin('GET', '/admin/retention')).body.days;
    assert.equal(await inForceNow(), null, 'one is not enough');
    assert.equal((await approve(bob, body.change)).body.state, 'done');
    assert.equal(await inForceNow(), 90);
    await approve(ada, other);
    assert.equal((await approve(bob, other)).body.state, 'outdated', 'it was asked against another');
    const before = (await installation.events()).length;
    await installation.stop();
    await installation.start();
    const { context, desk } = installation.control;
    const sweep = () => new Housekeeping(context, desk).sweep();
    // A longer silence would be taken for a clock that was set ahead.
    for (const _ of [30, 60, 90]) {
      installation.clock.leap(30 * dayMs);
      await sweep();
      await context.audit.append([newEvent(context, { type: 'admin', actor: 'system' })]);
    }
    await sweep();
    assert.equal((await installation.events())[0].seq, 1, 'to the moment it is kept');
    installation.clock.leap(1);
    await sweep();
    const left = await installation.events();
    assert.equal(left[0].seq, before + 2, 'the stop was anchored too');
    assert.deepEqual([left.at(-1).detail.operation, left.at(-1).detail.upTo], ['audit.drop', before + 1]);
    await installation.stop();
    const report = await verifyAudit(installation.data, 0, storePlace(installation.config));
    assert.ok(report.ok, JSON.stringify(report));
    assert.equal(report.dropped, before + 1);
    await installation.start();
  });

  test('QZ-42: whoever writes to the store alone shortens nothing, and that it was tried is audited once', async () => {
    const { context, desk } = installation.control;
    const set = async (days: number) => {
      const { change } = (await installation.admin('POST', '/admin/retention', { days })).body;
      await approve(ada, change);
      assert.equal((await approve(bob, change)).body.state, 'done');
    };
    const row = () => context.store.selectFrom('retention').selectAll().executeTakeFirstOrThrow();
    await set(90);
    const short = await row();
    await set(365);
    await context.store.updateTable('retention').set(short).execute();
    const housekeeping = new Housekeeping(context, desk);
    for (let look = 0; look < 3; look++) {
      await housekeeping.sweep();
      installation.clock.leap(600_000);
    }
    const told = (await installation.events('admin')).filter(({ reason }) => reason === 'retention_replayed');
    assert.equal(told.length, 1);
    const { body } = await installation.admin('GET', '/admin/retention');
    assert.deepEqual(body, { days: null, fault: 'retention_replayed' });
    await set(365);
    assert.deepEqual((await installation.admin('GET', '/admin/retention')).body, { days: 365 });
  });

  test('QHX-8: the same person twice is one', async () => {
    const change = await asked();
    assert.equal((await approve(ada, change)).status, 200);
    assert.equal((await approve(ada, change)).body.error, 'change_approved');
    const another = await enrolled(
      (await installation.admin('POST', '/admin/enrolments', { user: (await ada.get('/api/session')).body.user.id }))
        .body.url,
    );
    assert.equal((await approve(another, change)).body.error, 'change_approved', 'from another device as well');
    assert.deepEqual(await inForce(), ['admins']);
  });

  test('QHX-8: two answers of one person at once are one', async () => {
    const change = await asked();
    const begun = [await begin(ada, change.id), await begin(ada, change.id)];
    const answers = await Promise.all(
      begun.map(({ body }) => {
        const credential = touch(ada, body.nonce, change.document);
        return ada.postSigned('/api/changes/finish', { ceremony: body.ceremony, credential });
      }),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
    assert.equal((await waiting())[0].approvals.length, 1);
  });

  test('QHX-8: who is no policy administrator sees nothing, approves nothing and refuses nothing', async () => {
    const change = await asked();
    assert.equal((await eve.get('/api/changes')).body.error, 'role_needed');
    assert.equal((await approve(eve, change)).body.error, 'role_needed');
    assert.equal((await eve.postSigned('/api/changes/refuse', { change: change.id })).body.error, 'role_needed');
    assert.equal((await new Browser(installation).get('/api/changes')).body.error, 'unauthenticated');
    assert.equal((await ada.post('/api/changes/begin', { change: change.id })).body.error, 'signature_invalid');
    assert.equal((await waiting()).length, 1);
  });

  test('QHX-8: an administrator who is out, or whose device is, counts no more', async () => {
    const change = await asked();
    await approve(ada, change);
    const { user } = (await waiting())[0].approvals[0];
    await installation.admin('DELETE', `/admin/users/${user}`);
    assert.equal((await approve(bob, change)).body.state, 'waiting');
    const carol = await policyAdmin(await invited('Carol', 'writers'));
    assert.equal((await approve(carol, change)).body.state, 'done');
  });

  test('QHX-8: whoever no longer holds the role counts no more', async () => {
    const change = await asked();
    await approve(ada, change);
    await policyAdmin(ada, false);
    assert.equal((await approve(bob, change)).body.state, 'waiting');
    await policyAdmin(ada);
    assert.equal((await waiting())[0].approvals.length, 2);
  });

  const wrong: [what: string, reason: string, ceremony: () => Partial<Ceremony>][] = [
    ['over another document', 'webauthn_challenge', () => ({ challenge: randomBytes(32) })],
    ['without user verification', 'webauthn_user_verification', () => ({ userVerified: false })],
    ['of another relying party', 'webauthn_rp', () => ({ rpId: 'hub.example' })],
  ];
  for (const [what, reason, ceremony] of wrong)
    test(`QZ-23: a signature ${what} is refused and audited`, async () => {
      const change = await asked();
      assert.equal((await approve(ada, change, ceremony())).body.error, 'ceremony_refused');
      assert.equal((await operations()).at(-1), reason);
      assert.equal((await waiting())[0].approvals.length, 0);
    });

  test('QZ-23: a signature of one change, of another ceremony, or of another passkey is none of this one', async () => {
    const [one, other] = [await asked(), await asked(wide.replace('all', 'every'))];
    assert.equal((await approve(ada, { id: one.id, document: other.document })).body.error, 'ceremony_refused');
    const login = (nonce: string) =>
      loginChallenge(nodeCrypto, {
        rpId: installation.config.rpId,
        nonce: unbase64url(nonce),
        deviceKeyHash: nodeCrypto.sha256(ada.devicePublicKey),
        userHandle: ada.passkey.userHandle!,
        postureHash: nodeCrypto.sha256(utf8(one.document)),
      });
    const { body } = await begin(ada, one.id);
    const credential = touch(ada, body.nonce, one.document, { challenge: login(body.nonce) });
    const answer = await ada.postSigned('/api/changes/finish', { ceremony: body.ceremony, credential });
    assert.equal(answer.body.error, 'ceremony_refused');
    const begun = (await begin(ada, one.id)).body;
    const his = { ceremony: begun.ceremony, credential: touch(bob, begun.nonce, one.document) };
    assert.equal((await ada.postSigned('/api/changes/finish', his)).body.error, 'ceremony_refused');
    assert.equal((await bob.postSigned('/api/changes/finish', his)).body.error, 'ceremony_unknown');
    assert.deepEqual(await inForce(), ['admins']);
  });

  test('QHX-8: what was approved replaces what it was shown against, and nothing newer', async () => {
    const change = await asked();
    await approve(ada, change);
    await put('@id("newer") permit (principal in Group::"admins", action, resource);');
    assert.equal((await approve(bob, change)).body.state, 'outdated');
    assert.deepEqual(await inForce(), ['newer']);
    assert.deepEqual(await waiting(), []);
  });

  test('QZ-22 QHX-8: a new root waits for two administrators; then who has the old pins follows to it', async () => {
    const pins = async () => (await installation.browse(installation.hub, { path: '/.well-known/latchkey/pins' })).body;
    const before = await pins();
    const planned = await installation.admin('POST', '/admin/root', { dryRun: true });
    assert.deepEqual(planned.body, { from: Buffer.from(before.fingerprint, 'base64url').toString('hex') });
    assert.deepEqual(await waiting(), []);
    const [{ change }, { change: late }] = [await rotation(), await rotation()];
    assert.equal(change.dangers[0].code, 'new_root');
    assert.equal((await approve(ada, change)).body.state, 'waiting');
    assert.deepEqual(await pins(), before, 'one is not enough');
    assert.equal((await approve(bob, change)).body.state, 'done');
    const now = await pins();
    const path = [...now.earlier, now].map(({ pins, root }) => ({ pins: unbase64url(pins), root: unbase64url(root) }));
    const reached = await followPins(nodeCrypto, path, unbase64url(before.fingerprint));
    assert.deepEqual(reached, { root: unbase64url(now.root), fingerprint: unbase64url(now.fingerprint) });
    assert.notEqual(now.fingerprint, before.fingerprint);
    const event = (await installation.events('admin')).findLast(({ detail }) => detail.operation === 'root.rotate');
    assert.equal(event?.detail.to, Buffer.from(now.fingerprint, 'base64url').toString('hex'));
    // It was asked for against the root of before.
    await approve(ada, late);
    assert.equal((await approve(bob, late)).body.state, 'outdated');
    assert.deepEqual(await pins(), now);
  });

  test('a change is refused by one, and forgotten after a day', async () => {
    const [one, two] = [await asked(), await asked()];
    assert.equal((await bob.get('/api/changes')).body.changes.length, 2);
    assert.equal((await bob.postSigned('/api/changes/refuse', { change: one.id })).status, 200);
    assert.equal((await approve(ada, one)).body.error, 'change_unknown');
    installation.clock.advance(dayMs);
    assert.deepEqual(await waiting(), []);
    assert.equal((await installation.admin('DELETE', `/admin/changes/${two.id}`)).body.error, 'change_unknown');
    assert.equal((await operations()).at(-1), 'change.refuse');
  });

  test('there is an end to how many wait', async () => {
    for (let n = 0; n < 32; n += 1) await asked();
    assert.equal((await put(wide)).body.error, 'change_too_many');
  });
});
