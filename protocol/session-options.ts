/**
 * What a session is told when it begins and what it tells in return; session.ts acts on it.
 */
import type { Carrier, Channel } from './carrier.ts';
import type { Clock } from './clock.ts';
import type { CloseCode } from './codes.ts';
import type { Crypto, Signer } from './crypto.ts';
import type { Established } from './established.ts';
import type { Role } from './record.ts';
import type { RecordLimits } from './session-limits.ts';
import type { StepupAssertion, StepupQuestion } from './stepup.ts';
import type { IncomingStream } from './stream.ts';
import type { VerifiedSvid } from './svid.ts';

export type SessionState = {
  readonly phase: 'open' | 'rekeying' | 'closing' | 'closed';
  /** The epoch we seal under. */
  readonly epoch: number;
  /** Why it ends or ended. */
  readonly code?: CloseCode;
};

/** How a session ended. */
export type SessionEnd = {
  readonly code: CloseCode;
  readonly byPeer: boolean;
  /** The transport went away without an authentic CLOSE; the code is then going_away. */
  readonly cut: boolean;
};

/** What both roles can be told and asked. */
export type SessionHooks = {
  /** The peer asks for a stream; without this hook it is denied. */
  readonly onOpen?: ((incoming: IncomingStream) => void) | undefined;
  readonly onState?: ((state: SessionState) => void) | undefined;
  /** What went wrong when a session ends by an error: for the local log, never for the peer. */
  readonly onFault?: ((error: unknown) => void) | undefined;
  /** Client: a rekey begins in 3 s, for its time has come. Whoever makes keys ahead may do so now. */
  readonly onRekeySoon?: (() => void) | undefined;
  /** Client: no answer to a rekey for 15 s. Make a session beside this one, move new streams there, drain this one. */
  readonly onRekeyOverdue?: (() => void) | undefined;
  /**
   * Client: streams wait and the gateway did not answer a PING within 2 s. The path may be lost: make a session beside
   * this one and move new streams there. This one may be heard again; its transport or {@link keepAliveMs} ends it.
   */
  readonly onSilent?: (() => void) | undefined;
  /** Client: an informational message of the gateway's. */
  readonly onNotice?: ((content: Uint8Array) => void) | undefined;
  /** Client: the gateway asks for a touch of the passkey. Without this hook it is told that nobody answers. */
  readonly onStepup?: ((question: StepupQuestion) => void) | undefined;
  /** Gateway: the answer to a question of ours, once for each; undefined when the person declined. */
  readonly onStepupAnswer?: ((question: StepupQuestion, assertion: StepupAssertion | undefined) => void) | undefined;
  /** Gateway: judges the credential of a REAUTH; rejects for one that is not good. Without it REAUTH is refused. */
  readonly verifyReauth?: ((svid: Uint8Array) => Promise<VerifiedSvid>) | undefined;
  /** Gateway: the session now lives by this credential. */
  readonly onReauth?: ((svid: VerifiedSvid) => void) | undefined;
  /**
   * Gateway: how long after its credential's end a session is kept for a REAUTH to come. Whoever asks for it carries
   * nothing meanwhile. None by default.
   */
  readonly graceMs?: number | undefined;
  /** Silence after which to ask for a sign of life. Client: 20 s; gateway: it leaves that to the client. */
  readonly keepAliveMs?: number | undefined;
  /** End the session after so long without streams. Never by default. */
  readonly idleAfterMs?: number | undefined;
  /** Lowered by tests only. */
  readonly limits?: Partial<RecordLimits> | undefined;
};

export type SessionOptions = SessionHooks & {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly carrier: Carrier;
  /** Stream 0, the handshake read off it. */
  readonly control: Channel;
  /** The session owns its secrets from here on. */
  readonly established: Established;
  readonly role: Role;
  /** Client: the session key, for REAUTH. */
  readonly signer?: Signer | undefined;
  /** Gateway: the identity the client knows, for REAUTH_ACK. */
  readonly gatewaySigner?: Signer | undefined;
};
