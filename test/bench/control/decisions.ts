/** One decision at the gateway, with an installation of some size behind it. */
import type { CedarEntity } from '../../../server/channel/snapshot-content.ts';
import { PolicyEngine } from '../../../server/policy/engine.ts';
import { quantile } from './quantile.ts';

const [users, services, groups, rounds] = [1_000, 200, 20, 20_000];

const entity = (
  type: string,
  id: string,
  attrs: CedarEntity['attrs'],
  parents: CedarEntity['parents'],
): CedarEntity => ({
  uid: { type, id },
  attrs,
  parents,
});

/** Milliseconds. */
export function decisionP99Ms(): number {
  const engine = new PolicyEngine({ policies: policies(), entities: entities(), links: [] });
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const principal = {
      user: `u${round % users}`,
      device: 'd',
      atMs: 1_790_000_000_000,
      amr: ['passkey' as const],
      authAgeS: 60,
      posture: { ageS: 5 },
    };
    // The policies read the path: each is a question that nobody asked before.
    const context = { kind: 'http', method: 'GET', path: `/some/page/${round}` };
    const begun = performance.now();
    engine.decide({ principal, action: 'request', service: `s${round % services}`, context });
    if (round >= rounds / 10) times.push(performance.now() - begun);
  }
  return quantile(times, 0.99);
}

function policies(): Record<string, string> {
  const some = Array.from({ length: groups }, (_, n): [string, string] => [
    `group-${n}`,
    `permit (principal in Group::"g${n}", action, resource) when { context.posture.ageS < 600 && context.amr.contains("passkey") };`,
  ]);
  const forbid =
    'forbid (principal, action == Action::"request", resource) when { context has path && context.path like "/admin*" };';
  return Object.fromEntries([...some, ['no-admin', forbid]]);
}

function entities(): CedarEntity[] {
  const namespace = { type: 'Namespace', id: 'default' };
  return [
    entity('Namespace', 'default', {}, []),
    ...Array.from({ length: groups }, (_, n) => entity('Group', `g${n}`, {}, [])),
    ...Array.from({ length: users }, (_, n) =>
      entity('User', `u${n}`, { name: `User ${n}` }, [{ type: 'Group', id: `g${n % groups}` }]),
    ),
    ...Array.from({ length: services }, (_, n) =>
      entity('Service', `s${n}`, { scheme: 'http', demo: false, labels: [], evidence: 'none' }, [namespace]),
    ),
  ];
}
