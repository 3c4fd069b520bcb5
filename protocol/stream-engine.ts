/**
 * The states of one stream and the records each allows (docs/protocol.md, "Records" and "States"). Both ends run the
 * same engine; they differ in who sends OPEN. What callers see of it is in stream.ts.
 *
 *     opener     OPEN, then waits for OPEN_OK or OPEN_ERR        then both: DATA* FIN; WINDOW and RST at any time
 *     responder  waits for OPEN, then OPEN_OK or OPEN_ERR
 *
 * An opener that knows all it will say sends that behind OPEN, DATA* FIN within its first credit, and saves a round trip.
 * Nobody reads it before the stream is accepted, and it is dropped when it is refused. Datagrams do not go ahead.
 *
 * FIN ends the data of one direction; WINDOW for the other may still follow it, so the channel is finished only when
 * both directions are over. Any other order is fatal for the session.
 */
import { DecodeError } from './bytes.ts';
import type { StreamCode, StreamKind } from './codes.ts';
import { SendCredit, type WindowBudget } from './flow-control.ts';
import { recordKind } from './record.ts';
import type { RecordLink } from './record-link.ts';
import type { DatagramFlow, SessionDatagrams } from './session-datagrams.ts';
import { SessionError } from './session-error.ts';
import { StreamError } from './stream-error.ts';
import { StreamInbox } from './stream-inbox.ts';
import * as messages from './stream-messages.ts';

/** What a stream needs of its session. */
export type StreamHost = {
  readonly link: RecordLink;
  readonly budget: WindowBudget;
  /** Content bytes of the largest DATA the other end takes. */
  readonly maxContent: number;
  readonly now: () => number;
  readonly roundTripMs: () => number;
  /** For UDP flows, on a transport that has them. */
  readonly datagrams: SessionDatagrams | undefined;
  /** Our work on the channel is done; it may still have to be drained. */
  readonly onSettled: () => void;
};

const nothing = new Uint8Array(0);

export class StreamEngine {
  readonly isOpener: boolean;
  /** Resolves when the wire has nothing more to say, well or not. */
  readonly closed: Promise<void>;
  /** For the responder: OPEN came. */
  onOpen: ((request: messages.OpenRequest) => void) | undefined;
  readonly #host: StreamHost;
  readonly #credit = new SendCredit();
  #received = 0;
  #sent = 0;
  #inbox: StreamInbox;
  #kind: StreamKind | undefined;
  #flow: DatagramFlow | undefined;
  #answer: PromiseWithResolvers<void> | undefined;
  #markClosed!: () => void;
  #failure: StreamError | undefined;
  #isAccepted = false;
  #isSettled = false;
  #weFinished = false;
  #peerFinished = false;
  #peerLeft = false;

  constructor(host: StreamHost, isOpener: boolean) {
    this.#host = host;
    this.isOpener = isOpener;
    this.#inbox = this.#newInbox(false);
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
  }

  get id(): bigint {
    return this.#host.link.streamId;
  }

  get buffered(): number {
    return this.#inbox.buffered;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  // ── opening ──

  /**
   * Sends OPEN; resolves at OPEN_OK, rejects with the refusal.
   * @param whole all that this end will ever say, sent without waiting; at most the first credit, and never datagrams
   */
  open(request: messages.OpenRequest, whole?: Uint8Array): Promise<void> {
    const content = messages.encodeOpen(request);
    this.#begin(request.kind);
    this.#answer = Promise.withResolvers();
    this.#send(recordKind.open, content);
    if (whole) this.#sendAhead(whole);
    return this.#answer.promise;
  }

  #sendAhead(whole: Uint8Array): void {
    const { maxContent } = this.#host;
    this.#credit.spend(whole.length);
    for (let at = 0; at < whole.length; at += maxContent)
      this.#send(recordKind.data, whole.subarray(at, at + maxContent));
    this.#sent += whole.length;
    this.#weFinished = true;
    this.#send(recordKind.fin, nothing);
  }

