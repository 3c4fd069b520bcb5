/**
 * A peer's end of the control channel: connects, says hello, keeps the credential each welcome brings, and connects
 * again by itself with growing pauses. It carries messages; what they mean is its owner's business.
 *
 * @example
 * const channel = new ChannelClient({ dial: () => connect(path), token, clock, hello: () => helloWithoutToken, incoming: toGatewaySchema,
 *   onMessage: (message) => { … } });
 * channel.start();
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ZodType } from 'zod';
import type { Clock } from '../../protocol/clock.ts';
import { ChannelError } from './error.ts';
import { encodeMessage, MessageReader } from './framing.ts';
import { maxBacklogBytes, pingEveryMs, reconnectFirstMs, reconnectLongestMs, silenceMs } from './limits.ts';
import {
  type ConnectorHello,
  type FromPeer,
  type GatewayHello,
  passingRefusals,
  type RefusalCode,
  type ToConnector,
  type ToGateway,
} from './messages.ts';

/** Everything of a hello but what the channel itself adds. */
export type HelloContent =
  | Omit<GatewayHello, 'token' | 'id' | 't' | 'fresh'>
  | Omit<ConnectorHello, 'token' | 'id' | 't' | 'fresh'>;

export interface ChannelClientOptions<Incoming extends ToGateway | ToConnector> {
  /** Begins a connection to the control plane: to the socket in its folder, or over TLS. */
  readonly dial: () => Socket;
  /** A one-time token, or what {@link onCredential} gave in an earlier run. */
  readonly token: string;
  readonly id?: string | undefined;
  /** Each welcome's credential, which takes the place of the one before. */
  readonly onCredential?: (credential: { token: string; id: string }) => void;
  readonly clock: Clock;
  /** Asked for at every connection, so that it tells the present endpoints. @param socket its handshake is over */
  readonly hello: (socket: Socket) => HelloContent;
  /** `toGatewaySchema` or `toConnectorSchema`. */
  readonly incoming: ZodType<Incoming>;
  /** Every message, welcome included. A throw ends the connection, and a new one is made. */
  readonly onMessage: (message: Incoming) => void;
  /** True after a welcome, false when the connection is gone. */
  readonly onState?: (connected: boolean) => void;
  /** The control plane refused for good; nothing is tried any more. */
  readonly onRefused?: (code: RefusalCode) => void;
  /** Why a connection could not be made or was lost; another is tried. */
  readonly onTrouble?: (error: Error) => void;
  /** Jitter of the pauses, 0..1; tests fix it. */
  readonly jitter?: () => number;
}

export class ChannelClient<Incoming extends ToGateway | ToConnector> {
  readonly #options: ChannelClientOptions<Incoming>;
  #credential: { token: string; id?: string };
  /** Until the first welcome. */
  #fresh = true;
  #socket: Socket | undefined;
  #welcomed = false;
  #stopped = false;
  #pauseMs = reconnectFirstMs;
  #heardAt = 0;
  #pings = 0;
  #cancelTimer = () => {};

  constructor(options: ChannelClientOptions<Incoming>) {
    this.#options = options;
    this.#credential = { token: options.token, ...(options.id !== undefined && { id: options.id }) };
  }

  /** A welcome was received and the connection stands. */
  get connected(): boolean {
    return this.#welcomed;
  }

  /** Monotonic time of the last message from the control plane, 0 before the first. */
  get heardAt(): number {
    return this.#heardAt;
  }

  start(): void {
    if (this.#stopped) throw new ChannelError('closed');
    if (this.#socket === undefined) this.#connect();
  }

  /** @returns false when there is no welcomed connection; the caller keeps what must not be lost. */
  send(message: FromPeer): boolean {
    if (!this.#welcomed) return false;
    this.#write(message);
    return this.#welcomed;
  }

  close(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.#socket?.destroy();
  }

  #connect(): void {
    const socket = this.#options.dial();
    const reader = new MessageReader();
    this.#socket = socket;
    socket.on(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => {
      const { token, id } = this.#credential;
      const fresh = this.#fresh;
      this.#write({ t: 'hello', ...this.#options.hello(socket), token, fresh, ...(id === undefined ? {} : { id }) });
    });
    // No encoding is set, so this is never text.
    socket.on('data', (bytes) => this.#received(socket, reader, bytes as Buffer));
    // Every loss is answered by connecting again; the reason is for people.
    socket.on('error', (error) => this.#options.onTrouble?.(error));
    socket.on('close', () => this.#lost());
  }

  #write(message: object): void {
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return;
    if (socket.writableLength > maxBacklogBytes) {
      socket.destroy();
      return;
    }
    socket.write(encodeMessage(message));
  }

  #received(socket: Socket, reader: MessageReader, bytes: Uint8Array): void {
    this.#heardAt = this.#options.clock.monotonic();
    reader.push(bytes);
    try {
      for (let raw = reader.next(); raw !== undefined; raw = reader.next()) this.#take(this.#parse(raw));
    } catch {
      // A control plane that talks nonsense is treated like one that went away.
      socket.destroy();
    }
  }

  #parse(raw: unknown): Incoming {
    const parsed = this.#options.incoming.safeParse(raw);
    if (!parsed.success) throw new ChannelError('malformed', { cause: parsed.error });
    return parsed.data;
  }

  #take(message: Incoming): void {
    if (message.t === 'refused') this.#refused(message.code);
    if (message.t === 'welcome') this.#welcome(message);
    this.#options.onMessage(message);
    if (message.t === 'welcome') this.#options.onState?.(true);
  }

  #welcome(message: { id: string; resume: string }): void {
    this.#credential = { token: message.resume, id: message.id };
    this.#fresh = false;
    this.#options.onCredential?.({ token: message.resume, id: message.id });
    this.#pauseMs = reconnectFirstMs;
    this.#welcomed = true;
    this.#keepAlive();
  }

  #refused(code: RefusalCode): void {
    if (passingRefusals.has(code)) return;
    this.close();
    this.#options.onRefused?.(code);
  }

  #keepAlive(): void {
    this.#cancelTimer = this.#options.clock.after(pingEveryMs, () => {
      if (this.#options.clock.monotonic() - this.#heardAt > silenceMs) {
        this.#socket?.destroy();
        return;
      }
      this.#write({ t: 'ping', n: this.#pings++ });
      this.#keepAlive();
    });
  }

  #lost(): void {
    this.#cancelTimer();
    this.#socket = undefined;
    if (this.#welcomed) {
      this.#welcomed = false;
      this.#options.onState?.(false);
    }
    if (this.#stopped) return;
    const jitter = (this.#options.jitter ?? Math.random)();
    const pause = this.#pauseMs * (1 + jitter / 2);
    this.#pauseMs = Math.min(this.#pauseMs * 2, reconnectLongestMs);
    this.#cancelTimer = this.#options.clock.after(pause, () => this.#connect());
  }
}
