/** WebSocket as a Carrier, for where WebTransport does not get through. The one file of the worker that touches the browser's WebSocket. */
import { type Carrier, CarrierError } from '../../protocol/carrier.ts';
import type { Clock } from '../../protocol/clock.ts';
import { MessageCarrier, type MessageSocket } from '../../protocol/message-carrier.ts';
import type { Endpoint } from './endpoint.ts';

/** Senders wait while the browser holds more than this. */
const bufferedBytes = 1 << 20;
/** A browser's WebSocket tells nobody when its buffer shrinks, so it is looked at this often while senders wait. */
const lookMs = 4;
/** A browser's WebSocket cannot be paused. The session reads at once, so only a peer that ignores its credit gets here. */
const queuedBytes = 32 << 20;
const channels = 1_024;

/** Resolves when the socket is open. @throws CarrierError 'unreachable' */
export async function connectWebSocket(endpoint: Endpoint, signal: AbortSignal, clock: Clock): Promise<Carrier> {
  signal.throwIfAborted();
  const webSocket = begin(endpoint.url);
  const carrier = carry(webSocket, clock);
  const opened = Promise.withResolvers<void>();
  webSocket.addEventListener('open', () => opened.resolve());
  webSocket.addEventListener('close', () => opened.reject(new CarrierError('unreachable')));
  const cancel = () => webSocket.close();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    await opened.promise;
    return carrier;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function begin(url: string): WebSocket {
  try {
    const webSocket = new WebSocket(url);
    webSocket.binaryType = 'arraybuffer';
    return webSocket;
  } catch (cause) {
    throw new CarrierError('unreachable', { cause });
  }
}

function carry(webSocket: WebSocket, clock: Clock): Carrier {
  const carrier = new MessageCarrier({
    socket: new BrowserSocket(webSocket, clock),
    peer: 'gateway',
    bufferedBytes,
    pauseAboveBytes: queuedBytes,
    refuseAboveBytes: queuedBytes,
    channels,
    onMalformed: () => undefined,
  });
  // Text has no meaning here; an empty message is the shortest thing that is malformed.
  webSocket.addEventListener('message', ({ data }) =>
    carrier.message(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0)),
  );
  webSocket.addEventListener('close', () => carrier.lost());
  return carrier;
}

class BrowserSocket implements MessageSocket {
  readonly #webSocket: WebSocket;
  readonly #clock: Clock;

  constructor(webSocket: WebSocket, clock: Clock) {
    this.#webSocket = webSocket;
    this.#clock = clock;
  }

  send(message: Uint8Array<ArrayBuffer>): void {
    if (this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.send(message);
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  whenDrained(run: () => void): void {
    this.#clock.after(lookMs, () => {
      const open = this.#webSocket.readyState === WebSocket.OPEN;
      if (open && this.bufferedBytes > bufferedBytes / 2) this.whenDrained(run);
      else run();
    });
  }

  pause(): void {}

  resume(): void {}

  close(): void {
    this.#webSocket.close(1000);
  }
}
