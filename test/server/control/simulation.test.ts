import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { simulate } from '../../../server/control/simulation.ts';
import { Browser } from './browser.ts';
import { wireguardKey } from './far-gateway.ts';
import { Installation } from './installation.ts';

describe('policy tools of the admin API', () => {
  let installation: Installation;
  let bob: Browser;
  let bobId: string;
  const readers = '@id("readers") permit (principal in Group::"readers", action, resource);';
  const admins = '@id("admins") permit (principal in Group::"admins", action, resource);';
  before(async () => {
    installation = await new Installation().start();
    const site = { publicKey: wireguardKey(), allowedIps: ['10.7.0.0/24'], name: 'site' };
    await installation.admin('POST', '/admin/peers', site);
    for (const name of ['wiki', 'ledger'])
      await installation.admin('POST', '/admin/services', { name, url: 'http://10.7.0.5/' });
    const { body } = await installation.admin('POST', '/admin/enrolments', { name: 'Bob', group: 'readers' });
    bobId = body.user;
    bob = new Browser(installation);
    assert.equal((await bob.enrol(body.url)).status, 200);
    // What was decided by the first policies: launches that were denied. Three recorded, one of nothing.
    for (const service of ['wiki', 'wiki', 'ledger', 'nowhere'])
      await bob.postSigned('/api/launch/explain', { service });
  });
  after(async () => {
    await installation.stop();
    installation.remove();
  });
  afterEach(async () => {
    const { body } = await installation.admin('GET', '/admin/policies');
    assert.deepEqual(Object.keys(body.policies), ['admins'], 'no tool changes what is in force');
    assert.equal((await installation.events('policy.change')).length, 0);
  });
  const post = (tool: string, body: object) => installation.admin('POST', `/admin/policies/${tool}`, body);

  test('QHX-6: a simulation shows exactly what a draft would have changed, and for whom', async () => {
    const draft = {
      text: `${admins} ${readers} @id("ledger") forbid (principal, action, resource == Service::"ledger");`,
    };
    const { status, body } = await post('simulate', { draft });
    assert.equal(status, 200);
    assert.deepEqual([body.replayed, body.changed, body.decidedByOthers, body.driftedSince], [3, 2, 1, 0]);
    assert.deepEqual(body.skipped, { not_recorded: 0, not_by_policy: 1, principal_gone: 0, service_gone: 0 });
    assert.deepEqual([body.complete, body.truncated], [true, false]);
    const [change, ...more] = body.changes;
    assert.equal(more.length, 0);
    assert.deepEqual(
      [change.name, change.service, change.action, change.count, change.before, change.after],
      [
        ...['Bob', 'wiki', 'launch', 2],
        { decision: 'deny', policies: ['default-deny'] },
        { decision: 'allow', policies: ['readers'] },
      ],
    );
    const events = await installation.events('launch');
    const denied = events.filter(({ service }) => service === 'wiki').map(({ seq }) => seq);
    assert.deepEqual(change.events, denied.reverse());
  });

  test('QHX-6: the policies in force as a draft change nothing', async () => {
    const { policies } = (await installation.admin('GET', '/admin/policies')).body;
    const { body } = await post('simulate', { draft: { map: policies } });
    assert.deepEqual([body.replayed, body.changed, body.decidedByOthers, body.changes], [3, 0, 0, []]);
  });

  test('a draft that asks what was recorded is answered by it: the browser at the time of the launch', async () => {
    const draft = {
      text: `${readers} @id("old") forbid (principal, action, resource) when { context.posture has browserMajor && context.posture.browserMajor < 157 };`,
    };
    const { body } = await post('simulate', { draft });
    assert.deepEqual([body.changed, body.decidedByOthers], [0, 3]);
    const newer = { text: draft.text.replace('157', '156') };
    assert.equal((await post('simulate', { draft: newer })).body.changed, 3);
  });

  test('the limit ends it, and it says so', async () => {
    const { body } = await post('simulate', { draft: { text: readers }, limit: 2 });
    assert.deepEqual([body.replayed + body.skipped.not_by_policy, body.complete], [2, false]);
    const { body: none } = await post('simulate', { draft: { text: readers }, sinceS: 1 });
    assert.equal(none.complete, true);
  });

  test('one simulation at a time', async () => {
    const { context, desk } = installation.control;
    const run = () => simulate(context, desk.policy.content, { readers }, { since: 0, limit: 10 });
    const [first, second] = [run(), run()];
    await assert.rejects(second, { code: 'simulation_busy' });
    assert.equal((await first).changed, 3);
    assert.equal((await run()).changed, 3);
  });

  test('check says what is wrong, what differs and what is dangerous, and refuses nothing', async () => {
    const { body } = await post('check', {
      text: `${admins.replace('resource)', 'resource == Service::"wiki")')} ${readers}`,
    });
    assert.deepEqual(body.difference, { added: ['readers'], removed: [], changed: ['admins'] });
    assert.deepEqual([body.faults, body.dangers], [[], []]);
    assert.deepEqual(
      body.policies.map(({ id, effect }: Record<string, string>) => [id, effect]),
      [
        ['admins', 'permit'],
        ['readers', 'permit'],
      ],
    );
    const broken = (await post('check', { text: 'permit (principal, action, resource) when { context.nothing };' }))
      .body;
    assert.deepEqual(
      [broken.faults[0].code, broken.faults[0].line, broken.faults[0].column],
      ['policy_invalid', 1, 45],
    );
    const wide = (await post('check', { text: 'permit (principal, action, resource);' })).body;
    assert.deepEqual([wide.dangers[0].code, wide.dangers[0].policies], ['allow_all', ['policy0']]);
  });

  test('explain asks for a person by id or name, of what is in force or of a draft', async () => {
    for (const user of ['Bob', bobId]) {
      const { body } = await post('explain', { user, service: 'wiki', action: 'open' });
      assert.deepEqual([body.decision, body.policies], ['deny', ['default-deny']]);
      assert.deepEqual(
        body.considered.map(({ id, outcome }: Record<string, string>) => [id, outcome]),
        [['admins', 'falls-short']],
      );
    }
    const draft = { text: `${admins} ${readers}` };
    const { body } = await post('explain', { user: 'Bob', service: 'wiki', action: 'open', draft });
    assert.deepEqual([body.decision, body.policies], ['allow', ['readers']]);
  });

  const wrong: [tool: string, body: object, code: string][] = [
    ['check', {}, 'malformed'],
    ['check', { text: 'x'.repeat(100_001) }, 'malformed'],
    ['check', { text: 'x', map: {} }, 'malformed'],
    ['explain', { service: 'wiki', action: 'open' }, 'malformed'],
    ['explain', { user: 'Bob', link: 'a', service: 'wiki', action: 'open' }, 'malformed'],
    ['explain', { user: 'Bob', service: 'wiki', action: 'fly' }, 'malformed'],
    ['explain', { user: 'Bob', service: 'wiki', action: 'open', amr: ['magic'] }, 'malformed'],
    ['explain', { user: 'Eve', service: 'wiki', action: 'open' }, 'user_unknown'],
    ['explain', { link: 'abc', service: 'wiki', action: 'open' }, 'link_unknown'],
    ['explain', { user: 'Bob', service: "wiki'; --", action: 'open' }, 'service_unknown'],
    ['explain', { user: 'Bob', service: 'wiki', action: 'open', draft: { text: 'permit' } }, 'policy_syntax'],
    ['simulate', { draft: { text: 'permit' } }, 'policy_syntax'],
    ['simulate', { draft: { text: readers }, limit: 0 }, 'malformed'],
    ['simulate', { draft: { text: readers }, limit: 1e9 }, 'malformed'],
    ['simulate', { text: readers }, 'malformed'],
  ];
  for (const [tool, body, code] of wrong)
    test(`QPT-9: ${tool} refuses ${JSON.stringify(body).slice(0, 90)}: ${code}`, async () => {
      const answer = await post(tool, body);
      assert.equal(answer.body.error, code);
      assert.ok(answer.status >= 400 && answer.status < 500);
    });
});
