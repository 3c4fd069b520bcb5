import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CedarEntity } from '../../../server/channel/snapshot-content.ts';
import { amrNames } from '../../../server/policy/amr.ts';
import { PolicyEngine } from '../../../server/policy/engine.ts';
import { cedarTime } from '../../../server/policy/links.ts';
import type { PrincipalFacts, PrincipalView, Question } from '../../../server/policy/question.ts';
import { defaultPolicies } from '../../../server/policy/schema.ts';
import { readPolicies } from '../../../server/policy/validate.ts';

const entity = (type: string, id: string, attrs: CedarEntity['attrs'], parents: [string, string][]): CedarEntity => ({
  uid: { type, id },
  attrs,
  parents: parents.map(([parentType, parent]) => ({ type: parentType, id: parent })),
});
const entities = [
  entity('Group', 'admins', {}, []),
  entity('Group', 'wiki-readers', {}, []),
  entity('User', 'ada', { name: 'Ada' }, [['Group', 'admins']]),
  entity('User', 'bob', { name: 'Bob' }, [['Group', 'wiki-readers']]),
  entity('Namespace', 'default', {}, []),
  entity('Namespace', 'finance', {}, []),
  entity('Device', 'd1', { enrolled: cedarTime(1_780_000_000_000) as string, aaguid: 'key', synced: false }, []),
  entity('Device', 'd2', { enrolled: cedarTime(1_789_999_999_000) as string, aaguid: 'phone', synced: true }, []),
  entity('Service', 'wiki', { scheme: 'http', demo: false, labels: ['internal'], evidence: 'none' }, [
    ['Namespace', 'default'],
  ]),
  entity('Service', 'ledger', { scheme: 'http', demo: false, labels: [], evidence: 'strong' }, [
    ['Namespace', 'finance'],
  ]),
];
const principal = (
  user: string,
  change: Partial<PrincipalFacts & { readonly device: string | undefined }> = {},
): PrincipalView => ({
  user,
  atMs: 1_790_000_000_000,
  device: 'd1',
  amr: ['passkey', 'deviceKey'],
  authAgeS: 10.2,
  posture: { ageS: 5 },
  ...change,
});
const ask = (policies: Record<string, string>, user: string, change: Partial<Question> = {}) =>
  new PolicyEngine({ policies, entities, links: [] }).decide({
    principal: principal(user),
    action: 'open',
    service: 'wiki',
    ...change,
  });

