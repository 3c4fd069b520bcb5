/** The forms in which enrolment, login and launch are told and answered, as the API takes them. */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { deviceMessage } from '../../protocol/challenges.ts';
import { ApiError } from './api-error.ts';
import type { Holder } from './holder.ts';

/** A statement and its holder's signature over it, both still to be believed. */
export interface SignedPosture {
  readonly statement: Uint8Array;
  readonly signature: Uint8Array;
}

/** What ends an enrolment. */
export interface EnrolmentProof {
  readonly ceremony: string;
  readonly devicePublicKey: Uint8Array;
  readonly deviceSignature: Uint8Array;
  readonly posture: SignedPosture;
  readonly credential: RegistrationResponseJSON;
}

/** What ends a login. */
export interface LoginProof {
  readonly ceremony: string;
  readonly deviceSignature: Uint8Array;
  readonly posture: SignedPosture;
  readonly credential: AuthenticationResponseJSON;
}

/** What ends a launch. */
export interface LaunchProof {
  readonly ceremony: string;
  readonly sessionPublicKey: Uint8Array;
  /** Of the device key, or by a guest's link. */
  readonly deviceSignature: Uint8Array;
  readonly sessionSignature: Uint8Array;
  readonly posture: SignedPosture;
}

/** A person who has just proved presence, and the cookie of their new lease. */
export interface Entered {
  readonly user: { readonly id: string; readonly name: string };
  readonly device: { readonly id: string };
  /** Told to the browser once, as an HttpOnly cookie; null where an administrator has to approve the device first. */
  readonly leaseSecret: string | null;
}

/** @throws ApiError `device_signature` */
export function checkDeviceSignature(holder: Holder, challenge: Uint8Array, signature: Uint8Array): void {
  if (!holder.proves(deviceMessage(challenge), signature)) throw new ApiError('device_signature');
}
