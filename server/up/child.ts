/**
 * The child's half of the supervisor's IPC: the start message with its configuration, sockets handed over with the
 * bytes already read from them, and the order to stop. Every process of `latchkey up` begins with {@link runChild}.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Server as SecureServer } from 'node:tls';
import type { Config } from '../config.ts';
import { logger, setLogLevel } from '../log.ts';
import { signEveryMs, type WatchEnd } from './watchdog.ts';

/** What the supervisor tells a child at its start. Tokens are single use and never logged. */
export interface StartMessage {
  readonly type: 'start';
  readonly config: Config;
  /** The one-time token this child presents on the control channel. */
  readonly token?: string;
  /** Given to the control plane alone: the tokens it may expect, by role. */
  readonly tokens?: { readonly gateway: string; readonly connector?: string };
  /** How the process before this one ended, if there was one. */
  readonly after?: PartEnd;
}

/** Ended by the supervisor for its memory or its silence, or by itself. */
export type PartEnd = WatchEnd | 'died';

export type ParentMessage =
  | StartMessage
  | { readonly type: 'tokens'; readonly tokens: { readonly gateway?: string; readonly connector?: string } }
  | { readonly type: 'socket'; readonly head: string }
  | { readonly type: 'stop' };

export type ChildMessage =
  | { readonly type: 'ready'; readonly info: Record<string, unknown> }
  | { readonly type: 'alive'; readonly memoryBytes: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string };

/** What a started child offers the supervisor. */
export interface RunningChild {
  /** Reported to the supervisor with `ready`; no secrets. */
  readonly info: Record<string, unknown>;
  /** Receives browser connections; absent in a child that serves none. */
  readonly http?: Server;
  /** The control plane's: tokens for a child that is started again. */
  readonly addTokens?: (tokens: { gateway?: string; connector?: string }) => void;
  stop(): Promise<void>;
}

/** Runs one child process until the supervisor says stop or goes away. */
export function runChild(part: string, start: (message: StartMessage) => Promise<RunningChild>): void {
  const log = logger(part);
  let running: RunningChild | undefined;
  let stopping = false;

  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await running?.stop().catch((error: unknown) => log.error({ err: error }, 'did not stop cleanly'));
    process.exit(0);
  };

  process.on('message', (message: ParentMessage, handle: unknown) => {
    switch (message.type) {
      case 'start':
        setLogLevel(message.config.logLevel);
        start(message).then(
          (child) => {
            running = child;
            tell({ type: 'ready', info: child.info });
            setInterval(() => tell({ type: 'alive', memoryBytes: process.memoryUsage.rss() }), signEveryMs).unref();
          },
          (error: unknown) => {
            log.error({ err: error }, 'could not start');
            tell({ type: 'failed', code: codeOf(error), message: error instanceof Error ? error.message : 'unknown' });
          },
        );
        break;
      case 'tokens':
        running?.addTokens?.(message.tokens as { gateway?: string; connector?: string });
        break;
      case 'socket':
        handed(running?.http, handle as Socket | undefined, message.head);
        break;
      case 'stop':
        void stop();
        break;
      default:
        message satisfies never;
    }
  });
  process.on('disconnect', () => void stop());
  // The supervisor decides when its children stop: a terminal's Ctrl-C reaches the whole group, and order matters.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
}

/** A connection for a server that is not there ends. */
function handed(server: Server | undefined, socket: Socket | undefined, head: string): void {
  if (socket === undefined) return;
  if (server === undefined) socket.destroy();
  else adopt(server, socket, Buffer.from(head, 'base64'));
}

/** Gives a connection to an HTTP server as if the server had accepted it and nothing had been read yet. */
export function adopt(server: Server, socket: Socket, head: Buffer): void {
  socket.unshift(head);
  server.emit('connection', socket);
  // Behind TLS the socket is read by what was put around it.
  if (!(server instanceof SecureServer)) socket.resume();
}

function tell(message: ChildMessage): void {
  process.send?.(message);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'internal';
}
