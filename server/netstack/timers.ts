/**
 * The timers of a connection: one for what is in flight or waits behind a closed window (retransmission, tail loss probe,
 * reordering, zero-window probe: always the one that is due first), delayed acknowledgment, pacing, and one for its life: keep-alive while it is used, FIN-WAIT-2 once nobody holds it, TIME-WAIT at its end.
 */
import type { Clock } from '../../protocol/clock.ts';
import { Deadline } from './deadline.ts';
import { NetworkError } from './errors.ts';
import {
  DELAYED_ACK_MS,
  KEEPALIVE_INTERVAL_MS,
  KEEPALIVE_PROBES,
  MAX_ORPHAN_PROBES,
  MAX_RTO_MS,
  MAX_SYN_RETRANSMITS,
  ORPHAN_FIN_WAIT_MS,
  TIME_WAIT_MS,
  USER_TIMEOUT_MS,
} from './limits.ts';
import type { SendSide } from './send-side.ts';
import { add } from './sequence.ts';
import { isSynchronized, type State } from './state.ts';

/** What the timers need of their connection. */
export interface TimedConnection {
  readonly state: State;
  /** Nobody holds it any more. */
  readonly orphaned: boolean;
  readonly send: SendSide;
  readonly user: { writable(): void } | null;
  sendSyn(): void;
  sendAck(): void;
  transmit(seq: number, offset: number, length: number, fin: boolean): void;
  /** What was sent leaves. */
  flush(): void;
  release(error: NetworkError | null): void;
  abort(error: NetworkError | null): void;
}

export class ConnectionTimers {
  readonly #connection: TimedConnection;
  readonly #clock: Clock;
  readonly #resend: Deadline;
  readonly #acknowledge: Deadline;
  readonly #pace: Deadline;
  readonly #life: Deadline;
  #mode: 'idle' | 'retransmit' | 'probe' | 'reorder' | 'persist' = 'idle';
  /** What the retransmission timeout counts from. */
  #restartedAt = 0;
  #windowProbes = 0;
  #answerLimitMs = USER_TIMEOUT_MS;
  #keepAliveMs = 0;
  #keepAliveProbes = 0;
  #heardAt = 0;
  /** How often the SYN or SYN-ACK was repeated. */
  synRetransmits = 0;

  constructor(connection: TimedConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
    this.#resend = new Deadline(clock, () => this.#onResend());
    this.#acknowledge = new Deadline(clock, () => connection.sendAck());
    this.#pace = new Deadline(clock, () => this.#onPace());
    this.#life = new Deadline(clock, () => this.#onLife());
  }

  /** The peer spoke and was believed. */
  heard(): void {
    this.#heardAt = this.#clock.monotonic();
    this.#keepAliveProbes = 0;
  }

