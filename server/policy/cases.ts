/**
 * Tests of policies: a file that names people, services and devices of its own, asks questions about them, and says what
 * should come of each, so that policies can be tested where nothing runs. Hostile until parsed here. Pure.
 */
import { z } from 'zod';
import { amrBit } from '../../protocol/svid.ts';
import {
  type CedarEntity,
  linkRecordSchema,
  type SnapshotContent,
  serviceSchemes,
} from '../channel/snapshot-content.ts';
import type { AmrName } from './amr.ts';
import { PolicyEngine } from './engine.ts';
import { cedarTime } from './links.ts';
import type { PolicyDecision, PrincipalView } from './question.ts';
import { actions, policySignals } from './schema.ts';

const word = z.string().min(1).max(256);
const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const signal = z.union([z.string().max(256), z.number().int(), z.boolean()]);
const signals = Object.fromEntries(Object.keys(policySignals).map((name) => [name, signal.optional()]));

const service = z.strictObject({
  scheme: z.enum(serviceSchemes).default('http'),
  namespace: word.default('default'),
  labels: z.array(word).default([]),
  evidence: z.enum(['none', 'weak', 'strong']).default('none'),
});
const device = z.strictObject({
  enrolled: instant.default(0),
  aaguid: z.string().max(64).default(''),
  synced: z.boolean().default(false),
  attestation: z.string().max(64).default('none'),
  attested: z.boolean().default(false),
});
const link = z.strictObject({
  services: z.array(word).min(1),
  expires: instant,
  uses: z.number().int().min(1).default(1),
  readOnly: z.boolean().default(false),
  kiosk: z.boolean().default(false),
});
const policyCase = z
  .strictObject({
    name: word,
    person: word.optional(),
    guest: word.optional(),
    use: z.number().int().min(1).default(1),
    device: word.optional(),
    service: word,
    action: z.enum(actions).default('open'),
    at: instant.optional(),
    amr: z.array(z.enum(Object.keys(amrBit) as [AmrName, ...AmrName[]])).optional(),
    authAgeS: z.number().nonnegative().default(0),
    posture: z.strictObject({ ageS: z.number().nonnegative().default(0), ...signals }).prefault({}),
    kind: z.enum(['http', 'websocket', 'tcp', 'udp']).optional(),
    method: word.optional(),
    path: word.optional(),
    expect: z.enum(['allow', 'deny', 'stepUp']),
    /** The policies that decide, in any order. */
    by: z.array(word).optional(),
  })
  .refine(({ person, guest }) => (person === undefined) !== (guest === undefined), 'names a person or a guest');

const casesSchema = z.strictObject({
  /** The policies it is about, a file beside this one; the command line may name another. */
  policies: word.optional(),
  /** Groups by person. */
  people: z.record(word, z.array(word)).default({}),
  services: z.record(word, service.prefault({})).default({}),
  devices: z.record(word, device.prefault({})).default({}),
  links: z.record(word, link).default({}),
  cases: z.array(policyCase).min(1),
});
export type PolicyCases = z.infer<typeof casesSchema>;
type PolicyCase = PolicyCases['cases'][number];

export type CasesErrorCode = 'cases_malformed' | 'cases_unknown';

/** A file of tests that cannot be run. The message says which setting of which test. */
export class CasesError extends Error {
  readonly code: CasesErrorCode;
  constructor(code: CasesErrorCode, message: string) {
    super(message);
    this.name = 'CasesError';
    this.code = code;
  }
}

/** @param given what the file holds. @throws CasesError */
export function parseCases(given: unknown): PolicyCases {
  const parsed = casesSchema.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.join('.') || 'the file';
    throw new CasesError('cases_malformed', `The tests cannot be used: ${where}: ${issue?.message}.`);
  }
  for (const one of parsed.data.cases) requireKnown(parsed.data, one);
  return parsed.data;
}

/** A typing error in a name would be a deny, and a test that wants one would pass for nothing. */
function requireKnown(cases: PolicyCases, { name, person, guest, device: on, service: to }: PolicyCase): void {
  const kinds = [
    ['people', person],
    ['links', guest],
    ['devices', on],
    ['services', to],
  ] as const;
  for (const [kind, used] of kinds) {
    if (used === undefined || Object.hasOwn(cases[kind], used)) continue;
    throw new CasesError('cases_unknown', `The test ${JSON.stringify(name)} names ${used}, which is not in ${kind}.`);
  }
}