  accept(): void {
    if (this.#failure) throw this.#failure;
    if (this.isOpener || this.#isAccepted) throw new TypeError('a stream is accepted once');
    this.#isAccepted = true;
    this.#send(recordKind.openOk, nothing);
  }

  refuse(refusal: messages.Refusal): void {
    if (this.#isSettled) return;
    if (this.isOpener || this.#isAccepted) throw new TypeError('only a stream that waits can be refused');
    this.#send(recordKind.openErr, messages.encodeRefusal(refusal));
    this.#fail(refusalError(refusal));
  }

  #begin(kind: StreamKind): void {
    this.#kind = kind;
    if (kind !== 'udp') return;
    this.#inbox = this.#newInbox(true);
    this.#flow = this.#host.datagrams?.open(
      this.id,
      (content) => this.#isAccepted && this.#inbox.takeDatagram(content),
    );
  }

  #newInbox(keepBoundaries: boolean): StreamInbox {
    const { budget, now, roundTripMs } = this.#host;
    const grant = (bytes: number) => this.#grant(bytes);
    return new StreamInbox({ budget, now, roundTripMs, grant }, keepBoundaries);
  }

  /**
   * A peer that has sent all it has may stop listening while some of it is still on its way. What became of the rest is
   * said by the direction that it comes from, so a window that reached nobody is no loss.
   */
  #grant(bytes: number): void {
    this.#host.link.send(recordKind.window, messages.encodeWindow(bytes)).catch(() => undefined);
  }

  // ── data ──

  /** The next chunk, the caller's to keep; null after an authentic FIN. */
  async read(): Promise<Uint8Array | null> {
    const chunk = await this.#inbox.read();
    this.#received += chunk?.length ?? 0;
    return chunk;
  }

  /** Bytes of data that were read here and that were sealed for the peer, since the stream began. */
  get offsets(): { readonly received: number; readonly sent: number } {
    return { received: this.#received, sent: this.#sent };
  }

  /** Callers take turns (stream.ts): credit serves one writer. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#assertWritable();
    if (this.#kind === 'udp') return this.#writeDatagram(bytes);
    for (let at = 0; at < bytes.length; ) {
      const taken = await this.#credit.take(1, Math.min(bytes.length - at, this.#host.maxContent));
      await this.#sendData(bytes.subarray(at, at + taken));
      at += taken;
    }
  }

  async #writeDatagram(bytes: Uint8Array): Promise<void> {
    if (bytes.length > this.#host.maxContent) throw new TypeError('a datagram must fit in one record');
    if (this.#flow?.fits(bytes.length)) {
      this.#flow.send(bytes);
      this.#sent += bytes.length;
      return;
    }
    await this.#credit.take(bytes.length, bytes.length);
    await this.#sendData(bytes);
  }

  #sendData(bytes: Uint8Array): Promise<void> {
    this.#assertWritable(); // things happened while the credit was awaited
    const sending = this.#host.link.send(recordKind.data, bytes);
    this.#sent += bytes.length;
    return this.#delivered(sending);
  }

  async finish(): Promise<void> {
    this.#assertWritable();
    this.#weFinished = true;
    const sent = this.#host.link.send(recordKind.fin, nothing);
    this.#settleIfOver();
    await this.#delivered(sent);
  }

  #assertWritable(): void {
    if (this.#failure) throw this.#failure;
    if (!this.#isAccepted || this.#weFinished) throw new TypeError('the stream takes no data now');
  }

  /** A channel that fails was cut; the caller hears it in the stream's own words. */
  async #delivered(sending: Promise<void>): Promise<void> {
    try {
      await sending;
    } catch {
      this.cut();
    }
    if (this.#failure) throw this.#failure;
  }

  /** For records whose delivery nobody waits for. */
  #send(kind: number, content: Uint8Array): void {
    this.#host.link.send(kind, content).catch(() => this.cut());
  }

  // ── what arrives ──

