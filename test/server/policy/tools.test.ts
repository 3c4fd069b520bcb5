import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CedarEntity, SnapshotContent } from '../../../server/channel/snapshot-content.ts';
import { parseCases, runCases } from '../../../server/policy/cases.ts';
import { dangersOf } from '../../../server/policy/dangers.ts';
import { explain } from '../../../server/policy/explain.ts';
import type { PrincipalView } from '../../../server/policy/question.ts';
import { recordedQuestion, recordPrincipal } from '../../../server/policy/recorded.ts';
import { defaultPolicies } from '../../../server/policy/schema.ts';
import { checkPolicies } from '../../../server/policy/validate.ts';

const now = 1_790_000_000_000;

describe('policy check', () => {
  const text = `// two lines, with a wide character: é
@id("one") permit (principal in Group::"staff", action, resource);
@id("two") permit (principal, action, resource) when {
  context.nothing };
@id("three") forbid (principal, action == Action::"fly", resource);
`;
  test('every fault is told, once, with its policy and its place in the text', () => {
    const { policies, faults } = checkPolicies(text);
    assert.deepEqual(Object.keys(policies), ['one', 'two', 'three']);
    assert.deepEqual(
      faults.map(({ code, policy, line, column }) => [code, policy, line, column]),
      [
        ['policy_invalid', 'two', 4, 3],
        ['policy_invalid', 'three', 5, 43],
      ],
    );
    assert.match(faults[0]?.message ?? '', /^The policy two is refused: attribute `nothing`/);
  });

  const table: [string, string, number, number][] = [
    ['permit (principal,\n  action', 'policy_syntax', 2, 9],
    [
      '@id("a") permit (principal, action, resource);\n@id("a") forbid (principal, action, resource);',
      'policy_id',
      2,
      1,
    ],
    ['\npermit (principal == ?principal, action, resource);', 'policy_template', 2, 1],
  ];
  for (const [given, code, line, column] of table)
    test(`the place of ${code} is line ${line}`, () => {
      const [fault] = checkPolicies(given).faults;
      assert.deepEqual([fault?.code, fault?.line, fault?.column], [code, line, column]);
    });

  test('what can never apply is a warning and no fault', () => {
    const never = '@id("never") permit (principal == Group::"staff", action, resource);';
    const { faults, warnings } = checkPolicies(never);
    assert.equal(faults.length, 0);
    assert.equal(warnings[0]?.policy, 'never');
  });

  test('a policy called like a property of objects is a policy, or refused, never lost', () => {
    for (const id of ['__proto__', 'constructor', 'toString']) {
      const { policies, faults } = checkPolicies(`@id("${id}") forbid (principal, action, resource);`);
      assert.ok(Object.hasOwn(policies, id), id);
      assert.equal(faults.length, id === '__proto__' ? 1 : 0, id);
    }
  });
});

describe('policy dangers', () => {
  const all = 'permit (principal, action, resource)';
  const dangerous: [string, string][] = [
    ['everything', `${all};`],
    ['persons', 'permit (principal is User, action, resource is Service);'],
    ['a condition that always holds', `${all} when { 1 == 1 };`],
    ['a condition that everybody meets', `${all} when { context.amr.contains("passkey") };`],
    ['a touch', `${all} when { context.amr.contains("stepUp") };`],
    ['an IdP', `${all} when { context.amr.contains("oidc") };`],
    ['all but one person', `${all} when { principal != User::"bob" };`],
    ['all but one service', `${all} when { resource != Service::"ledger" };`],
    ['all but a label', `${all} unless { resource.labels.contains("secret") };`],
    ['one scheme', `${all} when { resource.scheme == "ssh" };`],
    ['one action', 'permit (principal, action == Action::"open", resource);'],
    ['one method', `${all} when { context has method && context.method == "GET" };`],
    ['a path that all have', `${all} when { context has path && context.path like "/*" };`],
    ['days to come', `${all} when { context.now > datetime("2020-01-01") };`],
    ['devices enrolled long ago', `${all} when { context has device && !context.device.synced };`],
  ];
  for (const [what, policy] of dangerous)
    test(`QHX-8: is found, however it is written: ${what}`, () => {
      const dangers = dangersOf({ ...defaultPolicies, wide: policy }, now);
      assert.deepEqual(
        dangers.map(({ code, policies }) => [code, policies]),
        [['allow_all', ['wide']]],
      );
    });

  const harmless: [string, Record<string, string>][] = [
    ['the first policies', defaultPolicies],
    ['a group', { a: 'permit (principal in Group::"staff", action, resource);' }],
    ['a person', { a: 'permit (principal == User::"bob", action, resource);' }],
    ['one service for everybody', { a: 'permit (principal, action, resource == Service::"wiki");' }],
    ['a namespace for everybody', { a: 'permit (principal, action, resource in Namespace::"public");' }],
    ['a label for everybody', { a: `${all} when { resource.labels.contains("public") };` }],
    ['everything, and nothing after all', { a: `${all};`, b: 'forbid (principal, action, resource);' }],
    ['forbids', { a: 'forbid (principal, action, resource);' }],
    ['guests by their links', { a: 'permit (principal is Guest, action, resource);' }],
    ['none', {}],
  ];
  for (const [what, policies] of harmless)
    test(`QHX-8: is not found where there is none: ${what}`, () => {
      assert.deepEqual(dangersOf(policies, now), []);
    });
});

