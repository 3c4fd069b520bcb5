/**
 * What an assertion says, after its signature was verified and from the signed bytes alone (SAML 2.0 Core, section 2; Profiles,
 * section 4.1.4.3). The library has checked audience and times; everything else that makes an assertion ours is checked here.
 */
import { z } from 'zod';
import { nameIdFormats, type SamlSettings } from '../../saml-settings.ts';
import type { IdpIdentity } from '../idp/identity.ts';
import { SamlError } from './saml-error.ts';

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
  AudienceRestriction: z.array(z.unknown()).min(1),
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

/** Whom the assertion has to be for. */
export interface Addressee {
  readonly acs: string;
  readonly requestId: string;
  /** ms */
  readonly now: number;
}

/**
 * @param verified the signed assertion as node-saml parsed it
 * @throws SamlError `assertion`, `issuer`, `recipient`, `in_response_to`, `name_format`, `too_old`
 */
export function identityOf(verified: unknown, settings: SamlSettings, addressee: Addressee): IdpIdentity {
  const parsed = assertionSchema.safeParse(verified);
  // The cause would repeat what was sent.
  if (!parsed.success) throw new SamlError('assertion');
  const { Assertion: assertion } = parsed.data;
  checkAddressee(assertion, settings, addressee);
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

function checkAddressee(assertion: Assertion, settings: SamlSettings, { acs, requestId, now }: Addressee): void {
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
  const [{ $: session }] = assertion.AuthnStatement;
  if (session.AuthnInstant < now - settings.maxAgeS * 1_000) throw new SamlError('too_old');
  if ((session.SessionNotOnOrAfter ?? Number.POSITIVE_INFINITY) <= now) throw new SamlError('too_old');
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
