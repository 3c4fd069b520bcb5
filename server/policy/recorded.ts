/**
 * The circumstances of a decision as its audit event keeps them, and the question read back from it: what was asked
 * then can be asked of other policies now. Both directions stand here, because they have to fit. Pure.
 */
import { parseSpiffeId } from '../../protocol/spiffe.ts';
import type { AuditEvent, AuditEventType } from '../channel/audit-event.ts';
import type { AmrName } from './amr.ts';
import type { PrincipalView, Question } from './question.ts';
import { type Action, type PolicySignal, policySignals } from './schema.ts';

type Detail = Record<string, string | number | boolean>;

const signalPrefix = 'posture.';

/** What the event says of the principal besides who it is; names and numbers that policies see anyway. */
export function recordPrincipal({ atMs, amr, authAgeS, posture, idp }: PrincipalView): Detail {
  const signals = Object.entries(posture.signals ?? {}).map(([name, value]) => [`${signalPrefix}${name}`, value]);
  const asked = { askedAt: atMs, amr: amr.join(' '), authAgeS, postureAgeS: posture.ageS };
  return { ...asked, ...Object.fromEntries(signals), ...recordIdp(idp) };
}

/** Lists as JSON: what a provider calls a method may have spaces. */
function recordIdp(idp: PrincipalView['idp']): Detail {
  if (idp === undefined) return {};
  const { issuer, acr, amr } = idp;
  return { 'idp.issuer': issuer, 'idp.amr': JSON.stringify(amr), ...(acr !== undefined && { 'idp.acr': acr }) };
}

function idpOf(detail: Detail): Pick<PrincipalView, 'idp'> {
  const { 'idp.issuer': issuer, 'idp.amr': amr, 'idp.acr': acr } = detail;
  if (typeof issuer !== 'string' || typeof amr !== 'string') return {};
  return { idp: { issuer, amr: JSON.parse(amr) as string[], ...(acr !== undefined && { acr: String(acr) }) } };
}

/** What the recorder calls a decision, and which action it was about. */
const actionOf: Partial<Record<AuditEventType, Action>> = {
  launch: 'launch',
  renew: 'launch',
  'stream.open': 'open',
  'http.request': 'request',
  'websocket.open': 'request',
};

/** The audit events that are decisions of policy. */
export const decisionTypes = Object.keys(actionOf) as AuditEventType[];

/** Texts are cut to this length in an event, and what cannot be printed is replaced: those are not what was asked. */
const longest = 1_024;
const replaced = '\ufffd';

/** @returns undefined for an event that is no decision, or one that was not kept whole, as those of older releases. */
export function recordedQuestion(event: AuditEvent): Question | undefined {
  const { type, detail = {}, service } = event;
  const action = actionOf[type];
  const principal = principalOf(event);
  if (action === undefined || principal === undefined || service === undefined) return undefined;
  const context = contextOf(type, action, detail);
  const texts = Object.values(context);
  if (texts.some((text) => text.length >= longest || text.includes(replaced))) return undefined;
  return { principal, action, service, context };
}

function contextOf(type: AuditEventType, action: Action, { kind, method, path }: Detail): Record<string, string> {
  if (action === 'launch') return {};
  if (action === 'open') return { kind: String(kind) };
  return { kind: type === 'http.request' ? 'http' : 'websocket', method: String(method), path: String(path) };
}

function principalOf({ actor, detail = {} }: AuditEvent): PrincipalView | undefined {
  const { askedAt, amr, authAgeS, postureAgeS } = detail;
  if (typeof askedAt !== 'number' || typeof amr !== 'string') return undefined;
  if (typeof authAgeS !== 'number' || typeof postureAgeS !== 'number') return undefined;
  const facts = {
    atMs: askedAt,
    // Written by us from the names themselves.
    amr: amr.split(' ').filter((name) => name !== '') as AmrName[],
    authAgeS,
    posture: { ageS: postureAgeS, signals: signalsOf(detail) },
    ...idpOf(detail),
  };
  const id = parseSpiffeId(actor);
  if (id?.kind === 'device') return { ...facts, user: id.user, device: id.device };
  if (id?.kind === 'guest') return { ...facts, link: { id: id.link, use: Number(id.use) } };
  return undefined;
}

function signalsOf(detail: Detail): Partial<Record<PolicySignal, string | number | boolean>> {
  const names = Object.keys(policySignals) as PolicySignal[];
  const known = names.map((name) => [name, detail[`${signalPrefix}${name}`]] as const);
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}
