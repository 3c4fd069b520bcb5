/**
 * What makes a draft of policies dangerous enough to need a second pair of eyes: it lets everybody open everything. Found
 * by asking, not by reading: whatever it is written as, a policy is too wide that lets in a person of no group, to a
 * service of no name, namespace or label that it could mean. Pure.
 */
import { type CedarEntity, type ServiceScheme, serviceSchemes } from '../channel/snapshot-content.ts';
import { PolicyEngine } from './engine.ts';
import { cedarTime } from './links.ts';
import type { PrincipalFacts, Question } from './question.ts';

export type DangerCode = 'allow_all' | 'new_root' | 'retention';
export interface Danger {
  readonly code: DangerCode;
  readonly message: string;
  /** The policies that permit it. */
  readonly policies: string[];
}

/** Nobody's, because ids are hexadecimal and names have no capitals. */
const [stranger, withKey, somewhere] = ['Stranger', 'WithKey', 'Somewhere'];

/** As weak as a sign-in can be, and as strong: a condition that everybody can meet is none. */
const strangers: readonly Omit<PrincipalFacts, 'atMs'>[] = [
  { amr: [], authAgeS: 2 ** 31 - 1, posture: { ageS: 2 ** 31 - 1 } },
  { amr: ['oidc'], authAgeS: 0, posture: { ageS: 0 } },
  { amr: ['saml'], authAgeS: 0, posture: { ageS: 0 } },
  { amr: ['passkey', 'deviceKey'], authAgeS: 0, posture: { ageS: 0, signals: { userVerified: true } } },
  {
    amr: ['passkey', 'deviceKey', 'oidc', 'saml', 'stepUp'],
    authAgeS: 0,
    posture: { ageS: 0, signals: { userVerified: true, secureContext: true, backedUp: false, backupEligible: false } },
  },
];

/** @param atMs the moment the questions are about, ms since 1970. @returns none for policies that may be put in force by one */
export function dangersOf(policies: Readonly<Record<string, string>>, atMs: number): Danger[] {
  const engine = new PolicyEngine({ policies, entities: strange(atMs), links: [] }, 'judged');
  const permitting = new Set(questions(atMs).flatMap((question) => permits(engine, question)));
  if (permitting.size === 0) return [];
  const message = 'It lets everybody who can sign in open every service, whatever it is.';
  return [{ code: 'allow_all', message, policies: [...permitting].sort() }];
}

function permits(engine: PolicyEngine, question: Question): string[] {
  const { decision, policies } = engine.decide(question);
  return decision === 'allow' ? policies : [];
}

interface Strange {
  readonly id: string;
  readonly scheme: ServiceScheme;
  readonly evidence: 'none' | 'weak' | 'strong';
}
/** One of each scheme, and of each kind of machine. */
const services: readonly Strange[] = [
  ...serviceSchemes.map((scheme) => ({ id: `${somewhere}-${scheme}`, scheme, evidence: 'none' as const })),
  ...(['weak', 'strong'] as const).map((evidence) => ({
    ...{ id: `${somewhere}-${evidence}`, scheme: 'http' as const, evidence },
  })),
];

function strange(atMs: number): CedarEntity[] {
  const device = { enrolled: cedarTime(atMs - 400 * 86_400_000) as string, aaguid: '', synced: false };
  const plain = { ...device, attestation: 'none', attested: false };
  const attested = { ...device, attestation: 'packed', attested: true };
  const service = ({ id, scheme, evidence }: Strange): CedarEntity => ({
    uid: { type: 'Service', id },
    attrs: { scheme, demo: false, labels: [], evidence },
    parents: [{ type: 'Namespace', id: somewhere }],
  });
  return [
    { uid: { type: 'User', id: stranger }, attrs: { name: stranger }, parents: [] },
    { uid: { type: 'Device', id: stranger }, attrs: plain, parents: [] },
    { uid: { type: 'Device', id: withKey }, attrs: attested, parents: [] },
    { uid: { type: 'Namespace', id: somewhere }, attrs: {}, parents: [] },
    ...services.map(service),
  ];
}

function questions(atMs: number): Question[] {
  const exchanges: Pick<Question, 'action' | 'context'>[] = [
    { action: 'open', context: { kind: 'http' } },
    { action: 'open', context: { kind: 'tcp' } },
    { action: 'request', context: { kind: 'http', method: 'GET', path: '/' } },
    { action: 'request', context: { kind: 'http', method: 'POST', path: '/' } },
  ];
  return strangers.flatMap((some) =>
    services.flatMap(({ id: service }) =>
      exchanges.map((exchange) => ({
        // The strongest sign-in is by an authenticator whose maker is known: that anybody can buy.
        principal: { user: stranger, device: some.amr.includes('stepUp') ? withKey : stranger, atMs, ...some },
        ...{ service, ...exchange },
      })),
    ),
  );
}