  /** One authentic record. @throws SessionError, DecodeError: fatal for the session */
  take(kind: number, content: Uint8Array): void {
    expect(!this.#peerLeft, 'record after the end of a stream');
    switch (kind) {
      case recordKind.open:
        this.#takeOpen(content);
        break;
      case recordKind.openOk:
        this.#takeAnswer(content);
        break;
      case recordKind.openErr:
        this.#takeRefusal(content);
        break;
      case recordKind.rst:
        this.#takeReset(content);
        break;
      case recordKind.data:
        this.#takeData(content);
        break;
      case recordKind.fin:
        this.#takeFin(content);
        break;
      case recordKind.window:
        this.#takeWindow(content);
        break;
      default:
        throw new SessionError('decode', 'not a record of a stream');
    }
  }

  #takeOpen(content: Uint8Array): void {
    expect(!this.isOpener && this.#kind === undefined, 'OPEN out of turn');
    const request = messages.decodeOpen(content);
    this.#begin(request.kind);
    this.onOpen?.(request);
  }

  #takeAnswer(content: Uint8Array): void {
    expect(this.isOpener && !this.#isAccepted, 'OPEN_OK out of turn');
    if (content.length !== 0) throw new DecodeError('OPEN_OK');
    this.#isAccepted = true;
    this.#answer?.resolve();
  }

  #takeRefusal(content: Uint8Array): void {
    expect(this.isOpener && !this.#isAccepted, 'OPEN_ERR out of turn');
    const refusal = messages.decodeRefusal(content);
    this.#peerLeft = true;
    this.#fail(refusalError(refusal));
  }

  #takeReset(content: Uint8Array): void {
    expect(this.#kind !== undefined, 'RST before OPEN');
    const code = messages.decodeReset(content);
    this.#peerLeft = true;
    this.#fail(new StreamError(code));
  }

  /** What the opener sent ahead is taken before the answer to OPEN, and behind a refusal that it has not heard of. */
  get #mayHear(): boolean {
    const isOpen = this.#kind !== undefined && this.#kind !== 'udp';
    return this.#isAccepted || (!this.isOpener && isOpen);
  }

  #takeData(content: Uint8Array): void {
    expect(this.#mayHear && !this.#peerFinished, 'DATA out of turn');
    // Nothing at all is a datagram, but on a stream it would be work without credit.
    expect(content.length > 0 || this.#kind === 'udp', 'empty DATA');
    this.#inbox.take(content);
  }

  #takeFin(content: Uint8Array): void {
    expect(this.#mayHear && !this.#peerFinished, 'FIN out of turn');
    if (content.length !== 0) throw new DecodeError('FIN');
    this.#peerFinished = true;
    this.#inbox.end();
    this.#settleIfOver();
  }

  #takeWindow(content: Uint8Array): void {
    expect(this.#isAccepted, 'WINDOW out of turn');
    this.#credit.grant(messages.decodeWindow(content));
  }

  // ── endings ──

  /** The channel ended or broke. Without FIN or RST before it the stream was cut; that is never an end of file. */
  cut(): void {
    this.reset('truncated');
  }

  /** Ends both directions at once. */
  reset(code: StreamCode): void {
    if (this.#isSettled) return;
    // A responder that has not accepted answers with OPEN_ERR, and one that saw no OPEN has nothing to answer.
    if (this.#isAccepted || this.isOpener) this.#send(recordKind.rst, messages.encodeReset(code));
    this.#fail(new StreamError(code));
  }

  /** The session is over: nothing can be sent any more. */
  abandon(): void {
    this.#fail(new StreamError('session_closed'));
  }

  #fail(failure: StreamError): void {
    if (this.#isSettled) return;
    this.#failure = failure;
    this.#inbox.fail(failure);
    this.#answer?.reject(failure);
    this.#settle();
  }

  #settleIfOver(): void {
    if (this.#weFinished && this.#peerFinished && !this.#isSettled) this.#settle();
  }

  #settle(): void {
    this.#isSettled = true;
    this.#flow?.close();
    this.#credit.stop();
    this.#host.onSettled();
    this.#markClosed();
  }
}

function expect(condition: boolean, what: string): void {
  if (!condition) throw new SessionError('decode', what);
}

function refusalError(refusal: messages.Refusal): StreamError {
  return new StreamError(refusal.code, messages.correlationText(refusal.correlation));
}
