/**
 * When a peer acts by itself (paper section 6). Every rule is here, none of the acting: a peer tells what happened and
 * is told what is due. Five timers, as in the paper:
 *
 *     retry       no answer to an initiation for REKEY_TIMEOUT                      -> another, for REKEY_ATTEMPT_TIME
 *     keepalive   took data, sent nothing for KEEPALIVE_TIMEOUT                     -> an empty packet
 *     newSession  sent data, heard nothing for KEEPALIVE_TIMEOUT + REKEY_TIMEOUT    -> a new handshake
 *     erase       no new session for 3 * REJECT_AFTER_TIME                          -> wipe all keys
 *     persistent  nothing either way for the configured time                       -> an empty packet
 */
import type { Clock } from '../../protocol/clock.ts';
import {
  ERASE_KEYS_AFTER_MS,
  KEEPALIVE_TIMEOUT_MS,
  REKEY_ATTEMPT_TIME_MS,
  REKEY_JITTER_MAX_MS,
  REKEY_TIMEOUT_MS,
} from './limits.ts';

/** A timer that is moved far more often than it rings: moving it back costs a field, not a call to the system. */
class Deadline {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #due: number | null = null;
  #wake: { at: number; cancel: () => void } | null = null;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  get pending(): boolean {
    return this.#due !== null;
  }

  arm(ms: number): void {
    this.#due = this.#clock.monotonic() + ms;
    if (this.#wake !== null && this.#wake.at <= this.#due) return;
    this.#wake?.cancel();
    this.#sleep(ms);
  }

  disarm(): void {
    this.#due = null;
  }

  close(): void {
    this.#due = null;
    this.#wake?.cancel();
    this.#wake = null;
  }

  #sleep(ms: number): void {
    this.#wake = { at: this.#clock.monotonic() + ms, cancel: this.#clock.after(ms, () => this.#woken()) };
  }

  #woken(): void {
    this.#wake = null;
    if (this.#due === null) return;
    const left = this.#due - this.#clock.monotonic();
    if (left > 0) {
      this.#sleep(left);
      return;
    }
    this.#due = null;
    this.#ring();
  }
}

/** What a peer does when a timer rings. */
export interface TimerActions {
  /** Sends an initiation without resetting the time the attempts have. */
  retryHandshake(): void;
  /** The attempts ended: drops what was waiting for them. */
  giveUp(): void;
  sendKeepalive(): void;
  startHandshake(): void;
  eraseKeys(): void;
}

/** One for a peer. Between {@link close} and the end of the object nothing rings. */
export class PeerTimers {
  readonly #clock: Clock;
  readonly #random: (length: number) => Uint8Array;
  /** Drawn for each initiation: the rest of the time a packet would cost a call for randomness. */
  #jitterMs = 0;
  readonly #actions: TimerActions;
  readonly #retry: Deadline;
  readonly #keepalive: Deadline;
  readonly #newSession: Deadline;
  readonly #erase: Deadline;
  readonly #persistent: Deadline;
  #attemptsBegan = 0;
  #anotherKeepalive = false;
  #persistentMs = 0;

  /** @param random for the jitter. */
  constructor(clock: Clock, random: (length: number) => Uint8Array, actions: TimerActions) {
    this.#clock = clock;
    this.#actions = actions;
    this.#random = random;
    this.#drawJitter();
    this.#retry = new Deadline(clock, () => this.#retryDue());
    this.#keepalive = new Deadline(clock, () => this.#keepaliveDue());
    this.#newSession = new Deadline(clock, () => actions.startHandshake());
    this.#erase = new Deadline(clock, () => actions.eraseKeys());
    this.#persistent = new Deadline(clock, () => actions.sendKeepalive());
  }

  /** The attempts, however many, have REKEY_ATTEMPT_TIME from now; asked for anew whenever somebody has data to send. */
  attemptsBegin(): void {
    this.#attemptsBegan = this.#clock.monotonic();
  }

  /** Section 6.4. */
  initiationSent(): void {
    this.#drawJitter();
    this.#retry.arm(REKEY_TIMEOUT_MS + this.#jitterMs);
  }

  /** As initiator by the response, as responder by the first packet. */
  handshakeCompleted(): void {
    this.#retry.disarm();
  }

  /** Section 6.3. */
  sessionDerived(): void {
    this.#erase.arm(ERASE_KEYS_AFTER_MS);
  }

  /** Section 6.5: data, not an empty packet. */
  dataSent(): void {
    if (!this.#newSession.pending) this.#newSession.arm(KEEPALIVE_TIMEOUT_MS + REKEY_TIMEOUT_MS + this.#jitterMs);
  }

  /** Section 6.5. */
  dataReceived(): void {
    if (this.#keepalive.pending) this.#anotherKeepalive = true;
    else this.#keepalive.arm(KEEPALIVE_TIMEOUT_MS);
  }

  /** Anything that shows the other end that we live. */
  authenticatedSent(): void {
    this.#keepalive.disarm();
    this.#persist();
  }

  /** Anything that shows us that the other end lives. */
  authenticatedReceived(): void {
    this.#newSession.disarm();
    this.#persist();
  }

  /** @param ms 0 for never. */
  setPersistentKeepalive(ms: number): void {
    this.#persistentMs = ms;
    if (ms === 0) this.#persistent.disarm();
    else this.#persist();
  }

  close(): void {
    for (const timer of [this.#retry, this.#keepalive, this.#newSession, this.#erase, this.#persistent]) timer.close();
  }

  #drawJitter(): void {
    const bytes = this.#random(2);
    this.#jitterMs = ((bytes[0]! << 8) | bytes[1]!) % (REKEY_JITTER_MAX_MS + 1);
  }

  #persist(): void {
    if (this.#persistentMs > 0) this.#persistent.arm(this.#persistentMs);
  }

  #retryDue(): void {
    if (this.#clock.monotonic() - this.#attemptsBegan < REKEY_ATTEMPT_TIME_MS) {
      this.#actions.retryHandshake();
      return;
    }
    this.#keepalive.disarm();
    this.#actions.giveUp();
    if (!this.#erase.pending) this.#erase.arm(ERASE_KEYS_AFTER_MS);
  }

  #keepaliveDue(): void {
    this.#actions.sendKeepalive();
    if (!this.#anotherKeepalive) return;
    this.#anotherKeepalive = false;
    this.#keepalive.arm(KEEPALIVE_TIMEOUT_MS);
  }
}
