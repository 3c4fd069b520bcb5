import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { CedarEntity, LinkRecord } from '../../../server/channel/snapshot-content.ts';
import { PolicyEngine } from '../../../server/policy/engine.ts';
import { linkPolicies } from '../../../server/policy/links.ts';
import type { PolicyDecision, PrincipalView, Question } from '../../../server/policy/question.ts';
import { contextRead, RememberedDecisions } from '../../../server/policy/remembered-decisions.ts';
import { readPolicies } from '../../../server/policy/validate.ts';

const entity = (type: string, id: string, attrs: CedarEntity['attrs'] = {}, groups: string[] = []): CedarEntity => ({
  uid: { type, id },
  attrs,
  parents: groups.map((group) => ({ type: 'Group', id: group })),
});
const device = (synced: boolean) => ({ enrolled: '2026-01-01', aaguid: 'key', synced });
const service = { scheme: 'http', demo: false, labels: [], evidence: 'none' };
const entities = [
  entity('Group', 'staff'),
  entity('User', 'ada', { name: 'Ada' }, ['staff']),
  entity('User', 'bob', { name: 'Bob' }),
  entity('Device', 'd1', device(false)),
  entity('Device', 'd2', device(true)),
  entity('Service', 'wiki', service),
  entity('Service', 'ledger', service),
];
const link: LinkRecord = {
  ...{ id: 'l1', services: ['wiki'], expiresAt: 1_790_000_100_000, maxUses: 2, hours: [], zone: 'UTC' },
  ...{ readOnly: false, kiosk: false },
};
const atMs = 1_790_000_000_000;
const principal = { user: 'ada', device: 'd1', atMs, amr: ['passkey'], authAgeS: 5, posture: { ageS: 5 } } as const;
const asked: Question = { principal, action: 'request', service: 'wiki', context: { method: 'GET', path: '/' } };
const permit = (condition: string) => `permit (principal, action, resource) when { ${condition} };`;

