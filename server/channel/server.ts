/**
 * The control plane's end of the control channel: listens on the Unix socket, reads one hello in time, lets its owner
 * judge it, then hands over messages one after the other. It knows framing and limits, not who may join.
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../protocol/clock.ts';
import { ChannelError } from './error.ts';
import { encodeMessage, MessageReader } from './framing.ts';
import { helloTimeoutMs, maxBacklogBytes, maxConnections, pingEveryMs, silenceMs } from './limits.ts';
import {
  type ConnectorWelcome,
  type FromPeer,
  fromPeerSchema,
  type GatewayWelcome,
  type Hello,
  helloSchema,
  type RefusalCode,
  type ToConnector,
  type ToGateway,
} from './messages.ts';

/** Who is at the other end of a connection before it has said anything. */
export type Caller =
  /** Somebody on this machine who may open the socket. */
  | { readonly kind: 'local' }
  /** Over TLS. @see tls-door.ts */
  | {
      readonly kind: 'remote';
      /** Of a certificate of ours that verified; undefined for none. */
      readonly spiffeId: string | undefined;
      /** The address of ours that it reached. */
      readonly reachedAt: string;
      /** Of this connection. @see machine-evidence.ts */
      readonly exporter: () => Uint8Array;
    };

/** A connection whose hello was accepted. */
export interface PeerConnection {
  readonly id: string;
  readonly role: Hello['role'];
  /** Drops the connection when the peer does not read: a queue without end would be worse. */
  send(message: ToGateway | ToConnector): void;
  close(): void;
}

export interface ChannelServerOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Judges a hello; the token is spent inside. */
  readonly onHello: (
    hello: Hello,
    caller: Caller,
  ) => Promise<GatewayWelcome | ConnectorWelcome | { refused: RefusalCode }>;
  /** Called once the welcome is on its way; what is sent here follows it. */
  readonly onJoin: (peer: PeerConnection, hello: Hello, caller: Caller) => void;
  /** The next message of this peer waits until it resolves; a rejection ends the connection. */
  readonly onMessage: (peer: PeerConnection, message: FromPeer) => Promise<void>;
  readonly onLeave: (peer: PeerConnection) => void;
  /** A connection that ended by a fault of the peer; for the log. */
  readonly onFault?: (error: unknown) => void;
}

export class ChannelServer {
  readonly #options: ChannelServerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: ChannelServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.accept(socket, { kind: 'local' }));
    this.#server.maxConnections = maxConnections;
  }

  /** Binds the socket with mode 0600; a stale file of an earlier process is replaced. */
  async listen(): Promise<void> {
    rmSync(this.#options.path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.path, resolve);
    });
    chmodSync(this.#options.path, 0o600);
  }

  /** Resolves when every peer has left, `onLeave` included. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const left = [...this.#sockets].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    );
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([closed, ...left]);
  }

  /** Serves a connection; those of the socket in the data folder come by themselves. */
  accept(socket: Socket, caller: Caller): void {
    if (this.#sockets.size >= maxConnections) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    const connection = new Connection(socket, caller, this.#options);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      connection.ended();
    });
  }
}

/** One accepted socket, before and after its hello. Messages are handled strictly one after the other. */
class Connection {
  readonly #socket: Socket;
  readonly #caller: Caller;
  readonly #options: ChannelServerOptions;
  readonly #reader = new MessageReader();
  readonly #cancelHello: () => void;
  #peer: PeerConnection | undefined;
  #heardAt: number;
  #cancelWatch = () => {};
  #busy = false;

  constructor(socket: Socket, caller: Caller, options: ChannelServerOptions) {
    this.#socket = socket;
    this.#caller = caller;
    this.#options = options;
    this.#heardAt = options.clock.monotonic();
    this.#cancelHello = options.clock.after(helloTimeoutMs, () => socket.destroy());
    socket.on('data', (bytes) => {
      this.#heardAt = options.clock.monotonic();
      // No encoding is set, so this is never text.
      this.#reader.push(bytes as Buffer);
      void this.#drain();
    });
    socket.on('error', () => {});
  }

  ended(): void {
    this.#cancelHello();
    this.#cancelWatch();
    if (this.#peer !== undefined) this.#options.onLeave(this.#peer);
    this.#peer = undefined;
  }

  /** Handles what has arrived; reading pauses meanwhile, so that a fast peer cannot fill our memory. */
  async #drain(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#socket.pause();
    try {
      for (let raw = this.#reader.next(); raw !== undefined; raw = this.#reader.next()) {
        if (this.#peer === undefined) await this.#hello(raw);
        else await this.#message(this.#peer, raw);
        if (this.#socket.destroyed) return;
      }
    } catch (error) {
      this.#options.onFault?.(error);
      this.#socket.destroy();
    } finally {
      this.#busy = false;
      this.#socket.resume();
    }
  }

  async #hello(raw: unknown): Promise<void> {
    this.#cancelHello();
    const parsed = helloSchema.safeParse(raw);
    if (!parsed.success) {
      this.#refuse('malformed');
      return;
    }
    const answer = await this.#options.onHello(parsed.data, this.#caller);
    if ('refused' in answer) {
      this.#refuse(answer.refused);
      return;
    }
    if (this.#socket.destroyed) return;
    const peer: PeerConnection = {
      id: answer.id,
      role: parsed.data.role,
      send: (message) => this.#send(message),
      close: () => this.#socket.destroy(),
    };
    this.#peer = peer;
    this.#send(answer);
    this.#watch();
    this.#options.onJoin(peer, parsed.data, this.#caller);
  }

  async #message(peer: PeerConnection, raw: unknown): Promise<void> {
    const parsed = fromPeerSchema.safeParse(raw);
    if (!parsed.success) throw new ChannelError('malformed', { cause: parsed.error });
    if (parsed.data.t === 'ping') this.#send({ t: 'pong', n: parsed.data.n });
    else await this.#options.onMessage(peer, parsed.data);
  }

  #refuse(code: RefusalCode): void {
    this.#socket.end(encodeMessage({ t: 'refused', code }));
  }

  #send(message: ToGateway | ToConnector): void {
    if (this.#socket.destroyed) return;
    if (this.#socket.writableLength > maxBacklogBytes) {
      this.#options.onFault?.(new ChannelError('too_large'));
      this.#socket.destroy();
      return;
    }
    this.#socket.write(encodeMessage(message));
  }

  #watch(): void {
    this.#cancelWatch = this.#options.clock.after(pingEveryMs, () => {
      if (this.#options.clock.monotonic() - this.#heardAt > silenceMs) this.#socket.destroy();
      else this.#watch();
    });
  }
}
