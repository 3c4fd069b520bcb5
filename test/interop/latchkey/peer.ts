/**
 * One end of a tunnel by the second implementation, either role, over a message transport (`stream id u64 | frame`,
 * docs/protocol.md "Records: Streams"). It is synchronous: a message goes in, messages go out by `send`, and what
 * happened is told to `on`. It follows credit and rekeys, answers PING, and closes on the first violation.
 */
import { Cursor, cat, must, none, same, text, uint, Violation, vec } from './bytes.ts';
import type { Opened } from './handshake.ts';
import { type Epoch, exporter, nextEpoch, reauthHash, rekeyProof } from './keys.ts';
import { kind, Records, type Role } from './records.ts';
import { answer, type Draw, type Offer, offer, type SigningKey, verify } from './suite.ts';

/** What happened, in order. */
export type Happening =
  | { readonly what: 'ready'; readonly opened: Opened }
  | { readonly what: 'open'; readonly id: bigint; readonly kind: number; readonly service: string }
  | { readonly what: 'accepted'; readonly id: bigint }
  | { readonly what: 'refused'; readonly id: bigint; readonly code: number }
  | { readonly what: 'fin'; readonly id: bigint }
  | { readonly what: 'reset'; readonly id: bigint; readonly code: number }
  | { readonly what: 'end'; readonly id: bigint }
  | { readonly what: 'data'; readonly id: bigint; readonly bytes: Uint8Array }
  | { readonly what: 'epoch'; readonly n: number }
  | { readonly what: 'reauth'; readonly svid: Uint8Array }
  | { readonly what: 'reauthenticated' }
  | { readonly what: 'notice'; readonly bytes: Uint8Array }
  | { readonly what: 'close'; readonly code: number }
  | { readonly what: 'violation'; readonly reason: string };

export type PeerSetup = {
  readonly role: Role;
  readonly draw: Draw;
  /** For REAUTH: the session key of a client, the identity of a gateway. */
  readonly key: SigningKey;
  /** For REAUTH_ACK, of a client. */
  readonly gatewayKey: Uint8Array;
  readonly handshake: Generator<Uint8Array | undefined, Opened, Uint8Array>;
  readonly send: (message: Uint8Array) => void;
  readonly on: (happening: Happening) => void;
};

type Stream = { credit: number; received: number; readonly queue: Uint8Array[] };
type Handlers = { readonly [type: number]: (content: Uint8Array, n: number) => void };

const window = 256 * 1024;
const mostContent = 16_383;

export class Peer {
  readonly #setup: PeerSetup;
  readonly #streams = new Map<bigint, Stream>();
  #records: Records | undefined;
  #opened: Opened | undefined;
  #nextId: bigint;
  #asked: { readonly own: Offer; readonly init: Uint8Array } | undefined;
  #awaited: Epoch | undefined;
  #reauth: Uint8Array | undefined;
  #isOver = false;

  constructor(setup: PeerSetup) {
    this.#setup = setup;
    this.#nextId = setup.role === 'client' ? 2n : 1n;
  }

  /** A client's INIT; a gateway only gets ready. */
  start(): void {
    const step = this.#setup.handshake.next(none);
    if (!step.done && step.value) this.#message(0n, step.value);
  }

  /** A message came. */
  take(message: Uint8Array): void {
    try {
      const from = new Cursor(message);
      this.#frame(from.big(8), from.rest());
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#isOver = true;
      this.#setup.on({ what: 'violation', reason: error.message });
    }
  }

  // ── what a user may do once it is ready ──

  open(service: string, streamKind = 3): bigint {
    const id = this.#nextId;
    this.#nextId += 2n;
    this.#streams.set(id, { credit: window, received: 0, queue: [] });
    const { params } = this.#ready();
    this.#seal(id, kind.open, cat(uint(streamKind, 1), params.slice(16, 24), uint(0, 2), vec(1, text(service))));
    return id;
  }

  write(id: bigint, bytes: Uint8Array): void {
    const stream = this.#stream(id);
    for (let at = 0; at < bytes.length; at += mostContent) stream.queue.push(bytes.slice(at, at + mostContent));
    this.#flush(id, stream);
  }

