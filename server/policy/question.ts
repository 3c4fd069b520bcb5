/** What policies are asked and what they answer, in the words of this house and of Cedar. */
import type { StatefulAuthorizationCall } from '@cedar-policy/cedar-wasm/nodejs';
import type { AmrName } from './amr.ts';
import type { Action, PolicySignal } from './schema.ts';

/** What is known of the posture at the place of decision; the gateway knows the age alone. */
export interface PostureView {
  readonly ageS: number;
  readonly signals?: Readonly<Partial<Record<PolicySignal, string | number | boolean>>>;
}

/** Stands for an age that nobody knows: 68 years, older than any policy lets pass. */
export const unknownAgeS = 2 ** 31 - 1;

/** Who asks: a person on a device, or a guest by one use of a link; ids as in the SPIFFE id. */
export type PrincipalView = PrincipalFacts &
  (
    | { readonly user: string; readonly device?: string | undefined; readonly link?: undefined }
    | { readonly link: GuestOf; readonly user?: undefined; readonly device?: undefined }
  );

export interface GuestOf {
  readonly id: string;
  /** Which use of the link, from 1. */
  readonly use: number;
}

/** What an OpenID or SAML provider said of the sign-in. */
export interface IdpView {
  readonly issuer: string;
  /** How it authenticated the person, in its own words (OpenID Connect Core 1.0, section 2; SAML's AuthnContextClassRef is an acr). */
  readonly acr?: string;
  readonly amr: readonly string[];
}

/** As they are at one moment. */
export interface PrincipalFacts {
  /** That moment, ms since 1970. */
  readonly atMs: number;
  readonly amr: readonly AmrName[];
  /** Seconds since the person last proved presence, or {@link unknownAgeS}; never less than it is. */
  readonly authAgeS: number;
  readonly posture: PostureView;
  /** Known at a launch alone, as the signals of posture. */
  readonly idp?: IdpView;
}

export interface Question {
  readonly principal: PrincipalView;
  readonly action: Action;
  /** Service name. */
  readonly service: string;
  /** Circumstances of this one exchange. */
  readonly context?: { readonly kind?: string; readonly method?: string; readonly path?: string };
}

export interface PolicyDecision {
  readonly decision: 'allow' | 'deny';
  /** Ids of the policies that decided; `['default-deny']` when none permitted. Never empty. */
  readonly policies: string[];
  /** Of a deny that a fresh touch of the passkey would turn into an allow: nothing else is missing. */
  readonly lacks?: 'stepUp';
}

/** A question in Cedar's form, for whichever policies. */
export type CedarCall = Omit<StatefulAuthorizationCall, 'preparsedPolicySetId'>;
