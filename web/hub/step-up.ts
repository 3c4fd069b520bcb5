/**
 * The hub's side of a step-up: computes the challenge from what the tunnel's session exports and from this browser's own
 * device and person, has the passkey touched over it, and hands the assertion back (docs/protocol.md, "Step-up"). It
 * never has a challenge signed that somebody else computed.
 */
import { stepupChallenge } from '../../protocol/challenges.ts';
import type { StepupAssertion } from '../../protocol/stepup.ts';
import type { HubToStepUp, StepUpToHub, StepUpWindowOpened, StepUpWindowReady } from '../../worker/api.ts';
import { ApiError, call, decode, type SessionInfo } from './api.ts';
import { loadDevice } from './device.ts';
import { hash } from './hash.ts';
import { touchPasskey } from './touch.ts';

/** A shell that asks, and the question. */
export interface StepUpAsked {
  readonly service: string;
  /** Uses the passkey and answers. @throws ApiError, or the DOMException of the authenticator */
  answer(): Promise<void>;
}

/** The shell that opened this window, and the port it sent. */
interface ShellAsking {
  /** The service's title, for people, and its name. */
  readonly service: string;
  readonly name: string;
  readonly port: MessagePort;
}

/** For who is signed in: says to the window that opened this one that it is here, and waits for its port. @throws ApiError */
export async function askedByShell(): Promise<ShellAsking> {
  const opener = window.opener as Window | null;
  if (opener === null)
    throw new ApiError('no_shell', 'The window that asked is gone. Close this one and open the service again.', 0);
  const { shell } = await call<{ shell: string }>('GET', '/api/services');
  return opened(opener, new URL(shell).origin);
}

/** Waits for the shell's question. @throws ApiError */
export async function stepUpAsked(): Promise<StepUpAsked> {
  const { service, port } = await askedByShell();
  const question = await new Promise<StepUpToHub>((resolve) => {
    port.onmessage = (event: MessageEvent<StepUpToHub>) => resolve(event.data);
  });
  const answer = async (): Promise<void> => {
    const assertion = await touch(question);
    port.postMessage({ t: 'touched', assertion } satisfies HubToStepUp);
  };
  return { service, answer };
}

/** @param shell exact: from any other origin nothing is heard, and to any other nothing is said. */
function opened(opener: Window, shell: string): Promise<ShellAsking> {
  return new Promise((resolve) => {
    window.addEventListener('message', (event: MessageEvent<StepUpWindowOpened | null>) => {
      const [message, port] = [event.data, event.ports[0]];
      if (event.origin !== shell || event.source !== opener) return;
      if (message?.latchkey !== 'step-up' || port === undefined) return;
      resolve({ service: String(message.service), name: String(message.name), port });
    });
    opener.postMessage({ latchkey: 'step-up-ready' } satisfies StepUpWindowReady, shell);
  });
}

async function touch({ nonce, exporter }: StepUpToHub): Promise<StepupAssertion> {
  const [device, session] = await Promise.all([loadDevice(), call<SessionInfo>('GET', '/api/session')]);
  if (device === undefined)
    throw new ApiError('device_unknown', 'This browser is not enrolled. Open your enrolment link.', 0);
  const { rpId, userHandle, credentialId } = session.passkey;
  const deviceKeyHash = hash.sha256(device.publicKey);
  const challenge = stepupChallenge(hash, { rpId, nonce, deviceKeyHash, userHandle: decode(userHandle), exporter });
  const { id, response } = await touchPasskey({ challenge, rpId, credentialIds: [credentialId], timeout: 60_000 });
  return {
    credentialId: decode(id),
    authenticatorData: decode(response.authenticatorData),
    clientDataJson: decode(response.clientDataJSON),
    signature: decode(response.signature),
    userHandle: decode(response.userHandle ?? ''),
  };
}