const entity = (type: string, id: string, attrs: CedarEntity['attrs'] = {}, parents: CedarEntity['parents'] = []) => ({
  uid: { type, id },
  attrs,
  parents,
});
const content: Pick<SnapshotContent, 'policies' | 'entities' | 'links'> = {
  entities: [
    entity('Group', 'staff'),
    entity('User', 'ada', { name: 'Ada' }, [{ type: 'Group', id: 'staff' }]),
    entity('Service', 'wiki', { scheme: 'http', demo: false, labels: [], evidence: 'none' }),
  ],
  links: [],
  policies: {
    staff: 'permit (principal in Group::"staff", action, resource);',
    admins: 'permit (principal in Group::"admins", action, resource);',
    night: 'forbid (principal, action, resource) when { context.authAgeS > 60 };',
    overflow:
      'forbid (principal, action == Action::"launch", resource) when { context.authAgeS + 9223372036854775807 > 0 };',
  },
};
const ada: PrincipalView = {
  user: 'ada',
  device: 'd',
  atMs: now,
  amr: ['passkey', 'deviceKey'],
  authAgeS: 61,
  posture: { ageS: 3.5, signals: { browser: 'Chrome', automation: false, browserMajor: 156 } },
};

describe('policy explain', () => {
  test('says of each policy whether it applies, and names those that decide', () => {
    const explained = explain(content, { principal: ada, action: 'open', service: 'wiki' });
    assert.deepEqual([explained.decision, explained.policies], ['deny', ['night']]);
    assert.deepEqual(
      explained.considered.map(({ id, effect, outcome }) => [id, effect, outcome]),
      [
        ['admins', 'permit', 'falls-short'],
        ['night', 'forbid', 'applies'],
        ['overflow', 'forbid', 'falls-short'],
        ['staff', 'permit', 'applies'],
      ],
    );
  });

  test('an error shows as one, with its words', () => {
    const { decision, considered } = explain(content, { principal: ada, action: 'launch', service: 'wiki' });
    assert.equal(decision, 'deny');
    const overflow = considered.find(({ id }) => id === 'overflow');
    assert.equal(overflow?.outcome, 'errs');
    assert.match(overflow?.error ?? '', /overflow/);
  });

  test('where nobody knows the person there is nothing to consider, and the answer is no', () => {
    const { decision, policies, considered } = explain(content, {
      principal: { ...ada, user: 'eve' },
      action: 'open',
      service: 'wiki',
    });
    assert.deepEqual([decision, policies, considered], ['deny', ['default-deny'], []]);
  });
});

