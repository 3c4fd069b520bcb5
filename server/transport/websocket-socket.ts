/** A `ws` WebSocket as a MessageSocket, with the pings that show a dead peer. */
import { WebSocket } from 'ws';
import type { MessageSocket } from '../../protocol/message-carrier.ts';
import { transportLimits } from './limits.ts';

export class SocketOfMessages implements MessageSocket {
  readonly #webSocket: WebSocket;
  #onDrained: (() => void) | undefined;
  #alive = true;
  #hasSpoken = false;

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
    const pings = setInterval(() => this.#ping(), transportLimits.webSocketPingMs).unref();
    webSocket.on('pong', () => {
      this.#alive = true;
    });
    webSocket.on('close', () => {
      clearInterval(pings);
      this.#drained();
    });
  }

  send(message: Uint8Array): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
    this.#hasSpoken = true;
    this.#webSocket.send(message, () => {
      if (this.bufferedBytes <= transportLimits.webSocketBufferedBytes / 2) this.#drained();
    });
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  whenDrained(run: () => void): void {
    this.#onDrained = run;
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  /** Whoever has heard nothing from us is owed no goodbye: waiting for his would keep the socket for him. */
  close(): void {
    if (!this.#hasSpoken) {
      this.#webSocket.terminate();
      return;
    }
    this.#webSocket.close(1000);
    // A paused socket would not see the peer's close frame.
    this.#webSocket.resume();
    setTimeout(() => this.#webSocket.terminate(), transportLimits.closeLingerMs).unref();
  }

  #drained(): void {
    const run = this.#onDrained;
    this.#onDrained = undefined;
    run?.();
  }

  /** A peer that has not answered the last ping in a whole interval is gone. While paused we hear nothing, so judge nothing. */
  #ping(): void {
    if (this.#webSocket.isPaused) this.#alive = true;
    if (!this.#alive) {
      this.#webSocket.terminate();
      return;
    }
    this.#alive = false;
    this.#webSocket.ping();
  }
}
