/** The hub's calls to the control plane. Bytes are base64url in JSON; the shapes are the API's (its OpenAPI document). */
import { base64url, unbase64url } from '../../protocol/bytes.ts';

/** The control plane said no. Code and sentence are its own. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly correlation: string | undefined;
  constructor(code: string, message: string, status: number, correlation?: string) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
    this.correlation = correlation;
  }
}

export interface Person {
  readonly id: string;
  readonly name: string;
}

export interface SessionInfo {
  readonly user: Person;
  readonly device: { readonly id: string };
  readonly leaseEnds: number;
  /** Duties in the administration. */
  readonly roles: readonly string[];
  /** A recovery of the last week: when (ms), and how many devices it took out. */
  readonly recovered?: { readonly at: number; readonly devices: number };
  readonly passkey: { readonly rpId: string; readonly credentialId: string; readonly userHandle: string };
}

export interface ServiceInfo {
  readonly name: string;
  readonly title: string;
  readonly scheme: string;
  readonly app: string;
}

type Json = Record<string, unknown>;

/** @throws ApiError, with code `offline` when nobody answered. */
export async function call<T>(
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<T> {
  const init: RequestInit = { method, credentials: 'same-origin', cache: 'no-store', headers };
  if (body !== undefined) {
    init.body = body;
    init.headers = { ...headers, 'content-type': 'application/json' };
  }
  const response = await fetch(path, init).catch(() => {
    throw new ApiError('offline', 'The hub does not answer. Check your connection and try again.', 0);
  });
  const answer = (await response.json().catch(() => ({}))) as Json;
  if (response.ok) return answer as T;
  throw new ApiError(
    String(answer['error'] ?? 'internal'),
    String(answer['message'] ?? `The hub answered ${response.status}. Try again in a moment.`),
    response.status,
    answer['correlation'] === undefined ? undefined : String(answer['correlation']),
  );
}

export const encode = base64url;

/** @throws ApiError when the control plane sent something that is not base64url. */
export function decode(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(unbase64url(text));
  } catch {
    throw new ApiError('malformed', 'The hub sent something this page cannot read. Reload it and try again.', 0);
  }
}
