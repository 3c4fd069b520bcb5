/** The known answers of Latchkey/1, redone byte for byte with @noble and fixed secrets. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { concat, hex, utf8 } from '../../protocol/bytes.ts';
import * as challenges from '../../protocol/challenges.ts';
import { signDescriptor, verifyDescriptor } from '../../protocol/descriptor.ts';
import type { Established } from '../../protocol/established.ts';
import { encodeFrame } from '../../protocol/handshake-frame.ts';
import { encodeInitCore } from '../../protocol/init.ts';
import { encodeParams } from '../../protocol/params.ts';
import * as schedule from '../../protocol/schedule.ts';
import { signSvid, verifySvid } from '../../protocol/svid.ts';
import * as transcript from '../../protocol/transcript.ts';
import { nobleCrypto } from '../support/noble-crypto.ts';
import { needsVectors, vectorsPresent } from '../support/vectors.ts';
import * as known from './known-answers.ts';

const { bytesOf, numberOf, textOf } = known;
const crypto = nobleCrypto();

/** Every comparison is counted: a run that compared nothing must not pass. */
let compared = 0;
function same(actual: Uint8Array, ...path: string[]): void {
  assert.equal(hex(actual), textOf(...path), path.join(' '));
  compared++;
}
after(() => {
  if (vectorsPresent) assert.equal(compared, 73, 'known answers compared');
});

function sameEpoch(epoch: schedule.EpochSecrets, name: string, transcriptPath: string[]): void {
  same(epoch.client, name, 'c');
  same(epoch.gateway, name, 'g');
  same(epoch.chain, name, 'ck');
  same(epoch.exporter, name, 'exp');
  same(epoch.transcript, ...transcriptPath);
}

test('QZ-14: every hash and key of the schedule is the known one', needsVectors, () => {
  const keys = { gateway: bytesOf('public_keys', 'gateway'), session: bytesOf('public_keys', 'session') };
  const th0 = transcript.th0(crypto, numberOf('fields', 'transport'), keys.gateway);
  same(th0, 'th0');
  const th1 = transcript.th1(crypto, th0, bytesOf('init').subarray(0, -16));
  same(th1, 'th1');
  const th2 = transcript.th2(crypto, th1, bytesOf('resp').subarray(0, 1156));
  same(th2, 'th2');
  const secrets = transcript.handshakeSecrets(crypto, th2, bytesOf('ss'));
  same(secrets.handshake, 'HS');
  same(secrets.gateway, 'handshake_keys', 'kg');
  same(secrets.client, 'handshake_keys', 'kc');
  same(secrets.gatewayFinish, 'handshake_keys', 'fkg');
  same(secrets.clientFinish, 'handshake_keys', 'fkc');
  const opened = crypto.opener(secrets.gateway).open(th2, bytesOf('resp').subarray(1158));
  assert.ok(opened);
  const th3 = transcript.th3(crypto, th2, opened.subarray(0, 10 + 3373));
  same(th3, 'th3');
  const thc = transcript.thc(crypto, th3, bytesOf('svid'), bytesOf('posture'));
  same(thc, 'thc');
  const th4 = transcript.th4(crypto, thc, bytesOf('sig_c'));
  same(th4, 'th4');
  same(transcript.finishClient(crypto, secrets.clientFinish, th4), 'fin_c');
  const th5 = transcript.th5(crypto, th4, bytesOf('fin_c'));
  same(th5, 'th5');
  same(transcript.masterSecret(crypto, secrets.handshake, th5, keys), 'MS');
  same(transcript.finishGateway(crypto, secrets.gatewayFinish, th5, bytesOf('params')), 'fin_g');
  same(transcript.th6(crypto, th5, bytesOf('params'), bytesOf('fin_g')), 'th6_is_T0');
});

test('QZ-14: both halves of the shared secret are the known ones, ML-KEM first', needsVectors, () => {
  const offer = known.clientCrypto().offer();
  same(offer.share, 'share_c');
  const answer = known.gatewayCrypto().answer(offer.share);
  same(answer.share, 'share_g');
  same(answer.secret, 'ss');
  same(offer.finish(answer.share), 'ss');
});

test('epochs 0 to 2 and the rekeys between them are the known ones', needsVectors, () => {
  const [client, gateway] = [known.clientCrypto(), known.gatewayCrypto()];
  client.offer(); // the handshake's
  gateway.answer(bytesOf('share_c'));
  let epoch = schedule.firstEpoch(crypto, bytesOf('MS'), bytesOf('th6_is_T0'));
  sameEpoch(epoch, 'epoch0', ['th6_is_T0']);
  for (const n of [1, 2]) {
    const offer = client.offer();
    const answer = gateway.answer(offer.share);
    const number = Uint8Array.of(0, 0, 0, n);
    const [rkInit, rkResp] = [concat(number, offer.share), concat(number, answer.share)];
    same(rkInit, `rekey${n}`, 'rk_init');
    same(rkResp, `rekey${n}`, 'rk_resp');
    epoch = schedule.nextEpoch(crypto, epoch, rkInit, rkResp, offer.finish(answer.share));
    assert.equal(epoch.number, n);
    sameEpoch(epoch, `epoch${n}`, [`rekey${n}`, `T${n}`]);
    same(concat(number, schedule.rekeyConfirm(crypto, epoch)), `rekey${n}`, 'rk_done');
    if (n === 1) sameBoundToEpoch1(epoch);
  }
});

function sameBoundToEpoch1(epoch: schedule.EpochSecrets): void {
  const exporter = schedule.exporterValue(crypto, epoch, 'webauthn', bytesOf('inputs', 'stepup.nonce'));
  same(exporter, 'exporter_webauthn_epoch1');
  same(schedule.reauthHash(crypto, epoch.transcript, bytesOf('svid')), 'reauth_hash_epoch1');
  const binding = { ...ceremony(), nonce: bytesOf('inputs', 'stepup.nonce'), exporter };
  same(challenges.stepupChallenge(crypto, binding), 'webauthn_stepup_challenge');
}