describe('policy engine', () => {
  test('the default policies let admins do everything and nobody else anything', () => {
    assert.deepEqual(ask(defaultPolicies, 'ada'), { decision: 'allow', policies: ['admins'] });
    assert.deepEqual(ask(defaultPolicies, 'bob'), { decision: 'deny', policies: ['default-deny'] });
  });

  const stepped = { stepped: 'permit (principal, action, resource) when { context.amr.contains("stepUp") };' };
  const unlessStepped = {
    all: 'permit (principal, action, resource);',
    guard: 'forbid (principal, action == Action::"request", resource) unless { context.amr.contains("stepUp") };',
  };
  const young = { young: 'permit (principal, action, resource) when { context.authAgeS < 5 };' };
  for (const [what, policies, change, expected] of [
    ['a permit that wants one', stepped, {}, { decision: 'deny', policies: ['default-deny'], lacks: 'stepUp' }],
    [
      'a forbid unless there is one',
      unlessStepped,
      { action: 'request' },
      { decision: 'deny', policies: ['guard'], lacks: 'stepUp' },
    ],
    ['a forbid of another action', unlessStepped, {}, { decision: 'allow', policies: ['all'] }],
    [
      'a proof of presence that is too old',
      young,
      {},
      { decision: 'deny', policies: ['default-deny'], lacks: 'stepUp' },
    ],
    ['a sign-in too old to launch', young, { action: 'launch' }, { decision: 'deny', policies: ['default-deny'] }],
    [
      'a launch, which it is forgiven',
      stepped,
      { action: 'launch' },
      { decision: 'deny', policies: ['default-deny'], lacks: 'stepUp' },
    ],
    ['a service that nobody may use', stepped, { service: 'gone' }, { decision: 'deny', policies: ['default-deny'] }],
    [
      'a permit that wants more besides',
      {
        more: 'permit (principal, action, resource) when { context.amr.contains("stepUp") && context.amr.contains("oidc") };',
      },
      {},
      { decision: 'deny', policies: ['default-deny'] },
    ],
  ] as const)
    test(`a deny says when a step-up is all it lacks: ${what}`, () => {
      assert.deepEqual(ask(policies, 'ada', change), expected);
    });

  test('a step-up that was made is one', () => {
    assert.equal(
      ask(stepped, 'ada', { principal: principal('ada', { amr: ['passkey', 'stepUp'] }) }).decision,
      'allow',
    );
  });

  test('an installation without policies denies', () => {
    assert.deepEqual(ask({}, 'ada'), { decision: 'deny', policies: ['default-deny'] });
  });

  test('a user or service nobody knows is denied even where everything is permitted', () => {
    const all = { all: 'permit (principal, action, resource);' };
    assert.equal(ask(all, 'ada').decision, 'allow');
    assert.equal(ask(all, 'eve').decision, 'deny');
    assert.equal(ask(all, 'ada', { service: 'gone' }).decision, 'deny');
  });

  test('a forbid outranks a permit and is named as the one that decided', () => {
    const policies = { ...defaultPolicies, 'no-wiki': 'forbid (principal, action, resource == Service::"wiki");' };
    assert.deepEqual(ask(policies, 'ada'), { decision: 'deny', policies: ['no-wiki'] });
  });

  test('QHX-6: a grant in one namespace is none in another', () => {
    const policies = {
      readers: 'permit (principal in Group::"wiki-readers", action, resource in Namespace::"default");',
    };
    assert.equal(ask(policies, 'bob').decision, 'allow');
    assert.deepEqual(ask(policies, 'bob', { service: 'ledger' }), { decision: 'deny', policies: ['default-deny'] });
  });

  test('a policy sees action, ages, proofs of identity, posture and the request', () => {
    const policies = {
      careful: `permit (principal == User::"bob", action in [Action::"request"], resource) when {
        context.authAgeS <= 11 && context.amr.contains("passkey") && context has device && context.device == Device::"d1" &&
        context.posture.ageS < 60 && context.posture has backedUp && !context.posture.backedUp &&
        context has path && context.path like "/public/*" && context has method && context.method == "GET" };`,
    };
    const right = principal('bob', { posture: { ageS: 5, signals: { backedUp: false } } });
    const question: Partial<Question> = {
      principal: right,
      action: 'request',
      context: { method: 'GET', path: '/public/a' },
    };
    readPolicies(policies);
    assert.equal(ask(policies, 'bob', question).decision, 'allow');
    const changes: Partial<Question>[] = [
      { action: 'open' },
      { context: { method: 'POST', path: '/public/a' } },
      { context: { method: 'GET', path: '/private' } },
      { context: {} },
      { principal: { ...right, authAgeS: 11.1 } },
      { principal: { ...right, amr: ['deviceKey'] } },
      { principal: principal('bob', { ...right, device: 'd2' }) },
      { principal: { ...right, posture: { ageS: 5 } } },
      { principal: { ...right, posture: { ageS: 60, signals: { backedUp: false } } } },
    ];
    for (const change of changes) assert.equal(ask(policies, 'bob', { ...question, ...change }).decision, 'deny');
  });

  // As README has it: the methods that RFC 9110 calls safe, and nothing that goes both ways.
  const readOnly = {
    all: 'permit (principal, action, resource);',
    'read-only-kinds': `forbid (principal, action == Action::"open", resource)
      when { resource.labels.contains("internal") } unless { context has kind && context.kind == "http" };`,
    'read-only': `forbid (principal, action == Action::"request", resource)
      when { resource.labels.contains("internal") } unless { context has method && ["GET", "HEAD"].contains(context.method) };`,
  };
  const exchanges: [service: string, action: 'open' | 'request', context: Question['context'], policies: string[]][] = [
    ['wiki', 'open', { kind: 'http' }, ['all']],
    ['wiki', 'request', { kind: 'http', method: 'GET', path: '/' }, ['all']],
    ['wiki', 'request', { kind: 'http', method: 'HEAD', path: '/' }, ['all']],
    ['wiki', 'request', { kind: 'http', method: 'POST', path: '/' }, ['read-only']],
    ['wiki', 'request', { kind: 'http', method: 'PROPFIND', path: '/' }, ['read-only']],
    ['wiki', 'request', { kind: 'http' }, ['read-only']],
    ['wiki', 'open', { kind: 'websocket' }, ['read-only-kinds']],
    ['wiki', 'open', { kind: 'tcp' }, ['read-only-kinds']],
    ['wiki', 'open', { kind: 'udp' }, ['read-only-kinds']],
    ['ledger', 'request', { kind: 'http', method: 'POST', path: '/' }, ['all']],
    ['ledger', 'open', { kind: 'websocket' }, ['all']],
  ];
  for (const [service, action, context, policies] of exchanges)
    test(`QHX-5: a service may be for reading only: ${service}, ${action} of ${JSON.stringify(context)} by ${policies}`, () => {
      readPolicies(readOnly);
      assert.deepEqual(ask(readOnly, 'bob', { service, action, ...(context && { context }) }).policies, policies);
    });

  const onDevice = (condition: string) => ({
    device: `permit (principal, action, resource) when { context has device && ${condition} };`,
  });
  for (const [what, policies, device, decision] of [
    ['not synced', onDevice('!context.device.synced'), 'd1', 'allow'],
    ['not synced', onDevice('!context.device.synced'), 'd2', 'deny'],
    ['of one model', onDevice('context.device.aaguid == "key"'), 'd1', 'allow'],
    ['of one model', onDevice('context.device.aaguid == "key"'), 'd2', 'deny'],
    ['a day old', onDevice('context.now.durationSince(context.device.enrolled) > duration("1d")'), 'd1', 'allow'],
    ['a day old', onDevice('context.now.durationSince(context.device.enrolled) > duration("1d")'), 'd2', 'deny'],
    // Revoked, or enrolled a moment ago: nothing is known of it.
    ['not synced', onDevice('!context.device.synced'), 'gone', 'deny'],
    ['not synced', onDevice('!context.device.synced'), undefined, 'deny'],
  ] as const)
    test(`QZ-19: a policy may want the device ${what}: ${device ?? 'none'} is a ${decision}`, () => {
      readPolicies(policies);
      assert.equal(ask(policies, 'bob', { principal: principal('bob', { device }) }).decision, decision);
    });

  test('QHX-6: a policy may ask for labels of a service', () => {
    const policies = {
      internal: 'permit (principal, action, resource) when { resource.labels.contains("internal") };',
    };
    readPolicies(policies);
    assert.equal(ask(policies, 'bob').decision, 'allow');
    assert.equal(ask(policies, 'bob', { service: 'ledger' }).decision, 'deny');
  });

  test('QHX-16: a policy may ask for strong evidence of the machine that a service stands on', () => {
    const policies = {
      all: 'permit (principal, action, resource);',
      machines: 'forbid (principal, action, resource) unless { resource.evidence == "strong" };',
    };
    assert.deepEqual(ask(policies, 'bob'), { decision: 'deny', policies: ['machines'] });
    assert.deepEqual(ask(policies, 'bob', { service: 'ledger' }), { decision: 'allow', policies: ['all'] });
  });

  test('a forbid that errs closes instead of being skipped', () => {
    const policies = {
      ...defaultPolicies,
      overflow: 'forbid (principal, action, resource) when { context.authAgeS + 9223372036854775807 > 0 };',
    };
    assert.deepEqual(ask(policies, 'ada'), { decision: 'deny', policies: ['overflow'] });
  });

  test('policies are refused when they are written, by code', () => {
    const table: [Record<string, string>, string][] = [
      [{ a: 'permit (principal, action' }, 'policy_syntax'],
      [{ a: 'permit (principal, action, resource) when { context.nothing };' }, 'policy_invalid'],
      [{ a: 'permit (principal, action == Action::"fly", resource);' }, 'policy_invalid'],
      [{ 'default-deny': 'permit (principal, action, resource);' }, 'policy_id'],
      [{ 'a\nb': 'permit (principal, action, resource);' }, 'policy_id'],
    ];
    for (const [policies, code] of table) assert.throws(() => readPolicies(policies), { code });
    assert.doesNotThrow(() => readPolicies(defaultPolicies));
  });

  test('a text is split into policies by their annotation or position', () => {
    const text = '@id("first") permit (principal, action, resource); forbid (principal, action, resource);';
    assert.deepEqual(Object.keys(readPolicies(text)), ['first', 'policy1']);
    assert.throws(() => readPolicies('permit (principal == ?principal, action, resource);'), {
      code: 'policy_template',
    });
    assert.throws(() => readPolicies('@id("x") permit (principal, action, resource);'.repeat(2)), {
      code: 'policy_id',
    });
  });

  test('bits of a credential have names, unassigned ones none', () => {
    assert.deepEqual(amrNames(0b1000_0011), ['passkey', 'deviceKey']);
  });
});