export interface CaseResult {
  readonly name: string;
  readonly passed: boolean;
  readonly expected: { readonly decision: string; readonly by?: string[] };
  readonly got: { readonly decision: string; readonly by: string[] };
}

/** @throws PolicyError `policy_syntax`; @param now stands where a test does not say when */
export function runCases(cases: PolicyCases, policies: Readonly<Record<string, string>>, now: number): CaseResult[] {
  const engine = new PolicyEngine({ policies: { ...policies }, entities: entitiesOf(cases), links: linksOf(cases) });
  return cases.cases.map((one) => run(engine, cases, one, now));
}

function run(engine: PolicyEngine, cases: PolicyCases, one: PolicyCase, now: number): CaseResult {
  const { service: to, action, kind, method, path, expect, by } = one;
  const context = { ...(kind && { kind }), ...(method && { method }), ...(path && { path }) };
  const decided = engine.decide({ principal: principalOf(cases, one, now), action, service: to, context });
  const got = { decision: outcomeOf(decided), by: decided.policies };
  const sameBy = by === undefined || [...by].sort().join(' ') === got.by.join(' ');
  return {
    name: one.name,
    passed: got.decision === expect && sameBy,
    expected: { decision: expect, ...(by && { by: [...by].sort() }) },
    got,
  };
}

const outcomeOf = ({ decision, lacks }: PolicyDecision) => (lacks === 'stepUp' ? lacks : decision);

function principalOf(cases: PolicyCases, one: PolicyCase, now: number): PrincipalView {
  const { ageS, ...known } = one.posture;
  const facts = {
    atMs: one.at ?? now,
    amr: one.amr ?? (one.guest === undefined ? (['passkey', 'deviceKey'] as const) : (['guestLink'] as const)),
    authAgeS: one.authAgeS,
    posture: { ageS, signals: known },
  };
  if (one.guest === undefined) return { ...facts, user: one.person ?? '', device: one.device };
  return { ...facts, link: { id: linkIds(cases).get(one.guest) ?? '', use: one.use } };
}

function entitiesOf(cases: PolicyCases): CedarEntity[] {
  const [services, people] = [Object.entries(cases.services), Object.entries(cases.people)];
  const entity = (type: string, id: string, attrs: CedarEntity['attrs'], parents: CedarEntity['parents'] = []) => ({
    uid: { type, id },
    attrs,
    parents,
  });
  const names = (all: string[]) => [...new Set(all)];
  return [
    ...names(people.flatMap(([, groups]) => groups)).map((id) => entity('Group', id, {})),
    ...people.map(([id, groups]) =>
      entity(
        'User',
        id,
        { name: id },
        groups.map((group) => ({ type: 'Group', id: group })),
      ),
    ),
    ...Object.entries(cases.devices).map(([id, { enrolled, ...passkey }]) =>
      entity('Device', id, { enrolled: cedarTime(enrolled) as CedarEntity['attrs'][string], ...passkey }),
    ),
    ...names(services.map(([, { namespace }]) => namespace)).map((id) => entity('Namespace', id, {})),
    ...services.map(([id, { scheme, labels, namespace, evidence }]) =>
      entity('Service', id, { scheme, labels, evidence, demo: false }, [{ type: 'Namespace', id: namespace }]),
    ),
  ];
}

/** Links have ids of a form of their own; in a file they have names. */
function linkIds(cases: PolicyCases): Map<string, string> {
  return new Map(Object.keys(cases.links).map((name, index) => [name, index.toString(16).padStart(24, '0')]));
}

function linksOf(cases: PolicyCases): SnapshotContent['links'] {
  const ids = linkIds(cases);
  return Object.entries(cases.links).map(([name, { services, expires, uses, readOnly, kiosk }]) => {
    const terms = { services, expiresAt: expires, maxUses: uses, readOnly, kiosk, hours: [], zone: 'UTC' };
    return linkRecordSchema.parse({ id: ids.get(name), ...terms });
  });
}
