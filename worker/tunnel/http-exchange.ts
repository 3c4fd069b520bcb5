/**
 * One HTTP exchange between the app's service worker and a tunnel stream: head, body under credit, response head,
 * body under credit. When the session is lost, what never reached the gateway is sent again, and what changes nothing
 * and was not answered too; of an answer that was cut the rest is asked for where resumption.ts allows it. Anything
 * else fails visibly (docs/decisions/0005).
 */
import { encodeRequestHead, type Header, type ResponseHead, ResponseHeadReader } from '../../protocol/exchange/http.ts';
import type { Stream } from '../../protocol/stream.ts';
import { TunnelFault } from '../api.ts';
import type { ExchangeMessage, FromTunnel, RequestMessage } from '../app-messages.ts';
import { declaredLength } from '../content-length.ts';
import { authorizationOf, nextAuthorization } from './basic-exchange.ts';
import { BodyQueue } from './body-queue.ts';
import { BodyRelay } from './body-relay.ts';
import { headersForRest, isRest, lengthOf, type Part, resumablePart } from './resumption.ts';
import type { Transfer } from './transfers.ts';
import { failureCode, type TunnelUse } from './tunnel-use.ts';

type NextAuthorization = () => Promise<string | undefined>;
type Say = (message: FromTunnel, transfer?: Transferable[]) => void;

const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** A session that was lost, not a service that said no. */
const lost: ReadonlySet<string> = new Set(['session_closed', 'truncated']);
/** In a row, without a byte of the answer between them. */
const maxAttempts = 6;
/** Of the page that a service shows to whoever gives no password. */
const maxRefusalBytes = 256 * 1024;

/** How far it got, which decides what may be done about a failure. */
type Progress = 'waiting' | 'sent' | 'answered';

export class HttpExchange {
  readonly #request: RequestMessage;
  readonly #use: TunnelUse;
  readonly #say: Say;
  readonly #body: BodyQueue;
  readonly #answerBody: BodyRelay;
  readonly #upload: Transfer | undefined;
  readonly #download: Transfer | undefined;
  #stream: Stream | undefined;
  /** As it was sent last. */
  #authorization: string | undefined;
  #progress: Progress = 'waiting';
  /** What the answer is a part of, when its rest may be asked for. */
  #part: Part | undefined;
  /** Bytes of the answer's body handed on. */
  #delivered = 0;
  #cancelled = false;
  /** What waits for the gateway's word when the page goes must not be done after it. */
  readonly #left = new AbortController();

  constructor(request: RequestMessage, use: TunnelUse, say: Say) {
    this.#request = request;
    this.#use = use;
    this.#say = say;
    this.#body = new BodyQueue((bytes) => say({ t: 'credit', id: request.id, bytes }));
    this.#answerBody = new BodyRelay((chunk) => say({ t: 'chunk', id: request.id, chunk }, [chunk.buffer]));
    this.#authorization = authorizationOf(request, use);
    this.#upload = request.hasBody ? use.transfers?.begin() : undefined;
    this.#download = use.transfers?.begin();
    this.#upload?.expect(declaredLength(request.headers));
  }