describe('a recorded decision', () => {
  const event = {
    ...{ id: 'i', time: now, actor: 'spiffe://latchkey.local/user/ada/device/d', service: 'wiki' },
    decision: 'allow' as const,
  };
  const detail = { session: 's', ...recordPrincipal(ada) };

  test('QZ-39: holds what was asked, whole', () => {
    const request = { ...event, type: 'http.request' as const, detail: { ...detail, method: 'GET', path: '/a' } };
    assert.deepEqual(recordedQuestion(request), {
      ...{ principal: ada, action: 'request', service: 'wiki' },
      context: { kind: 'http', method: 'GET', path: '/a' },
    });
    assert.deepEqual(recordedQuestion({ ...event, type: 'stream.open', detail: { ...detail, kind: 'tcp' } })?.context, {
      kind: 'tcp',
    });
    assert.deepEqual(recordedQuestion({ ...event, type: 'renew', detail }), {
      ...{ principal: ada, action: 'launch', service: 'wiki', context: {} },
    });
    const guest = { ...event, type: 'launch' as const, detail, actor: 'spiffe://latchkey.local/guest/abc/7' };
    assert.deepEqual(recordedQuestion(guest)?.principal.link, { id: 'abc', use: 7 });
  });

  const notWhole: [string, object][] = [
    ['an event of an older release', { detail: { method: 'GET', path: '/a' } }],
    ['a path that was cut', { detail: { ...detail, method: 'GET', path: '/'.repeat(1_024) } }],
    ['a path that could not be printed', { detail: { ...detail, method: 'GET', path: '/\ufffd' } }],
    ['another kind of event', { type: 'session.open', detail }],
    ['nobody', { actor: 'anonymous', detail: { ...detail, method: 'GET', path: '/a' } }],
  ];
  for (const [what, change] of notWhole)
    test(`is none where it was not kept whole: ${what}`, () => {
      assert.equal(recordedQuestion({ ...event, type: 'http.request', ...change }), undefined);
    });
});

describe('policy test', () => {
  const policies = {
    staff: 'permit (principal in Group::"staff", action, resource) when { resource.labels.contains("internal") };',
    fresh:
      'forbid (principal, action == Action::"request", resource) when { context has method && context.method == "POST" } unless { context.amr.contains("stepUp") };',
    office: 'forbid (principal is User, action, resource) unless { context.now.toTime() > duration("8h") };',
  };
  const world = {
    people: { ann: ['staff'], eve: [] },
    services: { wiki: { labels: ['internal'] }, ledger: { namespace: 'finance' } },
    links: { visit: { services: ['wiki'], expires: '2026-12-01T00:00:00Z', readOnly: true } },
  };
  const at = '2026-11-26T12:00:00Z';
  const cases: [object, boolean][] = [
    [{ person: 'ann', service: 'wiki', at, expect: 'allow', by: ['staff'] }, true],
    [{ person: 'ann', service: 'wiki', at, expect: 'allow', by: ['fresh'] }, false],
    [{ person: 'ann', service: 'wiki', at, expect: 'deny' }, false],
    [{ person: 'ann', service: 'wiki', at: '2026-11-26T07:00:00Z', expect: 'deny', by: ['office'] }, true],
    [{ person: 'ann', service: 'ledger', at, expect: 'deny', by: ['default-deny'] }, true],
    [{ person: 'eve', service: 'wiki', at, expect: 'deny' }, true],
    [{ person: 'ann', service: 'wiki', at, action: 'request', method: 'POST', path: '/', expect: 'stepUp' }, true],
    [{ guest: 'visit', service: 'wiki', at, kind: 'http', expect: 'allow', by: ['link-grant'] }, true],
    [{ guest: 'visit', service: 'wiki', at, action: 'request', method: 'PUT', path: '/', expect: 'deny' }, true],
    [{ guest: 'visit', service: 'wiki', at: '2026-12-02T00:00:00Z', expect: 'deny', by: ['link-expired'] }, true],
  ];
  for (const [given, passes] of cases)
    test(`${passes ? 'passes' : 'fails'}: ${JSON.stringify(given)}`, () => {
      const parsed = parseCases({ ...world, cases: [{ name: 'it', ...given }] });
      assert.equal(runCases(parsed, policies, now)[0]?.passed, passes);
    });

  const wrong: [object | null, string][] = [
    [null, 'cases_malformed'],
    [{ ...world, cases: [] }, 'cases_malformed'],
    [{ ...world, cases: [{ name: 'it', person: 'ann', service: 'wiki', expect: 'maybe' }] }, 'cases_malformed'],
    [{ ...world, cases: [{ name: 'it', service: 'wiki', expect: 'deny' }] }, 'cases_malformed'],
    [{ ...world, cases: [{ name: 'it', person: 'an', service: 'wiki', expect: 'deny' }] }, 'cases_unknown'],
    [{ ...world, cases: [{ name: 'it', person: 'ann', service: 'wikki', expect: 'deny' }] }, 'cases_unknown'],
    [{ ...world, cases: [{ name: 'it', guest: 'ann', service: 'wiki', expect: 'deny' }] }, 'cases_unknown'],
    [{ ...world, tests: [] }, 'cases_malformed'],
  ];
  for (const [given, code] of wrong)
    test(`QPT-9: ${JSON.stringify(given).slice(-80)} is refused: ${code}`, () => {
      assert.throws(() => parseCases(given), { code });
    });
});
