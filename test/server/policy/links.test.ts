/** What a link lets its guests do, as the gateway and the control plane judge it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CedarEntity, LinkRecord } from '../../../server/channel/snapshot-content.ts';
import { PolicyEngine } from '../../../server/policy/engine.ts';
import { isOpen, leaveBy } from '../../../server/policy/links.ts';
import type { Question } from '../../../server/policy/question.ts';
import { readPolicies } from '../../../server/policy/validate.ts';

const now = Date.UTC(2026, 10, 26, 12, 30, 15);
const hour = 3_600_000;
const record: LinkRecord = {
  id: '0'.repeat(24),
  services: ['wiki'],
  expiresAt: now + hour,
  maxUses: 2,
  readOnly: false,
  kiosk: true,
  hours: [],
  zone: 'UTC',
};
const service = (id: string): CedarEntity => ({
  uid: { type: 'Service', id },
  attrs: { scheme: 'http', demo: false, labels: [], evidence: 'none' },
  parents: [],
});
const entities = [service('wiki'), service('ledger')];
const ask = (
  link: Partial<LinkRecord>,
  question: Partial<Question> = {},
  guest: { use?: number; id?: string; policies?: Record<string, string> } = {},
) => {
  const { use = 1, id = record.id, policies = {} } = guest;
  const posture = { ageS: 0 };
  return new PolicyEngine({ policies, entities, links: [{ ...record, ...link }] }).decide({
    principal: { link: { id, use }, atMs: now, amr: ['guestLink'], authAgeS: 1, posture },
    action: 'open',
    service: 'wiki',
    context: { kind: 'http' },
    ...question,
  });
};
const allow = { decision: 'allow', policies: ['link-grant'] };
const deny = (...policies: string[]) => ({ decision: 'deny', policies });

describe('policies of one-click links', () => {
  const request = (method: string): Partial<Question> => ({
    action: 'request',
    context: { kind: 'http', method, path: '/' },
  });
  const table: [string, Parameters<typeof ask>, object][] = [
    ['a guest opens a service of the link', [{}], allow],
    ['a guest launches it', [{}, { action: 'launch', context: {} }], allow],
    ['no other service', [{}, { service: 'ledger' }], deny('link-scope')],
    ['a link that is not in the policy any more', [{}, {}, { id: '1'.repeat(24) }], deny('default-deny')],
    ['the instant it expires', [{ expiresAt: now }], deny('link-expired')],
    ['the last of its uses', [{}, {}, { use: 2 }], allow],
    ['one use too many', [{}, {}, { use: 3 }], deny('link-uses')],
    ['outside its hours', [{ hours: [{ from: 0, to: 60 }] }], deny('link-hours')],
    [
      'inside one of them',
      [
        {
          hours: [
            { from: 0, to: 60 },
            { from: 720, to: 780 },
          ],
        },
      ],
      allow,
    ],
    ['reading where only that is allowed', [{ readOnly: true }, request('GET')], allow],
    ['asking what there is', [{ readOnly: true }, request('OPTIONS')], allow],
    ...['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'get'].map((method): [string, Parameters<typeof ask>, object] => [
      `${method} where only reading is allowed`,
      [{ readOnly: true }, request(method)],
      deny('link-read-only-request'),
    ]),
    [
      'a request that names no method',
      [{ readOnly: true }, { action: 'request', context: {} }],
      deny('link-read-only-request'),
    ],
    ...['websocket', 'tcp', 'udp'].map((kind): [string, Parameters<typeof ask>, object] => [
      `${kind} where only reading is allowed`,
      [{ readOnly: true }, { context: { kind } }],
      deny('link-read-only'),
    ]),
    ['POST where all is allowed', [{}, request('POST')], allow],
  ];
  for (const [what, args, expected] of table)
    test(`BR-3: ${what}: ${JSON.stringify(expected)}`, () => assert.deepEqual(ask(...args), expected));

  test('QHX-6: what an administrator forbids, a link does not open', () => {
    const policies = {
      'no-kiosks': 'forbid (principal is Guest, action, resource) when { context has link && context.link.kiosk };',
    };
    readPolicies(policies);
    assert.deepEqual(ask({}, {}, { policies }), deny('no-kiosks'));
  });

  test('what everybody may, a guest may not outside their link', () => {
    const policies = { all: 'permit (principal, action, resource);' };
    assert.deepEqual(ask({}, { service: 'ledger' }, { policies }), deny('link-scope'));
    assert.deepEqual(ask({ readOnly: true }, request('POST'), { policies }), deny('link-read-only-request'));
  });

  test('no policy of an administrator takes the name of one of these', () => {
    assert.throws(() => readPolicies({ 'link-expired': 'permit (principal, action, resource);' }), {
      code: 'policy_id',
    });
  });

  test('hours are those of the place they are meant for, whatever its clocks do', () => {
    const office = { hours: [{ from: 8 * 60, to: 18 * 60 }], zone: 'Europe/Berlin' };
    const utc = (month: number, day: number, at: number, minute = 0) => Date.UTC(2026, month, day, at, minute);
    // CET and CEST: the day before and the day after the clocks are turned.
    const instants: [number, boolean][] = [
      [utc(9, 24, 5, 59), false],
      [utc(9, 24, 6), true],
      [utc(9, 24, 15, 59), true],
      [utc(9, 24, 16), false],
      [utc(9, 26, 6, 30), false],
      [utc(9, 26, 7), true],
      [utc(9, 26, 16, 59), true],
      [utc(9, 26, 17), false],
    ];
    for (const [at, expected] of instants) assert.equal(isOpen(office, at), expected, new Date(at).toISOString());
    const night = { hours: [{ from: 22 * 60, to: 6 * 60 }], zone: 'UTC' };
    for (const [at, expected] of [
      [21, false],
      [22, true],
      [23, true],
      [0, true],
      [5, true],
      [6, false],
    ] as const)
      assert.equal(isOpen(night, utc(10, 26, at)), expected, `${at}:00`);
  });

  test('a guest leaves when the hours end, or the link, or at a minute’s start and not in its middle', () => {
    const terms = { zone: 'UTC', expiresAt: now + 5 * hour };
    assert.equal(leaveBy({ ...terms, hours: [] }, now), now + 5 * hour);
    assert.equal(leaveBy({ ...terms, hours: [{ from: 720, to: 780 }] }, now), Date.UTC(2026, 10, 26, 13));
    assert.equal(leaveBy({ ...terms, expiresAt: now + 1, hours: [{ from: 720, to: 780 }] }, now), now + 1);
    assert.equal(leaveBy({ ...terms, hours: [{ from: 23 * 60, to: 22 * 60 }] }, now), terms.expiresAt);
  });
});