  take(message: ExchangeMessage): void {
    if (message.t === 'body') {
      if (!this.#body.push(message.chunk)) this.#cancel();
    } else if (message.t === 'body-end') {
      if (!this.#body.end(message.length)) this.#cancel();
    } else if (message.t === 'cancel') this.#cancel();
    else this.#answerBody.credit(message.bytes);
  }

  /** Never rejects: failures are told to the service worker. */
  async run(): Promise<void> {
    try {
      await this.#attempts();
    } finally {
      this.#upload?.end();
      this.#download?.end();
    }
  }

  async #attempts(): Promise<void> {
    for (let attempts = 1; ; attempts += 1) {
      const before = this.#delivered;
      try {
        return await this.#attempt();
      } catch (error) {
        if (this.#cancelled) return;
        const { code, correlation } = failureCode(error);
        if (this.#delivered > before) attempts = 1;
        if (attempts < maxAttempts && this.#mayRepeat(code)) continue;
        this.#answerBody.flush();
        return this.#say({ t: 'error', id: this.#request.id, code: this.#told(code), correlation });
      }
    }
  }

  /** An answer whose session was lost is cut, whether its stream heard of it first or its session. */
  #told(code: string): string {
    return this.#progress === 'answered' && lost.has(code) ? 'truncated' : code;
  }

  #mayRepeat(code: string): boolean {
    if (!lost.has(code)) return false;
    const { method, hasBody } = this.#request;
    switch (this.#progress) {
      case 'waiting':
        return true;
      case 'sent':
        return !hasBody && repeatable.has(method);
      case 'answered':
        return this.#part !== undefined;
      default:
        return this.#progress satisfies never;
    }
  }

  async #attempt(): Promise<void> {
    // All of it came, only its end did not.
    if (this.#part !== undefined && this.#delivered === lengthOf(this.#part)) return this.#end();
    // First of all: what no head can hold is found out before anybody is asked for a stream.
    const head = encodeRequestHead(this.#head());
    const stream = await this.#use.open('http', this.#request.call?.service, {
      whole: this.#goesAhead ? head : undefined,
      signal: this.#left.signal,
    });
    this.#stream = stream;
    try {
      if (this.#cancelled) throw new TypeError('cancelled');
      if (this.#progress === 'waiting') this.#progress = 'sent';
      // Reading begins at once: a refusal can come before the request is out.
      const upload = this.#goesAhead ? Promise.resolve() : this.#send(stream, head);
      upload.catch(() => undefined);
      const answer = await readHead(stream);
      const next = nextAuthorization(this.#request, answer.head, this.#authorization, this.#use);
      if (next !== undefined && this.#part === undefined) return await this.#authenticate(stream, answer, upload, next);
      await this.#receive(stream, answer);
      // A service may answer without wanting the rest of an upload.
      if (this.#body.isEnded || !this.#request.hasBody) await upload.catch(() => undefined);
    } finally {
      this.#body.stop();
      // Where both directions have ended this does nothing.
      stream.reset('cancelled');
    }
  }

  /** What may be sent twice need not wait for the gateway's word: its head, which is all of it, goes with the wish for a stream. */
  get #goesAhead(): boolean {
    return !this.#request.hasBody && repeatable.has(this.#request.method);
  }

  async #send(stream: Stream, head: Uint8Array): Promise<void> {
    await stream.write(head);
    if (this.#request.hasBody) {
      for (let chunk = await this.#body.next(); chunk !== null; chunk = await this.#body.next()) {
        await stream.write(chunk);
        this.#body.credit(chunk.byteLength);
        this.#upload?.moved(chunk.byteLength);
      }
    }
    await stream.finish();
    this.#upload?.end();
  }

  /** With a password, if there is one to try; everything is as it was before the request was sent. */
  async #authenticate(stream: Stream, { head, rest }: Answer, upload: Promise<void>, next: NextAuthorization) {
    refuseIfFailed(head.headers);
    const chunks = await readAll(maxRefusalBytes, rest, stream);
    // Nothing is held at the gateway while a person looks for a password.
    stream.reset('cancelled');
    await upload.catch(() => undefined);
    this.#authorization = this.#body.rewind() ? await next() : undefined;
    if (this.#cancelled) throw new TypeError('cancelled');
    if (this.#authorization !== undefined) return this.#attempt();
    this.#answer(head);
    for (const chunk of chunks) await this.#deliver(chunk);
    this.#end();
  }

  #head() {
    const { method, target, headers, cookies, dest, mode, site } = this.#request;
    const fetched: Header[] = [
      [':cookies', cookies],
      [':dest', dest],
      [':mode', mode],
      [':site', site],
    ];
    const asked = this.#part === undefined ? headers : headersForRest(headers, this.#part, this.#delivered);
    const authorization: Header[] = this.#authorization === undefined ? [] : [['authorization', this.#authorization]];
    return { method, target, headers: [...this.#words(fetched), ...asked, ...authorization] };
  }

  /** Another app is told neither whose jar nor which cookies are this one's. */
  #words(fetched: readonly Header[]): readonly Header[] {
    const { call, anonymous } = this.#request;
    if (anonymous && call === undefined) return [[':credentials', 'omit'], ...this.#use.hidden, ...fetched];
    if (call === undefined) return [...this.#use.hidden, ...fetched];
    return call.credentials ? [[':credentials', 'include']] : [];
  }

  async #receive(stream: Stream, { head, rest }: Answer): Promise<void> {
    if (this.#part === undefined) this.#answer(head);
    else this.#assertRest(head, this.#part);
    for (let chunk: Uint8Array | null = rest; chunk !== null; chunk = await stream.read()) await this.#deliver(chunk);
    if (this.#part !== undefined && this.#delivered !== lengthOf(this.#part)) this.#giveUp();
    this.#end();
  }

  #end(): void {
    this.#answerBody.flush();
    this.#say({ t: 'end', id: this.#request.id, length: this.#delivered });
  }

  #answer({ status, headers }: ResponseHead): void {
    const { id } = this.#request;
    // From here on nothing is asked for twice.
    this.#progress = 'answered';
    refuseIfFailed(headers);
    this.#part = resumablePart(this.#request, { status, headers });
    this.#download?.expect(declaredLength(headers));
    const setCookies = headers.filter(([name]) => name === ':set-cookie').map(([, value]) => value);
    const reason = headers.find(([name]) => name === ':reason')?.[1] ?? '';
    const shown = headers.filter(([name]) => !name.startsWith(':'));
    this.#say({ t: 'head', id, status, reason, headers: shown, setCookies });
  }

  /** Anything but the rest of what was begun leaves it cut, for good. */
  #assertRest(head: ResponseHead, part: Part): void {
    if (isRest(head, part, this.#delivered)) return;
    refuseIfFailed(head.headers);
    this.#giveUp();
  }

  #giveUp(): never {
    this.#part = undefined;
    throw new TunnelFault('truncated', 'The rest of the answer cannot be had.');
  }

  async #deliver(bytes: Uint8Array): Promise<void> {
    const { byteLength } = bytes; // they are gone when they are delivered
    if (byteLength === 0) return;
    if (!(await this.#answerBody.deliver(bytes))) throw new TypeError('cancelled');
    this.#delivered += byteLength;
    this.#download?.moved(byteLength);
  }

  #cancel(): void {
    this.#cancelled = true;
    this.#left.abort();
    this.#stream?.reset('cancelled');
    this.#body.stop();
    this.#answerBody.stop();
  }
}

/** A head, and what came of the body with it. */
interface Answer {
  readonly head: ResponseHead;
  readonly rest: Uint8Array;
}

/** @throws TunnelFault `too_large` */
async function readAll(limit: number, rest: Uint8Array, stream: Stream): Promise<Uint8Array[]> {
  const chunks = [rest];
  let bytes = rest.byteLength;
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    bytes += chunk.byteLength;
    if (bytes > limit) throw new TunnelFault('too_large', 'The refusal has no end.');
    chunks.push(chunk);
  }
  return chunks;
}

async function readHead(stream: Stream): Promise<Answer> {
  const reader = new ResponseHeadReader();
  for (;;) {
    const chunk = await stream.read();
    if (chunk === null) throw new TunnelFault('truncated', 'The answer ended before it began.');
    const rest = reader.push(chunk);
    if (rest !== undefined) return { head: reader.head, rest };
  }
}

/** A gateway that could not bring an answer says why in a head of its own, before it resets the stream. */
function refuseIfFailed(headers: readonly Header[]): void {
  const said = (wanted: string) => headers.find(([name]) => name === wanted)?.[1];
  const code = said(':error');
  if (code !== undefined) throw new TunnelFault(code, 'The gateway could not bring the page.', said(':correlation'));
}
