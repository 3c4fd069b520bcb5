/**
 * Whether the other end is still there, and how far away it is (docs/protocol.md, "Records": PING, PONG; code idle).
 * PING is answered at once by the same eight bytes. The round trip feeds flow-control.ts; it is never trusted for
 * anything else.
 *
 * A session without streams asks after {@link LivenessHost.keepAliveMs} of silence. Where streams wait, silence is
 * asked about sooner, and no answer is told before it is an end: another path may be tried beside this one meanwhile.
 */
import { DecodeError, Reader, Writer } from './bytes.ts';
import type { Clock } from './clock.ts';
import { recordKind } from './record.ts';
import type { RecordLayer } from './record-layer.ts';
import { SessionError } from './session-error.ts';
import { answerMs, eagerMs, maxPendingPongs } from './session-limits.ts';

export type LivenessHost = {
  readonly clock: Clock;
  readonly layer: RecordLayer;
  /** Seals on the control stream; settles when the transport took it, and never rejects. */
  readonly send: (kind: number, content: Uint8Array) => Promise<void>;
  /** The peer is silent, or nobody has used the session for long. */
  readonly onIdle: () => void;
  /** Streams wait and a PING was not answered in time. The session goes on; it may be heard again. */
  readonly onSilent: () => void;
  /** After so much silence ask for a sign of life; undefined leaves that to the peer. */
  readonly keepAliveMs: number | undefined;
  /** End a session without streams after so long; undefined keeps it. */
  readonly idleAfterMs: number | undefined;
};

const rememberedSamples = 8;
const pingAndPong = 2;

export class Liveness {
  readonly #host: LivenessHost;
  readonly #samples: number[] = [];
  #asked: { readonly number: bigint; readonly at: number } | undefined;
  #nextNumber = 0n;
  #pendingPongs = 0;
  #cancelKeepAlive: () => void = () => {};
  #cancelIdle: (() => void) | undefined;
  #streams = 0;
  #watch: 'listening' | 'asking' | 'unanswered' = 'listening';
  /** Doubles while there is nothing to hear on the open streams but answers. */
  #eagerMs = eagerMs;
  /** Records there had been when the last answer came. */
  #recordsAtPong = 0;

  constructor(host: LivenessHost) {
    this.#host = host;
    this.#watchSilence();
    this.streamsOpen(0);
  }

  /** The least of the last few measurements: queues add to the others. Zero until there is one. */
  get roundTripMs(): number {
    return this.#samples.length === 0 ? 0 : Math.min(...this.#samples);
  }

  sample(roundTripMs: number): void {
    this.#samples.push(roundTripMs);
    if (this.#samples.length > rememberedSamples) this.#samples.shift();
  }

  /** Measures; one at a time. */
  ping(): void {
    if (this.#asked) return;
    const number = this.#nextNumber++;
    this.#asked = { number, at: this.#host.clock.monotonic() };
    void this.#host.send(recordKind.ping, new Writer().u64(number).done());
  }

  /** PING. @throws SessionError when the peer asks faster than it takes answers */
  takePing(content: Uint8Array): void {
    if (content.length !== 8) throw new DecodeError('PING');
    if (this.#pendingPongs >= maxPendingPongs) throw new SessionError('too_many', 'PING');
    this.#pendingPongs++;
    void this.#host.send(recordKind.pong, content).then(() => {
      this.#pendingPongs--;
    });
  }

  /** PONG */
  takePong(content: Uint8Array): void {
    const reader = new Reader(content);
    const number = reader.u64();
    reader.end();
    const asked = this.#asked;
    if (number !== asked?.number) throw new SessionError('decode', 'PONG nobody asked for');
    this.#asked = undefined;
    this.sample(this.#host.clock.monotonic() - asked.at);
    // An open stream on which nothing happens is not worth a question every two seconds.
    this.#eagerMs = this.#records === this.#recordsAtPong + pingAndPong ? this.#eagerMs * 2 : eagerMs;
    this.#recordsAtPong = this.#records;
  }

  get #records(): number {
    const { sealed, opened } = this.#host.layer.counts;
    return sealed + opened;
  }

  /** How much silence is asked about. */
  #quietMs(keepAliveMs: number): number {
    if (this.#streams === 0) return keepAliveMs;
    return Math.min(this.#records === this.#recordsAtPong ? this.#eagerMs : eagerMs, keepAliveMs);
  }

  #watchSilence(): void {
    const { clock, layer, keepAliveMs } = this.#host;
    if (keepAliveMs === undefined) return;
    this.#watch = 'listening';
    const rest = Math.max(1, layer.heardAt + this.#quietMs(keepAliveMs) - clock.monotonic()); // 1: fractions must not spin
    this.#cancelKeepAlive();
    this.#cancelKeepAlive = clock.after(rest, () => this.#onQuiet(keepAliveMs));
  }

  #onQuiet(keepAliveMs: number): void {
    const { clock, layer } = this.#host;
    const heardAt = layer.heardAt;
    if (clock.monotonic() - heardAt < this.#quietMs(keepAliveMs)) {
      this.#watchSilence();
      return;
    }
    this.ping();
    this.#watch = 'asking';
    // Counted from the question, not from the silence: a tab that was frozen asks before it despairs.
    this.#cancelKeepAlive = clock.after(Math.min(answerMs, keepAliveMs), () =>
      this.#onUnanswered(heardAt, Math.max(0, keepAliveMs - answerMs)),
    );
  }

  #onUnanswered(heardAt: number, restMs: number): void {
    const { clock, layer, onIdle, onSilent } = this.#host;
    if (layer.heardAt !== heardAt) {
      this.#watchSilence();
      return;
    }
    this.#watch = 'unanswered';
    if (this.#streams > 0) onSilent();
    this.#cancelKeepAlive = clock.after(restMs, () => {
      if (layer.heardAt === heardAt) onIdle();
      else this.#watchSilence();
    });
  }

  /** Tells how many streams are open now. */
  streamsOpen(count: number): void {
    const isMore = count > this.#streams;
    this.#streams = count;
    // What goes out into silence is asked about in its own time, not by what was planned before it.
    if (isMore && this.#watch === 'listening') this.#watchSilence();
    else if (isMore && this.#watch === 'unanswered') this.#host.onSilent();
    const { clock, idleAfterMs, onIdle } = this.#host;
    if (idleAfterMs === undefined) return;
    if (count > 0) {
      this.#cancelIdle?.();
      this.#cancelIdle = undefined;
    } else this.#cancelIdle ??= clock.after(idleAfterMs, onIdle);
  }

  stop(): void {
    this.#cancelKeepAlive();
    this.#cancelIdle?.();
  }
}
