/** One WebSocket of a page: the shim's messages on one side, a tunnel stream on the other. */
import { encodeRequestHead, type Header, ResponseHeadReader } from '../../protocol/exchange/http.ts';
import {
  decodeClose,
  encodeCloseMessage,
  encodeWebSocketMessage,
  opcode,
  type WebSocketMessage,
  WebSocketMessageReader,
} from '../../protocol/exchange/websocket.ts';
import type { Stream } from '../../protocol/stream.ts';
import { acceptLanguage } from '../accept-language.ts';
import { messageWindowBytes, type WebSocketFromTunnel, type WebSocketToTunnel } from '../app-messages.ts';
import type { PageCookies } from './page-cookies.ts';
import type { TunnelUse } from './tunnel-use.ts';

const abnormal = 1006;
const goingAway = 1001;
const noStatus = 1005;

/** How it ended, in the words of a CloseEvent. */
interface Ending {
  readonly code: number;
  readonly reason: string;
  readonly clean: boolean;
}
const broken: Ending = { code: abnormal, reason: '', clean: false };

export class WebSocketExchange {
  readonly #port: MessagePort;
  readonly #use: TunnelUse;
  readonly #cookies: PageCookies;
  #isConnecting = false;
  #stream: Stream | undefined;
  #isClosing = false;
  #hasLeft = false;
  #ended = false;
  readonly #over = Promise.withResolvers<void>();
  /** Bytes of messages the page has not taken yet. */
  #untaken = 0;
  #taken: (() => void) | undefined;

  /** @param port closed at the end. */
  constructor(port: MessagePort, use: TunnelUse, cookies: PageCookies) {
    this.#port = port;
    this.#use = use;
    this.#cookies = cookies;
  }

  /** Resolves when it has ended. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Whoever it was for is gone: the service hears it, and what comes until it closes too is for nobody. */
  leave(): void {
    this.#hasLeft = true;
    this.#taken?.();
    this.#orEnd(this.#close(goingAway, ''));
  }

  take(message: WebSocketToTunnel): void {
    switch (message.t) {
      case 'connect':
        this.#connect(message.target, message.protocols);
        break;
      case 'send':
        this.#orEnd(this.#send(message.data));
        break;
      case 'taken':
        this.#untaken -= message.bytes;
        this.#taken?.();
        break;
      case 'close':
        // No script can say this one.
        if (message.code === goingAway) this.leave();
        else this.#orEnd(this.#close(message.code, message.reason));
        break;
      default:
        message satisfies never;
    }
  }

  /** Whatever goes wrong, the page sees a connection that broke; it is told no more by the standard either. */
  #orEnd(work: Promise<void>): void {
    work.catch(() => this.#end(broken));
  }

  #connect(target: string, protocols: readonly string[]): void {
    if (this.#isConnecting) return;
    this.#isConnecting = true;
    this.#orEnd(this.#run(target, protocols));
  }

  async #run(target: string, protocols: readonly string[]): Promise<void> {
    const [stream, cookies] = await Promise.all([this.#use.open('websocket'), this.#cookies.read(target)]);
    if (this.#ended) return stream.reset('cancelled');
    this.#stream = stream;
    const headers: Header[] = [
      // Where they cannot be had the gateway goes by what the service set.
      ...(cookies === undefined ? [] : [[':cookies', cookies] as const]),
      ['origin', this.#use.origin],
      ['user-agent', navigator.userAgent],
      ['accept-language', acceptLanguage(navigator.languages)],
    ];
    const authorization = this.#use.passwords?.known(target);
    if (authorization !== undefined) headers.push(['authorization', authorization]);
    if (protocols.length > 0) headers.push(['sec-websocket-protocol', protocols.join(', ')]);
    await stream.write(encodeRequestHead({ method: 'GET', target, headers: [...this.#use.hidden, ...headers] }));
    await this.#receive(stream);
  }

  async #receive(stream: Stream): Promise<void> {
    const head = new ResponseHeadReader();
    const messages = new WebSocketMessageReader();
    let opened = false;
    for (let chunk = await stream.read(); chunk !== null && !this.#ended; chunk = await stream.read()) {
      let bytes: Uint8Array | undefined = chunk;
      if (!opened) {
        bytes = head.push(chunk);
        if (bytes === undefined) continue;
        const { status, headers } = head.head;
        // As with any answer, scripts see its cookies before they see it.
        await this.#cookies.write(headers.filter(([name]) => name === ':set-cookie').map(([, value]) => value));
        if (status !== 101) return this.#end(broken);
        opened = true;
        const protocol = headers.find(([name]) => name === 'sec-websocket-protocol')?.[1] ?? '';
        this.#say({ t: 'open', protocol });
      }
      messages.push(bytes);
      for (let message = messages.next(); message !== undefined; message = messages.next()) this.#deliver(message);
      await this.#untilTaken();
    }
    // A close that came is the end already; anything else was cut.
    this.#end(broken);
  }

  #deliver({ opcode: kind, payload }: WebSocketMessage): void {
    if (kind === opcode.close) {
      const { code = noStatus, reason } = decodeClose(payload);
      this.#end({ code, reason, clean: true });
    } else if (!this.#hasLeft) this.#hand(kind, payload);
  }

  #hand(kind: number, payload: Uint8Array): void {
    if (kind === opcode.text) {
      const data = new TextDecoder('utf-8', { ignoreBOM: true }).decode(payload);
      this.#untaken += data.length;
      this.#say({ t: 'message', data });
    } else {
      const data = Uint8Array.from(payload).buffer;
      this.#untaken += data.byteLength;
      this.#say({ t: 'message', data }, [data]);
    }
  }

  /** Leaves the rest with the service while the page is behind: its credit then runs out, and it waits. */
  async #untilTaken(): Promise<void> {
    while (this.#untaken > messageWindowBytes && !this.#ended && !this.#hasLeft) {
      await new Promise<void>((resolve) => {
        this.#taken = resolve;
      });
    }
  }

  async #send(data: string | ArrayBuffer): Promise<void> {
    const isText = typeof data === 'string';
    const payload = isText ? new TextEncoder().encode(data) : new Uint8Array(data);
    await this.#stream?.write(encodeWebSocketMessage(isText ? opcode.text : opcode.binary, payload));
    this.#say({ t: 'sent', bytes: payload.length });
  }

  async #close(code: number | undefined, reason: string): Promise<void> {
    if (this.#stream === undefined) return this.#end(broken);
    // A page that is left, or a worker that ends, may have said it before, and more than one hears of its end.
    if (this.#isClosing) return;
    this.#isClosing = true;
    await this.#stream.write(encodeCloseMessage({ code, reason }));
  }

  #end(ending: Ending): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#over.resolve();
    this.#taken?.();
    this.#say({ t: 'closed', ...ending });
    this.#port.onmessage = null;
    // What was said before is still delivered.
    this.#port.close();
    if (ending.clean) this.#stream?.finish().catch(() => undefined);
    else this.#stream?.reset('cancelled');
  }

  #say(message: WebSocketFromTunnel, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}