  fin(id: bigint): void {
    must(this.#stream(id).queue.length === 0, 'FIN before the data');
    this.#seal(id, kind.fin, none);
  }

  reset(id: bigint, code: number): void {
    this.#seal(id, kind.rst, uint(code, 1));
  }

  refuse(id: bigint, code: number): void {
    this.#seal(id, kind.openErr, cat(uint(code, 1), new Uint8Array(16)));
  }

  accept(id: bigint): void {
    this.#seal(id, kind.openOk, none);
  }

  /** Credit that nobody has yet. */
  isDrained(id: bigint): boolean {
    return this.#stream(id).queue.length === 0;
  }

  rekey(): void {
    if (this.#setup.role === 'gateway') this.#seal(0n, kind.rkReq, none);
    else if (!this.#asked) this.#startRekey();
  }

  #startRekey(): void {
    const own = offer(this.#setup.draw);
    const init = cat(uint(this.#keys().sending.n + 1, 4), own.share);
    this.#asked = { own, init };
    this.#seal(0n, kind.rkInit, init);
  }

  reauth(svid: Uint8Array): void {
    this.#reauth = reauthHash(this.#keys().sending.T, svid);
    const signature = this.#setup.key.sign(this.#reauth, 'Latchkey/1 reauth c');
    this.#seal(0n, kind.reauth, cat(vec(2, svid), signature));
  }

  notice(bytes: Uint8Array): void {
    this.#seal(0n, kind.notice, bytes);
  }

  close(code: number): void {
    this.#seal(0n, kind.close, uint(code, 1));
    this.#isOver = true;
  }

  exporter(label: string, context: Uint8Array): Uint8Array {
    return exporter(this.#keys().sending, label, context);
  }

  get epoch(): number {
    return this.#keys().sending.n;
  }

  // ── in ──

  #frame(id: bigint, bytes: Uint8Array): void {
    // The ends of directions alone still come behind CLOSE.
    if (bytes.length === 0) this.#setup.on({ what: 'end', id });
    else if (this.#isOver) return;
    else if (this.#records) this.#record(this.#records, id, bytes);
    else this.#handshake(id, bytes);
  }

  #record(records: Records, id: bigint, bytes: Uint8Array): void {
    const { type, content, n } = records.open(id, bytes);
    if (id === 0n) this.#control(type, content, n);
    else this.#onStream(id, type, content);
  }

  #handshake(id: bigint, bytes: Uint8Array): void {
    must(id === 0n, 'a stream before the session');
    const step = this.#setup.handshake.next(bytes);
    if (step.done) this.#begin(step.value);
    else if (step.value) this.#message(0n, step.value);
  }

  #begin(opened: Opened): void {
    if (opened.last) this.#message(0n, opened.last);
    this.#opened = opened;
    this.#records = new Records(this.#setup.role, opened.epoch);
    this.#setup.on({ what: 'ready', opened });
  }

  #control(type: number, content: Uint8Array, n: number): void {
    const handle = this.#forBoth[type] ?? this.#forRole[this.#setup.role][type];
    must(handle !== undefined, `control record ${type} out of turn`);
    handle(content, n);
  }

  readonly #forBoth: Handlers = {
    [kind.ping]: (content) => this.#seal(0n, kind.pong, content),
    [kind.pong]: () => {},
    [kind.close]: (content) => {
      this.#isOver = true;
      this.#setup.on({ what: 'close', code: content[0]! });
    },
  };

  readonly #forRole: Record<Role, Handlers> = {
    client: {
      [kind.rkResp]: (content) => this.#onRekeyAnswer(content),
      [kind.rkReq]: () => this.rekey(),
      [kind.reauthAck]: (content) => this.#onReauthAnswer(content),
      [kind.notice]: (bytes) => this.#setup.on({ what: 'notice', bytes }),
    },
    gateway: {
      [kind.rkInit]: (content) => this.#onRekey(content),
      [kind.rkDone]: (content, n) => this.#onRekeyDone(content, n),
      [kind.reauth]: (content, n) => this.#onReauth(content, n),
    },
  };

  #onStream(id: bigint, type: number, content: Uint8Array): void {
    const { on } = this.#setup;
    if (type === kind.open) this.#onOpen(id, content);
    else if (type === kind.data) this.#onData(id, this.#stream(id), content);
    else if (type === kind.window) this.#onWindow(id, this.#stream(id), content);
    else if (type === kind.openOk) on({ what: 'accepted', id });
    else if (type === kind.openErr) on({ what: 'refused', id, code: content[0]! });
    else if (type === kind.fin) on({ what: 'fin', id });
    else if (type === kind.rst) on({ what: 'reset', id, code: content[0]! });
    else must(false, `stream record ${type} out of turn`);
  }

