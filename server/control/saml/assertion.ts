/**
 * What an assertion says, after its signature was verified and from the signed bytes alone (SAML 2.0 Core, section 2; Profiles,
 * section 4.1.4.3). The library has checked the signature; everything else that makes an assertion ours is checked here.
 */
import { z } from 'zod';
import { nameIdFormats, type SamlSettings } from '../../saml-settings.ts';
import type { IdpIdentity } from '../idp/identity.ts';
import { SamlError } from './saml-error.ts';

/** By how much a provider's clock may be wrong. */
const clockToleranceMs = 60_000;
const bearer = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
const printable = z.string().regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,128}$/u);
const name = z.string().regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u);
/** In UTC, as section 1.3.3 has it. @returns ms */
const instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/)
  .transform((text) => Date.parse(text))
  .refine((ms) => Number.isFinite(ms));
/** Elements as the library's parser has them: lists of each name, attributes in `$`, text in `_`. */
const one = <T extends z.ZodType>(of: T) => z.tuple([of]);
const text = <T extends z.ZodType>(of: T) => z.object({ _: of });
const attributes = <T extends z.ZodRawShape>(of: T) => z.object({ $: z.object(of) });

const confirmation = attributes({ Method: z.literal(bearer) }).extend({
  SubjectConfirmationData: one(
    attributes({
      InResponseTo: z.string(),
      Recipient: z.string(),
      NotOnOrAfter: instant,
      NotBefore: z.never().optional(),
    }),
  ),
});
/** A condition that is not known here may say that the assertion is not for us: it is refused. */
const conditions = z.strictObject({
  $: z.object({ NotBefore: instant.optional(), NotOnOrAfter: instant }),
  AudienceRestriction: z.array(z.object({ Audience: z.array(text(z.string())).min(1) })).min(1),
  OneTimeUse: z.unknown().optional(),
  ProxyRestriction: z.unknown().optional(),
});
const authentication = attributes({
  AuthnInstant: instant,
  SessionIndex: name.optional(),
  SessionNotOnOrAfter: instant.optional(),
}).extend({ AuthnContext: one(z.object({ AuthnContextClassRef: one(text(printable)).optional() })) });
const attribute = attributes({ Name: z.string() }).extend({ AttributeValue: z.array(z.unknown()).default([]) });

const assertionSchema = z.object({
  Assertion: attributes({ Version: z.literal('2.0'), IssueInstant: instant }).extend({
    Issuer: one(text(z.string())),
    Subject: one(
      z.object({
        NameID: one(text(name).extend({ $: z.object({ Format: z.string().optional() }).optional() })),
        SubjectConfirmation: one(confirmation),
      }),
    ),
    Conditions: one(conditions),
    AuthnStatement: one(authentication),
    AttributeStatement: z.array(z.object({ Attribute: z.array(attribute).default([]) })).default([]),
  }),
});
type Assertion = z.infer<typeof assertionSchema>['Assertion'];

/** Whom the assertion has to be for, and when. */
export interface Addressee {
  readonly acs: string;
  /** Our entity id. */
  readonly audience: string;
  readonly requestId: string;
  /** When the request was made, ms. */
  readonly begunAt: number;
  /** ms */
  readonly now: number;
}

/**
 * @param verified the signed assertion as node-saml parsed it
 * @throws SamlError `assertion`, `issuer`, `recipient`, `in_response_to`, `name_format`, `audience`, `not_yet_valid`,
 * `expired`, `too_old`, `authn_instant`, `force_authn`, `authn_context`
 */
