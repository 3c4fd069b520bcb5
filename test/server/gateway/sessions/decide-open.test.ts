import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamKind } from '../../../../protocol/codes.ts';
import type { VerifiedSvid } from '../../../../protocol/svid.ts';
import type { ServiceScheme } from '../../../../server/channel/snapshot-content.ts';
import { decideOpen } from '../../../../server/gateway/sessions/decide-open.ts';
import { PolicyState } from '../../../../server/gateway/state/policy-state.ts';
import { record, snapshot } from '../world/world.ts';

const now = 1_790_000_000_000;
const state = new PolicyState({ now: () => now }, 60_000);
const schemes: ServiceScheme[] = ['http', 'https', 'tcp', 'ssh', 'vnc', 'rdp'];
const services = [...schemes.map((scheme) => ({ name: scheme, scheme })), { name: 'old', scheme: 'http' as const }];
const content = snapshot(
  services.map((over) => record({ ...over, wireguardKey: `${'A'.repeat(43)}=` })),
  [],
);
state.adopt({ epoch: 1n, issuedAt: now, notAfter: now + 1, content: JSON.stringify(content) });

function decide(service: string, over: { kind?: StreamKind; own?: string; user?: string; policy?: 'none' } = {}) {
  const { kind = 'http', own = service, user = 'ada' } = over;
  const svid = { service: own } as VerifiedSvid;
  const principal = { user, device: 'laptop', atMs: 1, amr: [], authAgeS: 0, posture: { ageS: 0 } };
  return decideOpen({ kind, service, svid, principal, policy: over.policy === 'none' ? undefined : state.current });
}

test('QHX-6: lets a person in by the policy that permits, and names it', () => {
  const verdict = decide('http');
  assert.equal(verdict.decision, 'allow');
  assert.deepEqual(verdict.policies, ['admins']);
});

const denials: [name: string, verdict: ReturnType<typeof decide>, code: string, policies: string[]][] = [
  ['no policy at all', decide('http', { policy: 'none' }), 'policy_stale', ['default-deny']],
  ['nobody permits', decide('http', { user: 'bob' }), 'denied', ['default-deny']],
  ['a stranger', decide('http', { user: 'nobody' }), 'denied', ['default-deny']],
  ['a policy forbids', decide('old'), 'denied', ['out-of-use']],
  ['a credential for another service', decide('http', { own: 'https' }), 'denied', ['credential-scope']],
  ['a service that does not exist', decide('none'), 'denied', ['default-deny']],
];

for (const [name, verdict, code, policies] of denials)
  test(`QHX-6: refuses when ${name}`, () => {
    assert.equal(verdict.decision, 'deny');
    assert.deepEqual(verdict.policies, policies);
    assert.equal(verdict.decision === 'deny' && verdict.code, code);
  });

for (const scheme of schemes)
  for (const kind of ['http', 'websocket', 'tcp', 'udp'] as const) {
    const isWeb = scheme === 'http' || scheme === 'https';
    const fits = kind !== 'udp' && (kind === 'tcp') !== isWeb;
    test(`BR-1: a ${scheme} service ${fits ? 'takes' : 'does not take'} ${kind} streams`, () => {
      const verdict = decide(scheme, { kind });
      assert.equal(verdict.decision, fits ? 'allow' : 'deny');
      if (verdict.decision === 'deny') assert.equal(verdict.code, 'protocol');
    });
  }