describe('decisions that are remembered', () => {
  for (const [text, read] of [
    ['permit (principal, action, resource);', []],
    [permit('context.amr.contains("stepUp") && context.posture.ageS < 5'), ['amr', 'posture']],
    [permit('context has path && context.path like "/a*"'), ['path']],
    [permit('context has posture.backedUp'), ['posture']],
    [permit('context has "method" && context["method"] == "GET"'), ['method']],
    [permit('context\n  .\n  authAgeS < 5'), ['authAgeS']],
    [permit('context["n\\u{6f}w"] > datetime("2026-01-01")'), ['now']],
    [permit('context has "n\\u{6f}w"'), ['now']],
    [permit('context // or so\n .now > datetime("2026-01-01")'), ['now']],
    [
      permit('\n// as the context\n// . says, by the time in the context.\ncontext.now > datetime("2026-01-01")'),
      ['now'],
    ],
    [permit('// Only what the context has\ncontext.method == "GET"'), ['method']],
    [`@note("all a context has ")\n${permit('context.method == "GET"')}`, ['method']],
    [permit('{"Var": "context", ".": {"left": context.path, "attr": "x"}} has a'), ['path']],
    [permit('context.posture has ageS && context.device.aaguid == "context.now"'), ['posture', 'device']],
    ['not a policy', 'all'],
    [permit('[context].contains({a: 1})'), 'all'],
    [permit('context == {"a": 1}'), 'all'],
    [permit('resource == Service::"context"'), []],
    [permit('(if true then context else {now: 1}).now == 1'), 'all'],
  ] as const)
    test(`no circumstance that a policy reads is overlooked: ${text}`, () => {
      const found = contextRead([text]);
      assert.deepEqual(found === 'all' ? found : [...found], read);
    });

  test('what is asked again is not put to Cedar again, and what differs in anything that is read is', () => {
    const remembered = new RememberedDecisions([permit('context.posture.ageS < 60')]);
    const engine = new PolicyEngine({ policies: {}, entities, links: [link] });
    let times = 0;
    const ask = (change: Partial<Question> = {}) => {
      const call = engine.call({ ...asked, ...change });
      assert(call !== undefined);
      remembered.of(call, () => {
        times += 1;
        return { decision: 'allow', policies: ['a'] };
      });
      return times;
    };
    assert.equal(ask(), 1);
    assert.equal(ask(), 1);
    assert.equal(ask({ context: { method: 'POST', path: '/b' } }), 1, 'nobody reads the path');
    assert.equal(ask({ principal: { ...principal, atMs: atMs + 60_000 } }), 1, 'nor the time');
    assert.equal(ask({ principal: { ...principal, user: 'bob' } }), 2);
    assert.equal(ask({ principal: { ...principal, device: 'd2' } }), 3);
    assert.equal(ask({ service: 'ledger' }), 4);
    assert.equal(ask({ action: 'open' }), 5);
    assert.equal(ask({ principal: { ...principal, posture: { ageS: 6 } } }), 6);
    const { user: _, device: __, ...facts } = principal;
    const guest = { ...facts, link: { id: 'l1', use: 1 } };
    assert.equal(ask({ principal: guest }), 7);
    assert.equal(ask({ principal: guest }), 8, 'a guest is asked about each time');
    for (let i = 0; i < 2_000; i++) ask({ principal: { ...principal, posture: { ageS: 100 + i } } });
    assert.equal(ask(), 2_009, 'the oldest is forgotten');
  });

  test('a question that Cedar could not read is no answer to the next', () => {
    const remembered = new RememberedDecisions([]);
    const call = new PolicyEngine({ policies: {}, entities, links: [] }).call(asked);
    assert(call !== undefined);
    assert.equal(
      remembered.of(call, () => undefined),
      undefined,
    );
    const allow: PolicyDecision = { decision: 'allow', policies: ['a'] };
    assert.deepEqual(
      remembered.of(call, () => allow),
      allow,
    );
  });

  for (const comment of ['', '\n// Until the project ends, by the time in the context.\n'])
    test(`a permit that ends at an instant ends there${comment && ', whatever a comment says'}`, () => {
      const policies = { brief: permit(`${comment}context.now < datetime("2026-09-21T13:46:41Z")`) };
      readPolicies(policies);
      const engine = new PolicyEngine({ policies, entities, links: [] });
      const at = (ms: number) => engine.decide({ ...asked, principal: { ...principal, atMs: atMs + ms } }).decision;
      const end = Date.parse('2026-09-21T13:46:41Z') - atMs;
      assert.deepEqual([at(end - 1), at(end - 1), at(end), at(end - 1)], ['allow', 'allow', 'deny', 'allow']);
    });

  test('QPT: another snapshot decides anew: a person taken out of a group, a device that is gone, a policy that is', () => {
    const policies = {
      staff: 'permit (principal in Group::"staff", action, resource) when { context.device.aaguid == "key" };',
    };
    const decide = (content: { policies: Record<string, string>; entities: CedarEntity[] }) =>
      new PolicyEngine({ ...content, links: [] }).decide(asked).decision;
    const left = entities.map((one) => (one.uid.id === 'ada' ? { ...one, parents: [] } : one));
    assert.equal(decide({ policies, entities }), 'allow');
    assert.equal(decide({ policies, entities: left }), 'deny');
    assert.equal(decide({ policies, entities: entities.filter(({ uid }) => uid.id !== 'd1') }), 'deny');
    assert.equal(decide({ policies: {}, entities }), 'deny');
  });

  test('links’ own policies are for guests alone, who are not remembered', () => {
    for (const text of Object.values(linkPolicies)) assert.match(text, /^(permit|forbid) \(principal is Guest,/);
  });

  test('an engine that remembers decides as one that was never asked before', () => {
    const conditions = [
      'context.posture.ageS < 6',
      'context.authAgeS < 6',
      'context.amr.contains("stepUp")',
      'context has path && context.path like "/a*"',
      'context has method && context.method == "GET"',
      'context has device && !context.device.synced',
      'context.now < datetime("2026-09-21T13:46:41Z")',
      'principal in Group::"staff"',
      'resource == Service::"wiki"',
      'context.authAgeS + 9223372036854775802 > 0',
    ];
    const text = fc.record({
      annotation: fc.constantFrom('', '@note("all a context has ")\n', '@note("context.")'),
      effect: fc.constantFrom('permit', 'forbid'),
      comment: fc.constantFrom('', '\n// By what is in the context.\n', '\n// Only what the context has\n'),
      condition: fc.constantFrom(...conditions),
    });
    const facts = {
      atMs: fc.constantFrom(atMs, atMs + 1_000, Date.parse('2026-09-21T13:46:41Z')),
      amr: fc.constantFrom(['passkey'] as const, ['passkey', 'stepUp'] as const),
      authAgeS: fc.constantFrom(5, 6, 2 ** 31 - 1),
      posture: fc.constantFrom({ ageS: 5 }, { ageS: 5.5 }, { ageS: 6 }),
    };
    const people: fc.Arbitrary<PrincipalView> = fc.record({
      ...facts,
      user: fc.constantFrom('ada', 'bob', 'eve'),
      device: fc.constantFrom('d1', 'd2'),
    });
    const guests: fc.Arbitrary<PrincipalView> = fc.record({
      ...facts,
      link: fc.record({ id: fc.constantFrom('l1', 'gone'), use: fc.nat(3) }),
    });
    const question = fc.record({
      principal: fc.oneof(people, guests),
      action: fc.constantFrom('launch' as const, 'open' as const, 'request' as const),
      service: fc.constantFrom('wiki', 'ledger', 'gone'),
      context: fc.constantFrom({}, { method: 'GET', path: '/a' }, { method: 'POST', path: '/b' }),
    });
    let allowed = 0;
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 3 }),
        fc.array(question, { minLength: 20 }),
        (texts, questions) => {
          const some = texts.map(
            (t) => `${t.annotation}${t.effect} (principal, action, resource) when { ${t.comment}${t.condition} };`,
          );
          const policies = Object.fromEntries(some.map((one, n) => [`p${n}`, one]));
          const content = { policies, entities, links: [link] };
          const engine = new PolicyEngine(content);
          for (const one of questions) {
            const decided = engine.decide(one);
            assert.deepEqual(decided, new PolicyEngine(content).decide(one));
            if (decided.decision === 'allow') allowed += 1;
          }
        },
      ),
      { numRuns: 50 },
    );
    assert(allowed > 0, 'nothing was verified');
  });
});
