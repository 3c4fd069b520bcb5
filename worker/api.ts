/**
 * The tunnel as a page sees it: what the shell may ask of its Worker. Keys, credentials and plaintext stay behind it.
 * The Worker exposes exactly this object, frozen, by comlink.
 */
import type { TransportName } from '../protocol/carrier.ts';
import type { StepupAssertion } from '../protocol/stepup.ts';
import type { PortNote } from './app-messages.ts';

export type TunnelState = 'connecting' | 'open' | 'rekeying' | 'closed' | 'refused';

export interface TunnelStatus {
  readonly state: TunnelState;
  /** Absent until a transport was won. */
  readonly transport?: TransportName;
  readonly epoch: number;
  /**
   * Why it is closed or refused: a close code, an answer of the control plane, or `offline`. While connecting: what
   * ended the handshake before, which nobody has signed and which may change.
   */
  readonly reason?: string;
  readonly correlation?: string;
  /** While connecting: the next attempt begins after so many milliseconds; absent while one is being made. */
  readonly retryInMs?: number;
}

/** Bodies of requests and answers that cross the tunnel now; small ones are not counted. */
export interface Transfers {
  readonly bodies: number;
  /** Bytes of them that have crossed, both ways together. */
  readonly movedBytes: number;
  /** What they will be in all; undefined while one of them did not say how long it is. */
  readonly totalBytes: number | undefined;
}

export interface LaunchedService {
  readonly name: string;
  readonly title: string;
  /** The app's origin. */
  readonly app: string;
  /** At a kiosk: the ticket by which the app's origin is wiped when the visit is over. */
  readonly wipe?: string;
}

/** Counters of the present session, for people and tests. */
export interface TunnelCounts {
  /** Records the Wasm sealed since it was loaded. */
  readonly sealedInWasm: number;
  /** Records handed to the transport since the Worker started, over all sessions. */
  readonly recordsSent: number;
}

/**
 * A touch of the passkey that the gateway waits for, or did not get; `lapsed`: the lease has ended, everything waits, and
 * a new sign-in is needed.
 */
export type StepUpStage = 'asked' | 'refused' | 'lapsed';

/** The service wants a user name and a password (RFC 7617), and everything that does waits; `wrong`: not those. */
export type PasswordStage = 'asked' | 'wrong';

export interface TunnelApi {
  /**
   * Makes a session key, has it endorsed over `hub` and opens the tunnel. Once in a Worker's life.
   * @param hub a port whose other end the hub holds (see {@link HubToTunnel}).
   * @throws TunnelFault with the control plane's code when it refuses.
   */
  launch(service: string, hub: MessagePort): Promise<LaunchedService>;
  /** Serves an app's service worker or a page's WebSocket over its port. */
  serve(port: MessagePort, note: PortNote): Promise<void>;
  /** A worker of the app has ended: the WebSockets whose ports came with its lock are closed as going away. */
  workerGone(lock: string): Promise<void>;
  /** Calls back with every change, and once at once. */
  watch(callback: (status: TunnelStatus) => void): void;
  /** Calls back when the gateway asks for a touch of the passkey, and with undefined when it asks no more. */
  watchStepUp(callback: (stage: StepUpStage | undefined) => void): void;
  /** Calls back while bodies are under way, at most four times a second, and once when none is left. */
  watchTransfers(callback: (transfers: Transfers) => void): void;
  /** Opens a new session now: in place of a pause before the next attempt, or beside the one that is open. */
  reconnect(): Promise<void>;
  /**
   * Has the hub ask for the passkey, and carries its answer to the gateway; after the lease has ended, has the person
   * sign in again and goes on under the new one.
   * @param hub a port whose other end a window of the hub holds (see {@link HubToStepUp}).
   */
  stepUp(hub: MessagePort): Promise<void>;
  /** The person would rather not; or has read that it was refused. */
  declineStepUp(): Promise<void>;
  /** Calls back when the service asks for a password by HTTP, and with undefined when nobody waits for one any more. */
  watchPassword(callback: (stage: PasswordStage | undefined) => void): void;
  /** Tells the service, and keeps it for what else it asks; forgotten when the tunnel ends. @throws TypeError for a colon in `user` */
  password(user: string, password: string): Promise<void>;
  /** The page hears that the service refused it. */
  declinePassword(): Promise<void>;
  counts(): Promise<TunnelCounts>;
  /** Ends the session and forgets its keys. Resolves when nothing of it is left in the Wasm. */
  end(): Promise<void>;
}