export function identityOf(verified: unknown, settings: SamlSettings, addressee: Addressee): IdpIdentity {
  const parsed = assertionSchema.safeParse(verified);
  // The cause would repeat what was sent.
  if (!parsed.success) throw new SamlError('assertion');
  const { Assertion: assertion } = parsed.data;
  checkAddressee(assertion, settings, addressee);
  checkConditions(assertion, addressee);
  checkSignIn(assertion, settings, addressee);
  const [
    {
      NameID: [nameId],
    },
  ] = assertion.Subject;
  const [
    {
      $: session,
      AuthnContext: [context],
    },
  ] = assertion.AuthnStatement;
  const acr = context.AuthnContextClassRef?.[0]._;
  return {
    ...{ issuer: settings.issuer, subject: nameId._, amr: [], authenticatedAt: session.AuthnInstant },
    groups: groupsOf(assertion, settings.groupsAttribute),
    ...(session.SessionIndex !== undefined && { sid: session.SessionIndex }),
    ...(session.SessionNotOnOrAfter !== undefined && { until: session.SessionNotOnOrAfter }),
    ...(acr !== undefined && { acr }),
  };
}

function checkAddressee(assertion: Assertion, settings: SamlSettings, { acs, requestId }: Addressee): void {
  if (assertion.Issuer[0]._ !== settings.issuer) throw new SamlError('issuer');
  const [
    {
      NameID: [nameId],
      SubjectConfirmation: [
        {
          SubjectConfirmationData: [{ $: data }],
        },
      ],
    },
  ] = assertion.Subject;
  if (data.Recipient !== acs) throw new SamlError('recipient');
  if (data.InResponseTo !== requestId) throw new SamlError('in_response_to');
  const format = nameId.$?.Format ?? nameIdFormats.unspecified;
  if (format !== nameIdFormats[settings.nameIdFormat]) throw new SamlError('name_format');
}

/** Of several restrictions each has to name us (SAML 2.0 Core, section 2.5.1.4). */
function checkConditions(assertion: Assertion, { audience, now }: Addressee): void {
  const [{ $: validity, AudienceRestriction: restrictions }] = assertion.Conditions;
  const isForUs = restrictions.every(({ Audience }) => Audience.some(({ _ }) => _ === audience));
  if (!isForUs) throw new SamlError('audience');
  const [
    {
      SubjectConfirmation: [
        {
          SubjectConfirmationData: [{ $: data }],
        },
      ],
    },
  ] = assertion.Subject;
  if ((validity.NotBefore ?? now) > now + clockToleranceMs) throw new SamlError('not_yet_valid');
  const end = Math.min(validity.NotOnOrAfter, data.NotOnOrAfter);
  if (end <= now - clockToleranceMs) throw new SamlError('expired');
}

/**
 * How and when the person signed in there. A request of ours is not signed, so what it asked for may never have reached the
 * provider: the answer has to say that it was done.
 */
function checkSignIn(assertion: Assertion, settings: SamlSettings, { begunAt, now }: Addressee): void {
  const [
    {
      $: { AuthnInstant: signedIn, SessionNotOnOrAfter: end = Number.POSITIVE_INFINITY },
      AuthnContext: [context],
    },
  ] = assertion.AuthnStatement;
  const { maxAgeS, forceAuthn, authnContext } = settings;
  if (signedIn < now - maxAgeS * 1_000 || end <= now) throw new SamlError('too_old');
  // It would stay young for as long as it pleases.
  if (signedIn > now + clockToleranceMs) throw new SamlError('authn_instant');
  if (forceAuthn && signedIn < begunAt - clockToleranceMs) throw new SamlError('force_authn');
  const asserted = context.AuthnContextClassRef?.[0]._ ?? '';
  if (authnContext.length > 0 && !authnContext.includes(asserted)) throw new SamlError('authn_context');
}

const groupValues = z.array(text(printable)).max(256);

function groupsOf(assertion: Assertion, wanted: string): string[] {
  const values = assertion.AttributeStatement.flatMap(({ Attribute }) => Attribute)
    .filter(({ $ }) => $.Name === wanted)
    .flatMap(({ AttributeValue }) => AttributeValue);
  const groups = groupValues.safeParse(values);
  if (!groups.success) throw new SamlError('assertion');
  return groups.data.map(({ _ }) => _);
}
