/** How a failure reaches a person: a sentence with what, why and what to do, and an id to quote. */

/** Anything that a page can show. `message` is the whole sentence. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly correlation?: string | undefined;
}

/** Turns whatever was thrown into something to show. Messages of unknown errors stay out of sight. */
export function failureOf(error: unknown): Failure {
  if (error instanceof DOMException) return ceremonyFailure(error);
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    const correlation = 'correlation' in error ? String(error.correlation ?? '') : '';
    return { code: error.code, message: error.message, ...(correlation !== '' && { correlation }) };
  }
  return { code: 'internal', message: 'Something went wrong in this page. Reload it and try again.' };
}

/** Runs it, and shows why it failed, in place of what was shown before. @param show undefined: nothing has failed */
export async function attempt(show: (failure: Failure | undefined) => void, run: () => Promise<void>): Promise<void> {
  show(undefined);
  try {
    await run();
  } catch (error) {
    show(failureOf(error));
  }
}

/** WebAuthn reports by DOMException name (WebAuthn Level 3, sections 5.1.3 and 5.1.4). */
function ceremonyFailure(error: DOMException): Failure {
  switch (error.name) {
    case 'NotAllowedError':
      return {
        code: 'passkey_cancelled',
        message: 'The passkey was not used: the request was cancelled or took too long. Try again.',
      };
    case 'InvalidStateError':
      return {
        code: 'passkey_exists',
        message: 'This authenticator already holds a passkey for you. Go to the hub and sign in with it.',
      };
    case 'SecurityError':
      return {
        code: 'passkey_origin',
        message: 'Passkeys do not work at this address. Open the hub at the address your administrator gave you.',
      };
    case 'NotSupportedError':
      return {
        code: 'passkey_unsupported',
        message: 'This authenticator cannot make the kind of passkey that is needed. Try another one.',
      };
    default:
      return { code: 'passkey_failed', message: 'The passkey could not be used. Try again.' };
  }
}