function ceremony() {
  return {
    rpId: textOf('fields', 'rp_id'),
    deviceKeyHash: bytesOf('inputs', 'svid.device_pk_sha256'),
    userHandle: utf8(textOf('fields', 'user_handle')),
    postureHash: crypto.sha256(bytesOf('inputs', 'posture.statement')),
  };
}

test('the login and launch challenges are the known ones', needsVectors, () => {
  const login = { ...ceremony(), nonce: bytesOf('inputs', 'login.nonce') };
  same(challenges.loginChallenge(crypto, login), 'webauthn_login_challenge');
  const launch = {
    ...ceremony(),
    nonce: bytesOf('inputs', 'launch.nonce'),
    sessionKeyHash: crypto.sha256(bytesOf('public_keys', 'session')),
    lease: bytesOf('inputs', 'launch.lease_id'),
    service: textOf('fields', 'svid.service'),
  };
  same(challenges.launchChallenge(crypto, launch), 'launch_challenge');
});

test('the credential and the descriptor are the known ones, and verify', needsVectors, async () => {
  const signer = known.signerOf('signer');
  same(signer.publicKey, 'public_keys', 'signer');
  const svid = {
    sessionPublicKey: known.signerOf('session').publicKey,
    deviceKeyHash: bytesOf('inputs', 'svid.device_pk_sha256'),
    notBefore: numberOf('fields', 'svid.not_before_ms'),
    notAfter: numberOf('fields', 'svid.not_after_ms'),
    policyEpoch: BigInt(numberOf('fields', 'svid.policy_epoch')),
    amr: numberOf('fields', 'svid.amr'),
    postureHash: crypto.sha256(bytesOf('inputs', 'posture.statement')),
    serial: bytesOf('inputs', 'svid.serial'),
    spiffeId: textOf('fields', 'svid.spiffe_id'),
    service: textOf('fields', 'svid.service'),
  };
  same(svid.sessionPublicKey, 'public_keys', 'session');
  same(await signSvid(crypto, signer, svid), 'svid');
  const verified = await verifySvid(crypto, known.clock, bytesOf('svid'), signer.publicKey, { service: 'wiki' });
  assert.deepEqual(verified, { ...svid, verified: true });

  const descriptor = {
    publicKey: known.signerOf('gateway').publicKey,
    notBefore: numberOf('fields', 'descriptor.not_before_ms'),
    notAfter: numberOf('fields', 'descriptor.not_after_ms'),
    minVersion: 1,
    maxVersion: 1,
    suites: 1,
    stealthKey: bytesOf('inputs', 'stealth_key'),
    authority: textOf('fields', 'descriptor.authority'),
  };
  same(descriptor.publicKey, 'public_keys', 'gateway');
  same(await signDescriptor(crypto, signer, descriptor), 'gateway_descriptor');
  const read = await verifyDescriptor(crypto, known.clock, bytesOf('gateway_descriptor'), signer.publicKey);
  assert.deepEqual(read, descriptor);
});

test('signatures over the transcript are the known ones', needsVectors, async () => {
  same(await known.signerOf('gateway').sign(bytesOf('th2'), 'Latchkey/1 gateway'), 'sig_g');
  same(await known.signerOf('session').sign(bytesOf('thc'), 'Latchkey/1 client'), 'sig_c');
});

test(
  'QZ-11, QZ-15: a whole handshake with RETRY sends exactly the known bytes, and both ends agree',
  needsVectors,
  async () => {
    const client = known.clientOf(known.clientCrypto());
    const gateway = known.gatewayOf(known.gatewayCrypto(), { retry: known.retryOf() });
    const init = client.start();
    same(init.subarray(4), 'init_without_cookie');
    const retry = await gateway.receive(init);
    same(retry.send!.subarray(4), 'retry');
    const again = await client.receive(retry.send!);
    same(again.send!.subarray(4), 'init');
    same(again.send!, 'framed_init');
    const resp = await gateway.receive(again.send!);
    same(resp.send!.subarray(4), 'resp');
    const auth = await client.receive(resp.send!);
    same(auth.send!.subarray(4), 'auth');
    const ready = await gateway.receive(auth.send!);
    same(ready.send!.subarray(4), 'ready');
    const done = await client.receive(ready.send!);
    for (const { epoch, params } of [ready.established!, done.established!] satisfies Established[]) {
      sameEpoch(epoch, 'epoch0', ['th6_is_T0']);
      same(encodeParams(params), 'params');
    }
    assert.deepEqual(done.established!.peer, { gatewayPublicKey: bytesOf('public_keys', 'gateway') });
    assert.deepEqual(done.established!.sessionPublicKey, ready.established!.sessionPublicKey);
  },
);

test('the sizes are the known ones', needsVectors, () => {
  const sizes: Record<string, number> = {
    core: encodeInitCore({ transport: 1, random: new Uint8Array(32), share: bytesOf('share_c') }).length,
    init0: bytesOf('init_without_cookie').length,
    init: bytesOf('init').length,
    retry: bytesOf('retry').length,
    resp: bytesOf('resp').length,
    auth: bytesOf('auth').length,
    ready: bytesOf('ready').length,
    svid: bytesOf('svid').length,
    gdesc: bytesOf('gateway_descriptor').length,
  };
  for (const [name, size] of Object.entries(sizes)) assert.equal(size, numberOf('sizes', name), name);
  same(encodeFrame('init', bytesOf('init')), 'framed_init');
});
