/** Which groups, and which people by name, policies let open every service: read from how they are written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUnlimited, isWide, type Party, type Placed } from '../../../server/policy/wide.ts';

const ops: Party = { type: 'Group', id: 'ops' };
const eve: Party = { type: 'User', id: 'e0'.repeat(12) };
const two: Placed[] = [
  { name: 'wiki', namespace: 'default' },
  { name: 'git', namespace: 'default' },
];
const apart: Placed[] = [...two, { name: 'payroll', namespace: 'office' }];

const ofOps = 'principal in Group::"ops", action';
const nine = 'forbid (principal, action, resource) unless { context.now.toTime() < duration("17h") };';
const rows: [policies: string[], services: Placed[], wide: boolean, of?: Party][] = [
  [[`permit (${ofOps}, resource);`], two, true],
  [[`permit (${ofOps}, resource is Service);`], two, true],
  [['permit (principal is User in Group::"ops", action, resource);'], two, true],
  [['permit (principal == User::"e0e0e0e0e0e0e0e0e0e0e0e0", action, resource);'], two, true, eve],
  // Whatever strangers of no device, at no hour, could have answered.
  [[`permit (${ofOps}, resource);`, nine], two, true],
  [[`permit (${ofOps}, resource) when { context.device.aaguid == "x" };`], two, true],
  [[`permit (${ofOps}, resource) when { context.device.attestation == "tpm" };`], two, true],
  // Something that everybody may does not make of everything little.
  [[`permit (${ofOps}, resource);`, 'permit (principal, action == Action::"open", resource);'], two, true],
  [['permit (principal, action, resource) when { principal in Group::"ops" };'], two, true],
  [['permit (principal, action, resource) when { principal in [Group::"a", Group::"ops"] };'], two, true],
  [['permit (principal is User, action, resource) when { principal is User in Group::"ops" };'], two, true],
  [['permit (principal, action, resource) unless { !(principal in Group::"ops") };'], two, true],
  [['permit (principal, action, resource) when { if principal in Group::"ops" then true else false };'], two, true],
  // Everything is for everybody, and a forbid leaves it to some.
  [
    [
      'permit (principal, action, resource);',
      'forbid (principal, action, resource) unless { principal in Group::"ops" };',
    ],
    two,
    true,
  ],
  [
    [
      'permit (principal, action, resource);',
      'forbid (principal, action, resource) when { !(principal in Group::"ops") };',
    ],
    two,
    true,
  ],
  [
    [
      'permit (principal, action, resource);',
      'forbid (principal, action, resource) when { principal in Group::"ops" };',
    ],
    two,
    false,
  ],
  [
    [
      'permit (principal, action, resource);',
      'forbid (principal, action, resource) unless { principal in Group::"a" };',
    ],
    two,
    false,
  ],
  [
    [
      'permit (principal in Group::"a", action, resource);',
      'forbid (principal, action, resource) unless { principal in Group::"ops" };',
    ],
    two,
    false,
  ],
  // All that there is, by its namespaces or its names.
  [[`permit (${ofOps}, resource in Namespace::"default");`], two, true],
  [[`permit (${ofOps}, resource is Service in Namespace::"default");`], two.slice(0, 1), true],
  [[`permit (${ofOps}, resource in Namespace::"default");`], [], true],
  [[`permit (${ofOps}, resource == Service::"wiki");`, `permit (${ofOps}, resource == Service::"git");`], two, true],
  [
    [`permit (${ofOps}, resource in Namespace::"default");`, `permit (${ofOps}, resource in Namespace::"office");`],
    ...([apart, true] as const),
  ],
  [[`permit (${ofOps}, resource in Namespace::"default");`], apart, false],
  [[`permit (${ofOps}, resource in Namespace::"office");`], [], false],
  [[`permit (${ofOps}, resource == Service::"wiki");`], two, false],
  [[`permit (${ofOps}, resource == Service::"wiki");`], two.slice(0, 1), false],
  [['permit (principal in Group::"admins", action, resource);'], two, false],
  [['permit (principal == User::"f0", action, resource);'], two, false, eve],
  [['permit (principal in Group::"ops", action, resource);'], two, false, { type: 'User', id: 'ops' }],
  [['forbid (principal in Group::"ops", action, resource);'], two, false],
  [['permit (principal, action, resource);'], two, false],
  [[], two, false],
];
for (const [policies, services, wide, of = ops] of rows)
  test(`QHX-8: ${policies.join(' ')} lets ${of.id} open ${wide ? 'every one' : 'not every one'} of ${services.length}`, () => {
    assert.equal(isWide(Object.fromEntries(policies.entries()), [of], services), wide);
  });

const unlimited: [policy: string, is: boolean][] = [
  [`permit (${ofOps}, resource);`, true],
  [`permit (${ofOps}, resource is Service);`, true],
  [`permit (${ofOps}, resource) when { context.amr.contains("passkey") };`, false],
  [`permit (${ofOps} == Action::"open", resource);`, false],
  [`permit (${ofOps}, resource in Namespace::"default");`, false],
  [`forbid (${ofOps}, resource);`, false],
  ['permit (principal, action, resource) when { principal in Group::"ops" };', false],
];
for (const [policy, is] of unlimited)
  test(`QHX-8: ${policy} is ${is ? 'everything' : 'not everything'} without a condition`, () => {
    assert.equal(isUnlimited({ policy }, [ops]), is);
  });

test('a policy that cannot be read is none that lets nobody in', () => {
  assert.throws(() => isWide({ broken: 'permit (' }, [ops], two), { code: 'policy_syntax' });
});
