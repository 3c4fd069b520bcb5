/** Revoking what is not a person or a device: sessions, services, connectors; and the receipts of what was cut. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { base64url, unbase64url } from '../../../protocol/bytes.ts';
import { verifyReceipt } from '../../../server/audit/receipt.ts';
import { Browser } from './browser.ts';
import { type FarGateway, gatewayWithSite, supervisorToken, wireguardKey } from './far-gateway.ts';
import { Installation } from './installation.ts';

describe('revoking sessions, services and connectors', () => {
  let installation: Installation;
  let gateway: FarGateway;
  let ada: Browser;
  before(async () => {
    installation = await new Installation().start({ gateway: supervisorToken });
    gateway = await gatewayWithSite(installation);
    for (const name of ['wiki', 'ledger'])
      await installation.admin('POST', '/admin/services', { name, url: `http://10.7.0.5/${name}` });
    ada = new Browser(installation);
    await ada.enrol((await installation.admin('POST', '/admin/enrolments/first', {})).body.url);
  });
  after(async () => {
    gateway.channel.close();
    await installation.stop();
    installation.remove();
  });
  const error = ({ status, body }: { status: number; body: { error?: string } }) => [status, body.error];
  const heard = async () => {
    gateway.heard.length = 0;
    return () => gateway.next('revocation');
  };

  test('QPT-3: one session is revoked and the other of the same person goes on', async () => {
    const [first, second] = [await ada.launch('wiki'), await ada.launch('ledger')];
    const { sessions } = (await installation.admin('GET', '/admin/sessions')).body;
    assert.deepEqual(sessions.map((one: { service: string }) => one.service).sort(), ['ledger', 'wiki']);
    const { id } = sessions.find((one: { service: string }) => one.service === 'wiki');
    const told = await heard();
    assert.equal((await installation.admin('DELETE', `/admin/sessions/${id}`)).status, 200);
    await told();
    const serial = async (launched: typeof first) => {
      const { serial } = await installation.control.context.store
        .selectFrom('svids')
        .innerJoin('launches', 'launches.id', 'svids.launch_id')
        .select('svids.serial')
        .where('launches.session_public_key', '=', launched.session.publicKey)
        .executeTakeFirstOrThrow();
      return serial;
    };
    const renew = async (launched: typeof first) =>
      error(await ada.renew(await ada.prepareRenewal(launched.session, await serial(launched))));
    assert.deepEqual(await renew(first), [401, 'lease_ended']);
    assert.deepEqual(await renew(second), [200, undefined]);
    assert.deepEqual(error(await installation.admin('DELETE', `/admin/sessions/${id}`)), [404, 'session_unknown']);
  });

  test('QPT-3: a suspended service opens for nobody until it is resumed', async () => {
    const told = await heard();
    const suspend = (name: string) =>
      installation.admin('POST', `/admin/services/${name}/suspend`, { reason: 'break-in' });
    assert.equal((await suspend('wiki')).status, 200);
    await told();
    assert.deepEqual(error((await ada.launch('wiki')).answer), [404, 'service_unknown']);
    assert.equal((await ada.launch('ledger')).answer.status, 200);
    assert.deepEqual(error(await suspend('wiki')), [404, 'service_unknown']);
    assert.equal((await installation.admin('POST', '/admin/services/wiki/resume', {})).status, 200);
    assert.equal((await ada.launch('wiki')).answer.status, 200);
  });

  test('QPT-3: a revoked connector is no peer any more, and what it carries is suspended', async () => {
    const { store, clock } = installation.control.context;
    const key = wireguardKey();
    const connector = { id: 'c1', name: 'annex', wireguard_key: key, address: '100.100.0.9', joined_at: clock.now() };
    await store
      .insertInto('connectors')
      .values({
        ...connector,
        resume_hash: new Uint8Array(32),
        previous_resume_hash: null,
        revoked_at: null,
        evidence: 'weak',
        machine: null,
        needs_strong: 0,
        needs_machine: null,
        needs_workloads: '{}',
      })
      .execute();
    await store
      .insertInto('peers')
      .values({
        ...{ public_key: key, name: 'annex', allowed_ips: '["100.100.0.9/32"]', endpoint: null, preshared_key: null },
        ...{ keepalive_s: null, connector_id: 'c1', created_at: clock.now() },
      })
      .execute();
    await installation.admin('POST', '/admin/services', { name: 'printer', url: 'http://annex.wg' });
    assert.equal((await ada.launch('printer')).answer.status, 200);
    assert.equal((await installation.admin('DELETE', '/admin/connectors/annex?reason=stolen')).status, 200);
    assert.deepEqual(error((await ada.launch('printer')).answer), [404, 'service_unknown']);
    const { peers } = (await installation.admin('GET', '/admin/peers')).body;
    assert.equal(
      peers.some((peer: { name: string }) => peer.name === 'annex'),
      false,
    );
    assert.deepEqual(error(await installation.admin('DELETE', '/admin/connectors/annex')), [409, 'connector_unknown']);
  });

  test('QPT-3: what was cut at which byte is signed by the notary, and verifies with public keys alone', async () => {
    const cut = (stream: string, sent: number) => ({
      ...{
        id: randomUUID(),
        time: installation.clock.now(),
        type: 'stream.cut',
        actor: 'spiffe://latchkey.local/user/u/device/d',
      },
      ...{ service: 'wiki', decision: 'deny', reason: 'revoked', policies: ['revocation'] },
      detail: { session: 'ab'.repeat(16), stream, kind: 'http', received: 7, sent },
    });
    const events = [cut('4', 123_456), cut('6', 99)];
    gateway.heard.length = 0;
    gateway.channel.send({ t: 'events', events } as never);
    await gateway.next('ack');
    // Sent again, as after a lost acknowledgement, they are the same cuts.
    gateway.channel.send({ t: 'events', events } as never);
    await gateway.next('ack');
    const { receipts } = (await installation.admin('GET', '/admin/receipts')).body;
    assert.deepEqual(
      receipts.map((one: { streams: number }) => one.streams),
      [2],
    );
    const { object } = (await installation.admin('GET', `/admin/receipts/${receipts[0].id}`)).body;
    const document = unbase64url(object);
    const content = await verifyReceipt(installation.data, document);
    assert.deepEqual(
      (content['streams'] as { stream: string; sent: number }[]).map(({ stream, sent }) => [stream, sent]),
      [
        ['4', 123_456],
        ['6', 99],
      ],
    );
    const places = Array.from({ length: 25 }, (_, n) => Math.floor((n * (document.length - 1)) / 24));
    for (const at of places) {
      const bad = document.slice();
      bad[at] = (bad[at] ?? 0) ^ 1;
      await assert.rejects(verifyReceipt(installation.data, bad), { code: 'receipt_refused' }, `byte ${at}`);
    }
    for (const part of [document.subarray(1), document.subarray(0, -1), Buffer.concat([document, Buffer.of(0)])])
      await assert.rejects(verifyReceipt(installation.data, new Uint8Array(part)), { code: 'receipt_refused' });
    assert.equal(base64url(document), object);
  });
});
