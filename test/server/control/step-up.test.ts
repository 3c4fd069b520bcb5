/** Step-up at the control plane: what it believes, and each thing that must not be, by code and in the audit. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { base64url, unbase64url } from '../../../protocol/bytes.ts';
import { loginChallenge, stepupChallenge } from '../../../protocol/challenges.ts';
import type { Signer } from '../../../protocol/crypto.ts';
import { amrBit, decodeSvid } from '../../../protocol/svid.ts';
import type { ToGateway } from '../../../server/channel/messages.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import type { Ceremony } from '../../support/authenticator.ts';
import { Browser } from './browser.ts';
import { type FarGateway, gatewayWithSite, supervisorToken } from './far-gateway.ts';
import { Installation } from './installation.ts';

/** A tunnel: its credential and what its session exports. Two sessions never export the same. */
interface Tunnel {
  readonly browser: Browser;
  readonly session: Signer;
  readonly serial: Uint8Array;
  readonly exporter: Uint8Array;
}
interface Begun {
  readonly ceremony: string;
  readonly nonce: Uint8Array;
}

describe('step-up', () => {
  let installation: Installation;
  let gateway: FarGateway;
  let ada: Browser;
  let bob: Browser;
  beforeEach(async () => {
    installation = await new Installation().start({ gateway: supervisorToken });
    gateway = await gatewayWithSite(installation);
    await installation.admin('POST', '/admin/services', { name: 'wiki', url: 'http://10.7.0.5/' });
    ada = new Browser(installation);
    await ada.enrol((await installation.admin('POST', '/admin/enrolments/first', {})).body.url);
    bob = new Browser(installation);
    await bob.enrol((await installation.admin('POST', '/admin/enrolments', { name: 'Bob', group: 'admins' })).body.url);
  });
  afterEach(async () => {
    gateway.channel.close();
    await installation.stop();
    installation.remove();
  });

  async function tunnel(browser: Browser): Promise<Tunnel> {
    const { answer, session } = await browser.launch('wiki');
    const { serial } = decodeSvid(unbase64url(answer.body.svid));
    return { browser, session, serial: Uint8Array.from(serial), exporter: randomBytes(32) };
  }

  async function answerTo(question: { readonly id: string }): Promise<Extract<ToGateway, { t: `stepup.${string}` }>> {
    const answer = await gateway.next('stepup.begun', 'stepup.done', 'stepup.refused');
    assert.equal(answer.id, question.id);
    return answer;
  }

  async function begin({ serial }: Tunnel): Promise<Begun> {
    const question = { t: 'stepup.begin' as const, id: randomUUID(), serial: base64url(serial) };
    gateway.channel.send(question);
    const answer = await answerTo(question);
    assert.ok(answer.t === 'stepup.begun', JSON.stringify(answer));
    return { ceremony: answer.ceremony, nonce: unbase64url(answer.nonce) };
  }

  /** What the passkey of a tunnel's person answers. */
  function touch({ browser, exporter }: Tunnel, { nonce }: Begun, wrong: Partial<Ceremony> = {}) {
    const challenge = stepupChallenge(nodeCrypto, {
      rpId: installation.config.rpId,
      nonce,
      deviceKeyHash: nodeCrypto.sha256(browser.devicePublicKey),
      userHandle: browser.passkey.userHandle!,
      exporter,
    });
    return browser.passkey.get({ challenge, origin: installation.hub, rpId: installation.config.rpId, ...wrong });
  }

  /** @returns the code of a refusal, or `done`. */
  async function finish(
    { serial, exporter }: Tunnel,
    { ceremony }: Begun,
    touched: ReturnType<typeof touch>,
  ): Promise<string> {
    const { authenticatorData, clientDataJSON, signature, userHandle = '' } = touched.response;
    const assertion = {
      credentialId: touched.id,
      authenticatorData,
      clientDataJson: clientDataJSON,
      signature,
      userHandle,
    };
    const proof = { serial: base64url(serial), ceremony, exporter: base64url(exporter), assertion };
    const question = { t: 'stepup.finish' as const, id: randomUUID(), ...proof };
    gateway.channel.send(question);
    const answer = await answerTo(question);
    return answer.t === 'stepup.refused' ? answer.code : 'done';
  }

  const outcomes = async () =>
    (await installation.events('stepup')).map(({ decision, reason }) => (decision === 'allow' ? 'allow' : reason));

  const renewed = async ({ browser, session, serial }: Tunnel) => {
    const answer = await browser.renew(await browser.prepareRenewal(session, serial));
    assert.equal(answer.status, 200);
    return decodeSvid(unbase64url(answer.body.svid));
  };

  test('QZ-23: an assertion over nonce and exporter of this session is believed once, and audited', async () => {
    const mine = await tunnel(ada);
    const begun = await begin(mine);
    const touched = touch(mine, begun);
    assert.equal(await finish(mine, begun, touched), 'done');
    assert.equal(await finish(mine, begun, touched), 'ceremony_unknown');
    assert.deepEqual(await outcomes(), ['allow', 'ceremony_unknown']);
    const [event] = await installation.events('stepup');
    assert.match(event.actor, /^spiffe:/);
    assert.equal(event.service, 'wiki');
  });

  test('QZ-23: somebody between two sessions has an assertion that fits neither', async () => {
    // The person's client speaks to whoever stands in the middle; that one speaks to the gateway with the person's credential.
    const [near, far] = [await tunnel(ada), await tunnel(ada)];
    const begun = await begin(far);
    assert.equal(await finish(far, begun, touch(near, begun)), 'ceremony_refused');
    assert.deepEqual(await outcomes(), ['webauthn_challenge']);
    const again = await begin(far);
    assert.equal(await finish(far, again, touch(far, again)), 'done');
  });

  const wrong: [what: string, reason: string, ceremony: (installation: Installation) => Partial<Ceremony>][] = [
    ['without user verification', 'webauthn_user_verification', () => ({ userVerified: false })],
    ['of another relying party', 'webauthn_rp', () => ({ rpId: 'hub.example' })],
    ['on another origin', 'webauthn_origin', ({ shell }) => ({ origin: shell })],
    ['that makes a passkey instead', 'webauthn_type', () => ({ type: 'webauthn.create' })],
    ['inside a frame of somebody', 'webauthn_cross_origin', () => ({ crossOrigin: true })],
    ['that is told to be copied meanwhile', 'webauthn_backup_state', () => ({ backupEligible: true })],
    ['over a challenge of somebody', 'webauthn_challenge', () => ({ challenge: randomBytes(32) })],
  ];
  for (const [what, reason, ceremony] of wrong)
    test(`QZ-23: a touch ${what} is refused, audited and spends the nonce`, async () => {
      const mine = await tunnel(ada);
      const begun = await begin(mine);
      assert.equal(await finish(mine, begun, touch(mine, begun, ceremony(installation))), 'ceremony_refused');
      assert.equal(await finish(mine, begun, touch(mine, begun)), 'ceremony_unknown');
      assert.deepEqual(await outcomes(), [reason, 'ceremony_unknown']);
    });

  test('QZ-23: a login assertion is none of a step-up, whatever it was made over', async () => {
    const mine = await tunnel(ada);
    const begun = await begin(mine);
    const challenge = loginChallenge(nodeCrypto, {
      rpId: installation.config.rpId,
      nonce: begun.nonce,
      deviceKeyHash: nodeCrypto.sha256(ada.devicePublicKey),
      userHandle: ada.passkey.userHandle!,
      postureHash: mine.exporter,
    });
    assert.equal(await finish(mine, begun, touch(mine, begun, { challenge })), 'ceremony_refused');
    assert.deepEqual(await outcomes(), ['webauthn_challenge']);
  });

  test('QZ-23: a nonce of another person, or of another tunnel of the same person, is none', async () => {
    const [mine, other, his] = [await tunnel(ada), await tunnel(ada), await tunnel(bob)];
    for (const stranger of [other, his]) {
      const begun = await begin(stranger);
      assert.equal(await finish(mine, begun, touch(mine, begun)), 'ceremony_unknown');
      // It is still good where it belongs.
      assert.equal(await finish(stranger, begun, touch(stranger, begun)), 'done');
    }
    assert.deepEqual(await outcomes(), ['ceremony_unknown', 'allow', 'ceremony_unknown', 'allow']);
  });

  test('QZ-23: another passkey is refused, also one that signs the right challenge', async () => {
    const [mine, his] = [await tunnel(ada), await tunnel(bob)];
    const begun = await begin(mine);
    const right = JSON.parse(Buffer.from(touch(mine, begun).response.clientDataJSON, 'base64url').toString()).challenge;
    const touched = touch(his, begun, { challenge: unbase64url(right) });
    assert.equal(await finish(mine, begun, touched), 'ceremony_refused');
    assert.deepEqual(await outcomes(), ['webauthn_signature']);
  });

  test('QZ-23: a nonce is good for 60 s', async () => {
    const mine = await tunnel(ada);
    const [first, second] = [await begin(mine), await begin(mine)];
    installation.clock.leap(59_999);
    assert.equal(await finish(mine, first, touch(mine, first)), 'done');
    installation.clock.leap(1);
    assert.equal(await finish(mine, second, touch(mine, second)), 'ceremony_unknown');
  });

  test('QZ-23: of 16 uses of one assertion at once exactly one counts', async () => {
    const mine = await tunnel(ada);
    const begun = await begin(mine);
    const touched = touch(mine, begun);
    const { authenticatorData, clientDataJSON, signature, userHandle = '' } = touched.response;
    const assertion = {
      credentialId: touched.id,
      authenticatorData,
      clientDataJson: clientDataJSON,
      signature,
      userHandle,
    };
    const proof = {
      serial: base64url(mine.serial),
      ceremony: begun.ceremony,
      exporter: base64url(mine.exporter),
      assertion,
    };
    const ids = Array.from({ length: 16 }, () => randomUUID());
    for (const id of ids) gateway.channel.send({ t: 'stepup.finish', id, ...proof });
    for (let refused = 0; refused < 15; refused++) await gateway.next('stepup.refused');
    await gateway.next('stepup.done');
    assert.equal((await outcomes()).filter((outcome) => outcome === 'allow').length, 1);
  });

  test('a credential says that there was a step-up, and ends with it; then it says so no more', async () => {
    const mine = await tunnel(ada);
    assert.equal((await renewed(mine)).amr & amrBit.stepUp, 0);
    const begun = await begin(mine);
    await finish(mine, begun, touch(mine, begun));
    const at = installation.clock.now();
    installation.clock.leap(1_000);
    const svid = await renewed(mine);
    assert.equal(svid.amr & amrBit.stepUp, amrBit.stepUp);
    assert.equal(svid.notAfter, at + 300_000);
    // Less than a minute of it is left: not worth a credential that short.
    installation.clock.leap(240_000);
    const later = await renewed(mine);
    assert.equal(later.amr & amrBit.stepUp, 0);
    assert.equal(later.notAfter - later.notBefore, 600_000);
    // Another launch of the same person never heard of it.
    const other = await tunnel(ada);
    assert.equal((await renewed(other)).amr & amrBit.stepUp, 0);
  });

  test('QPT-3: who signed out, or a tunnel nobody knows, is asked for nothing', async () => {
    const mine = await tunnel(ada);
    const begun = await begin(mine);
    await ada.postSigned('/api/logout', {});
    assert.equal(await finish(mine, begun, touch(mine, begun)), 'lease_ended');
    for (const serial of [mine.serial, randomBytes(16)]) {
      gateway.channel.send({ t: 'stepup.begin', id: randomUUID(), serial: base64url(serial) });
      assert.equal((await gateway.next('stepup.refused')).code, 'lease_ended');
    }
  });

  test('a page that asks again and again is slowed down', async () => {
    const mine = await tunnel(ada);
    for (let asked = 0; asked < 20; asked++) await begin(mine);
    gateway.channel.send({ t: 'stepup.begin', id: randomUUID(), serial: base64url(mine.serial) });
    assert.equal((await gateway.next('stepup.refused')).code, 'rate_limited');
  });

  test('QHX-6: a policy that wants a step-up for everything lets the launch pass, and nothing that lacks more', async () => {
    const stepped = 'permit (principal in Group::"admins", action, resource) when { context.amr.contains("stepUp") };';
    await installation.admin('PUT', '/admin/policies', { map: { stepped } });
    assert.equal((await ada.launch('wiki')).answer.status, 200);
    assert.equal((await ada.get('/api/services')).body.services.length, 1);
    const fresh = `${stepped} forbid (principal, action == Action::"launch", resource) when { context.authAgeS > 3600 };`;
    await installation.admin('PUT', '/admin/policies', { text: fresh });
    installation.clock.advance(3_601_000);
    const late = (await ada.launch('wiki')).answer;
    assert.deepEqual([late.status, late.body.error], [403, 'denied']);
  });

  const all = 'permit (principal in Group::"admins", action, resource)';
  const touched = '{ context.amr.contains("stepUp") };';
  const notLaunch = 'permit (principal in Group::"admins", action in [Action::"open", Action::"request"], resource);';
  for (const [what, text] of [
    ['only the launch', `${all}; forbid (principal, action == Action::"launch", resource) unless ${touched}`],
    [
      'only the launch, permitted',
      `permit (principal in Group::"admins", action == Action::"launch", resource) when ${touched} ${notLaunch}`,
    ],
    [
      'an open of one of the kinds that there are',
      `${all}; forbid (principal, action == Action::"launch", resource) unless ${touched}
       forbid (principal, action == Action::"open", resource) when { context has kind && context.kind == "http" } unless ${touched}`,
    ],
    [
      'an open with signals that no gateway sees',
      `${all}; forbid (principal, action, resource) when { context.posture has backedUp } unless ${touched}`,
    ],
  ] as const)
    test(`QHX-6: what no open would ask for is not forgiven at the launch: ${what}`, async () => {
      await installation.admin('PUT', '/admin/policies', { text });
      const { status, body } = (await ada.launch('wiki')).answer;
      assert.deepEqual([status, body.error], [403, 'denied']);
      assert.deepEqual((await ada.get('/api/services')).body.services, []);
    });

  test('QHX-6: a launch and a renewal that rest on a touch to come say so, with the policies that will permit it', async () => {
    const text = `@id("all") ${all}; @id("fresh") forbid (principal, action, resource) unless ${touched}`;
    await installation.admin('PUT', '/admin/policies', { text });
    const mine = await tunnel(ada);
    await renewed(mine);
    for (const type of ['launch', 'renew'] as const) {
      const [{ decision, policies, reason } = {}] = await installation.events(type);
      assert.deepEqual([decision, policies, reason], ['allow', ['all'], 'stepup_pending'], type);
    }
  });
});
