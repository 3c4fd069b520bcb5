/**
 * One supervised process: started with its configuration, started again when it dies, stopped when told.
 * It knows nothing of what the part does.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { compileCache } from '../compile-cache.ts';
import type { Logger } from '../log.ts';
import type { ChildMessage, ParentMessage, PartEnd, StartMessage } from './child.ts';
import { Watchdog, type WatchEnd, type WatchLimits } from './watchdog.ts';

/** A part that said it cannot start; `code` is its own. */
export class PartError extends Error {
  readonly code: string;
  constructor(part: string, code: string, message: string) {
    super(`The ${part} could not start: ${message}`);
    this.name = 'PartError';
    this.code = code;
  }
}

/** What a socket is made of; not in the public types. */
interface RawHandle {
  close(): void;
}

export interface PartOptions {
  readonly name: string;
  readonly file: string;
  /** Flags of the Node process, such as its memory limit. */
  readonly nodeFlags?: readonly string[];
  /** Made anew for each start, because tokens are single use. */
  readonly start: () => StartMessage;
  readonly log: Logger;
  /** A process that exceeds these is ended, and started again like one that died. */
  readonly watch?: WatchLimits;
  /** Told each time the part serves again after a death. */
  readonly onRestart?: (info: Record<string, unknown>, after: PartEnd) => void;
}

/** One that had served is back at once; the pauses grow only while starts fail, one after the other. */
const restartDelaysMs = [100, 500, 1_000, 2_000, 5_000];
const stopLimitMs = 8_000;

export class Part {
  readonly #options: PartOptions;
  #child: ChildProcess | undefined;
  #stopping = false;
  #failures = 0;
  #serving = false;
  #watchdog: Watchdog | undefined;
  #killedFor: WatchEnd | undefined;
  /** Waiting to be sent to the process, one behind the other. */
  readonly #handing = new Set<Socket>();
  /** The last one sent; the process may not have taken it yet. */
  #underWay: RawHandle | undefined;

  constructor(options: PartOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the process. @returns what it reported. @throws PartError when its first start fails. */
  start(): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => this.#spawn(resolve, reject));
  }

  send(message: ParentMessage): void {
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
  }

  /** @returns false when the process is not serving; the socket is then still the caller's. */
  hand(socket: Socket, head: Buffer): boolean {
    if (!this.#serving || this.#child?.connected !== true) return false;
    const message: ParentMessage = { type: 'socket', head: head.toString('base64') };
    const { _handle: handle } = socket as unknown as { _handle?: RawHandle | null };
    this.#handing.add(socket);
    this.#child.send(message, socket, {}, (error) => {
      this.#handing.delete(socket);
      if (error !== null) socket.destroy();
      else this.#underWay = handle ?? undefined;
    });
    return true;
  }

  /** Asks the process to end, and ends it when it does not. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.send({ type: 'stop' });
    const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
    await exited;
    clearTimeout(timer);
  }

  #spawn(ready: (info: Record<string, unknown>) => void, failed: (error: Error) => void, after?: PartEnd): void {
    const { name, file, nodeFlags = [], log } = this.#options;
    const child = fork(file, [], {
      execArgv: [...nodeFlags],
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    let said: Error | undefined;
    child.on('message', (message: ChildMessage) => {
      if (message.type === 'alive') {
        this.#watchdog?.sign(message.memoryBytes);
      } else if (message.type === 'ready') {
        this.#serving = true;
        this.#watch(child, 'silentS');
        ready(message.info);
      } else {
        said = new PartError(name, message.code, message.message);
        child.kill('SIGKILL');
      }
    });
    child.once('exit', (code, signal) => {
      const served = this.#serving;
      this.#serving = false;
      const after = this.#unwatch();
      this.#endHanding();
      if (this.#stopping) return;
      if (!served && this.#failures === 0) {
        failed(said ?? new PartError(name, 'exited', `it ended with ${signal ?? code}`));
        return;
      }
      if (served) this.#failures = 0;
      const delayMs = restartDelaysMs[Math.min(this.#failures, restartDelaysMs.length - 1)];
      log.warn({ process: name, code, signal, after, delayMs }, 'process ended; starting it again');
      this.#again(after, delayMs);
    });
    // The first start is waited for by a person; nobody waits for this one.
    if (after !== undefined) this.#watch(child, 'startS');
    const message = this.#options.start();
    child.send(after === undefined ? message : { ...message, after }, () => undefined);
  }

  /** @param limit how long it may be silent from now on: while it starts, or while it serves. */
  #watch(child: ChildProcess, limit: 'startS' | 'silentS'): void {
    const { name, watch, log } = this.#options;
    if (watch === undefined) return;
    this.#watchdog?.stop();
    this.#watchdog = new Watchdog({ ...watch, silentS: watch[limit] }, (reason) => {
      this.#killedFor = reason;
      log.error({ process: name, reason, ...watch }, 'process exceeds its limits; ending it');
      child.kill('SIGKILL');
    });
  }

  /** @returns why the process ended. */
  #unwatch(): PartEnd {
    this.#watchdog?.stop();
    this.#watchdog = undefined;
    const after = this.#killedFor ?? 'died';
    this.#killedFor = undefined;
    return after;
  }

  /** Node forgets connections that a process was sent and did not take before it died; they would stay open for ever. */
  #endHanding(): void {
    for (const socket of this.#handing) socket.destroy();
    this.#handing.clear();
    // Closing it once more, if it was taken, does nothing.
    this.#underWay?.close();
    this.#underWay = undefined;
  }

  #again(after: PartEnd, delayMs: number | undefined): void {
    this.#failures += 1;
    setTimeout(() => {
      if (this.#stopping) return;
      this.#spawn(
        (info) => this.#options.onRestart?.(info, after),
        () => undefined,
        after,
      );
    }, delayMs);
  }
}