/** The Worker to the hub, over the port that `launch` was given. */
export type TunnelToHub =
  | { readonly t: 'key'; readonly sessionPublicKey: Uint8Array }
  | { readonly t: 'endorsement'; readonly signature: Uint8Array }
  /** Last, where a new root is in use since: the fingerprint of its pins, which those of the hub led to. */
  | { readonly t: 'followed'; readonly pins: Uint8Array };

/** What the hub tells the Worker of one launch; the Worker computes the challenge itself, with its own key and service. */
export interface LaunchTerms {
  readonly nonce: Uint8Array;
  readonly lease: Uint8Array;
  readonly rpId: string;
  readonly userHandle: Uint8Array;
  readonly deviceKeyHash: Uint8Array;
  readonly postureHash: Uint8Array;
}

/** The hub to the Worker. */
export type HubToTunnel =
  /** In a window that was opened because the lease had ended: now the launch may begin. */
  | { readonly t: 'signed-in' }
  /** Said at once, so that a hub that is slow is told from one that is not there. */
  | { readonly t: 'heard' }
  | ({ readonly t: 'challenge' } & LaunchTerms)
  | {
      readonly t: 'launched';
      /** The control plane's LaunchAnswer, as its JSON. */
      readonly answer: unknown;
      /** Fingerprint of the install pins. */
      readonly pins: Uint8Array;
      /** 32 bytes: the key of this service's cookie jar, and of no other's. */
      readonly jarKey: Uint8Array;
    }
  | { readonly t: 'refused'; readonly code: string; readonly message: string; readonly correlation?: string };

/** Shell to hub by window message, with the other end of that port. */
export interface LaunchRequest {
  readonly latchkey: 'launch';
  readonly service: string;
}

/** Shell to hub by window message: somebody is there, at a kiosk. */
export interface ActiveNotice {
  readonly latchkey: 'active';
}

/** Shell to hub by window message, with a port that hears how it went: the person wants to be signed out. */
export interface SignOutRequest {
  readonly latchkey: 'sign-out';
}

/** The hub's answer to that. */
export type SignOutAnswer = { readonly t: 'signed-out' } | { readonly t: 'failed' };

/** Worker to a window of the hub, for a step-up. The hub computes the challenge itself, from these and what it knows. */
export interface StepUpToHub {
  readonly t: 'stepup';
  readonly nonce: Uint8Array;
  /** `exporter("webauthn", nonce)` of the session that asks. */
  readonly exporter: Uint8Array;
}

/** Its answer: what the authenticator said. A window that got none closes, and says nothing. */
export type HubToStepUp = { readonly t: 'touched'; readonly assertion: StepupAssertion };

/** A window of the hub to the shell that opened it, and the shell's answer, which brings a port. */
export type StepUpWindowReady = { readonly latchkey: 'step-up-ready' };
export type StepUpWindowOpened = { readonly latchkey: 'step-up'; readonly service: string; readonly name: string };

/** An error that crosses the Worker's border whole. */
export class TunnelFault extends Error {
  readonly code: string;
  readonly correlation: string | undefined;
  constructor(code: string, message: string, correlation?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TunnelFault';
    this.code = code;
    this.correlation = correlation;
  }
}

type Thrown = { isError: boolean; value: { code: string; message: string; correlation?: string | undefined } };

/**
 * comlink's `throw` handler, for both sides: comlink's own drops `code`, and passes stacks.
 * Register it with `transferHandlers.set('throw', faultHandler)` before the first call.
 */
export const faultHandler = {
  // comlink marks thrown values with a symbol it does not export; its own handler is the only other user of this slot.
  canHandle: (value: unknown): value is { value: unknown } =>
    typeof value === 'object' && value !== null && throwMarker(value),
  serialize({ value }: { value: unknown }): [Thrown, Transferable[]] {
    const fault = value instanceof TunnelFault ? value : undefined;
    const code = fault?.code ?? 'internal';
    const message = fault?.message ?? 'The tunnel failed.';
    return [{ isError: true, value: { code, message, correlation: fault?.correlation } }, []];
  },
  deserialize(thrown: Thrown): never {
    throw new TunnelFault(thrown.value.code, thrown.value.message, thrown.value.correlation);
  },
};

function throwMarker(value: object): boolean {
  return Object.getOwnPropertySymbols(value).some((symbol) => symbol.description === 'Comlink.thrown');
}