  /** Looks at the send queue: in flight wants the retransmission timer, waiting behind a closed window the probe. */
  schedule(restart: boolean): void {
    const { send } = this.#connection;
    if (send.outstanding) {
      if (restart || this.#mode === 'idle' || this.#mode === 'persist') this.#restartedAt = this.#clock.monotonic();
      this.#scheduleFlight();
    } else if (send.unsent) {
      if (this.#mode === 'persist') return;
      this.#mode = 'persist';
      this.#windowProbes = 0;
      this.#resend.arm(send.rto.ms);
    } else {
      this.#mode = 'idle';
      this.#resend.stop();
    }
  }

  /** Something is in flight: the retransmission timeout, unless something gentler comes before it. */
  #scheduleFlight(): void {
    const { send } = this.#connection;
    const timeoutMs = Math.min(send.rto.ms + this.#restartedAt - this.#clock.monotonic(), this.#patienceMs);
    const { reorderMs, probeMs } = send;
    this.#mode = 'retransmit';
    let ms = timeoutMs;
    if (reorderMs > 0 && reorderMs < timeoutMs) {
      this.#mode = 'reorder';
      ms = reorderMs;
    } else if (probeMs > 0 && probeMs < timeoutMs) {
      this.#mode = 'probe';
      ms = probeMs;
    }
    this.#resend.arm(ms);
  }

  /** Lets the sending half go on after so long. */
  pace(ms: number): void {
    if (!this.#pace.armed) this.#pace.arm(ms);
  }

  #onPace(): void {
    this.#connection.send.output();
    this.#connection.user?.writable();
    this.#connection.flush();
  }

  acknowledgeLater(): void {
    if (!this.#acknowledge.armed) this.#acknowledge.arm(DELAYED_ACK_MS);
  }

  acknowledged(): void {
    this.#acknowledge.stop();
  }

  /** @param ms for the first acknowledgment of what is sent when nothing was in flight. */
  limitAnswer(ms: number): void {
    this.#answerLimitMs = ms;
    if (this.#mode !== 'idle' && this.#mode !== 'persist') this.schedule(true);
  }

  /** @param idleMs silence before the first probe; 0 switches keep-alive off. */
  keepAlive(idleMs: number): void {
    this.#keepAliveMs = idleMs;
    this.#keepAliveProbes = 0;
    // From TIME-WAIT on the timer has another purpose.
    if (this.#connection.state === 'time-wait' || this.#connection.state === 'closed') return;
    if (idleMs > 0) this.#life.arm(idleMs);
    else this.#life.stop();
  }

  orphanedInFinWait(): void {
    this.#life.arm(ORPHAN_FIN_WAIT_MS);
  }

  timeWait(): void {
    this.#resend.dispose();
    this.#acknowledge.dispose();
    this.#pace.dispose();
    this.#life.arm(TIME_WAIT_MS);
  }

  dispose(): void {
    this.#resend.dispose();
    this.#acknowledge.dispose();
    this.#pace.dispose();
    this.#life.dispose();
  }

  #onResend(): void {
    const connection = this.#connection;
    if (connection.state === 'syn-sent' || connection.state === 'syn-received') this.#resendSyn();
    else if (this.#mode === 'retransmit') this.#retransmit();
    else if (this.#mode === 'persist') this.#probeWindow();
    else if (this.#mode === 'probe') connection.send.onProbeTimeout();
    else if (this.#mode === 'reorder') connection.send.onReorderTimeout();
    connection.flush();
  }

  #resendSyn(): void {
    if (this.synRetransmits++ === MAX_SYN_RETRANSMITS) {
      this.#connection.release(new NetworkError('ETIMEDOUT', 'connect'));
      return;
    }
    this.#connection.send.rto.backOff();
    this.#connection.sendSyn();
    this.schedule(true);
  }

  #retransmit(): void {
    if (this.#patienceMs <= 0) this.#timeOut();
    else this.#connection.send.onTimeout();
  }

  /** How long what is in flight may still go unacknowledged. */
  get #patienceMs(): number {
    const { progressAt, unanswered } = this.#connection.send;
    return progressAt + (unanswered ? this.#answerLimitMs : USER_TIMEOUT_MS) - this.#clock.monotonic();
  }

  /**
   * RFC 9293 section 3.8.6.1. The probe is an empty segment one byte before the window instead of a byte of data: it
   * takes no sequence number, so the send queue stays as it is, and every receiver must answer it with its window.
   */
  #probeWindow(): void {
    const connection = this.#connection;
    const { send } = connection;
    send.output(true);
    if (send.outstanding) return;
    const deaf = this.#clock.monotonic() - this.#heardAt >= USER_TIMEOUT_MS;
    if (deaf || (connection.orphaned && this.#windowProbes === MAX_ORPHAN_PROBES)) {
      this.#timeOut();
      return;
    }
    this.#sendProbe();
    this.#windowProbes++;
    this.#resend.arm(Math.min(MAX_RTO_MS, send.rto.ms * 2 ** this.#windowProbes));
  }

  #sendProbe(): void {
    this.#connection.transmit(add(this.#connection.send.una, -1), 0, 0, false);
  }

  #onLife(): void {
    const connection = this.#connection;
    if (connection.state === 'time-wait' || connection.orphaned) connection.release(null);
    else if (this.#keepAliveMs > 0) this.#checkAlive();
    connection.flush();
  }

  #checkAlive(): void {
    const silence = this.#clock.monotonic() - this.#heardAt;
    if (silence < this.#keepAliveMs || !isSynchronized(this.#connection.state)) {
      this.#life.arm(Math.max(1_000, this.#keepAliveMs - silence));
    } else if (this.#keepAliveProbes++ === KEEPALIVE_PROBES) {
      this.#timeOut();
    } else {
      this.#sendProbe();
      this.#life.arm(KEEPALIVE_INTERVAL_MS);
    }
  }

  #timeOut(): void {
    this.#connection.abort(new NetworkError('ETIMEDOUT', 'read'));
  }
}