  #onOpen(id: bigint, content: Uint8Array): void {
    must(!this.#streams.has(id), 'a stream id used twice');
    this.#streams.set(id, { credit: window, received: 0, queue: [] });
    const from = new Cursor(content);
    const streamKind = from.uint(1);
    from.take(10); // policy epoch and flags
    const service = new TextDecoder().decode(from.vec(1));
    from.end();
    this.#setup.on({ what: 'open', id, kind: streamKind, service });
  }

  #onWindow(id: bigint, stream: Stream, content: Uint8Array): void {
    const from = new Cursor(content);
    stream.credit += from.uint(4);
    from.end();
    this.#flush(id, stream);
  }

  #onData(id: bigint, stream: Stream, bytes: Uint8Array): void {
    stream.received += bytes.length;
    must(stream.received <= window, 'more than the credit');
    this.#setup.on({ what: 'data', id, bytes });
    if (stream.received < window / 2) return;
    this.#seal(id, kind.window, uint(stream.received, 4));
    stream.received = 0;
  }

  // ── rekey and REAUTH ──

  #onRekey(init: Uint8Array): void {
    must(!this.#awaited, 'RK_INIT before RK_DONE');
    const { sending } = this.#keys();
    const n = uint(sending.n + 1, 4);
    must(same(init.slice(0, 4), n), 'a rekey to another epoch');
    const own = answer(init.slice(4), this.#setup.draw);
    const resp = cat(n, own.share);
    this.#seal(0n, kind.rkResp, resp);
    this.#awaited = nextEpoch(sending, init, resp, own.secret);
    this.#keys().install(this.#awaited);
  }

  #onRekeyAnswer(resp: Uint8Array): void {
    const { sending } = this.#keys();
    must(this.#asked !== undefined && same(resp.slice(0, 4), uint(sending.n + 1, 4)), 'RK_RESP nobody asked for');
    const next = nextEpoch(sending, this.#asked.init, resp, this.#asked.own.finish(resp.slice(4)));
    this.#asked = undefined;
    this.#keys().install(next);
    this.#keys().sending = next;
    this.#seal(0n, kind.rkDone, cat(uint(next.n, 4), rekeyProof(next)));
    this.#setup.on({ what: 'epoch', n: next.n });
  }

  #onRekeyDone(content: Uint8Array, n: number): void {
    const next = this.#awaited;
    must(next !== undefined && n === next.n, 'RK_DONE out of turn');
    must(same(content, cat(uint(n, 4), rekeyProof(next))), 'an RK_DONE of other keys');
    this.#awaited = undefined;
    this.#keys().sending = next;
    this.#setup.on({ what: 'epoch', n });
  }

  #onReauth(content: Uint8Array, n: number): void {
    const from = new Cursor(content);
    const [svid, signature] = [from.vec(2), from.take(3373)];
    from.end();
    const hash = reauthHash(this.#keys().epochOf(n).T, svid);
    must(verify(this.#ready().sessionKey, hash, 'Latchkey/1 reauth c', signature), 'a REAUTH signature');
    this.#setup.on({ what: 'reauth', svid });
    this.#seal(0n, kind.reauthAck, this.#setup.key.sign(hash, 'Latchkey/1 reauth g'));
  }

  #onReauthAnswer(signature: Uint8Array): void {
    const { gatewayKey, on } = this.#setup;
    must(this.#reauth !== undefined, 'REAUTH_ACK nobody asked for');
    must(verify(gatewayKey, this.#reauth, 'Latchkey/1 reauth g', signature), 'a REAUTH_ACK signature');
    on({ what: 'reauthenticated' });
  }

  // ── out ──

  #flush(id: bigint, stream: Stream): void {
    for (let next = stream.queue[0]; next && next.length <= stream.credit; next = stream.queue[0]) {
      stream.queue.shift();
      stream.credit -= next.length;
      this.#seal(id, kind.data, next);
    }
  }

  #seal(id: bigint, type: number, content: Uint8Array): void {
    this.#message(id, this.#keys().seal(id, type, content));
  }

  #message(id: bigint, frame: Uint8Array): void {
    this.#setup.send(cat(uint(id, 8), frame));
  }

  #keys(): Records {
    must(this.#records !== undefined, 'no session yet');
    return this.#records;
  }

  #ready(): Opened {
    must(this.#opened !== undefined, 'no session yet');
    return this.#opened;
  }

  #stream(id: bigint): Stream {
    const stream = this.#streams.get(id);
    must(stream !== undefined, 'a stream nobody opened');
    return stream;
  }
}
