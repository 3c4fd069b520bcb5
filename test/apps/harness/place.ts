/** A place for one run of an app: a folder, a port, its processes, and a recorder before it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Place } from './app.ts';
import { Recorder } from './recorder.ts';

const patienceMs = 120_000;
const askAgainMs = 200;
const keptOutput = 60;

export class RunningPlace implements Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'latchkey-app-'));
  readonly port: number;
  readonly origin: string;
  readonly recorder: Recorder;
  readonly #processes: ChildProcess[] = [];
  readonly #output: string[] = [];

  private constructor(port: number, origin: string, recorder: Recorder) {
    this.port = port;
    this.origin = origin;
    this.recorder = recorder;
  }

  static async at(origin: string): Promise<RunningPlace> {
    const port = await freePort();
    return new RunningPlace(port, origin, await Recorder.before(port));
  }

  spawn(command: string, args: readonly string[], options: { env?: Record<string, string>; cwd?: string } = {}) {
    const env = { PATH: process.env['PATH'] ?? '', HOME: this.folder, LANG: 'C.UTF-8', TZ: 'UTC', ...options.env };
    // A group of its own: some apps start others.
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      cwd: options.cwd ?? this.folder,
      env,
    });
    child.once('error', (error) => this.#note(`${command}: ${error.message}`));
    child.stdout.on('data', (chunk: Buffer) => this.#note(chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => this.#note(chunk.toString()));
    this.#processes.push(child);
    return child;
  }

  installed(path: string): string {
    return join(import.meta.dirname, '../node_modules', path);
  }

  freePort = freePort;

  async answers(path = '/'): Promise<void> {
    const late = Date.now() + patienceMs;
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, { redirect: 'manual' }).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer !== undefined) return;
      const ended = this.#processes.find(({ exitCode }) => exitCode !== null && exitCode !== 0);
      if (ended !== undefined || Date.now() > late) throw new Error(`the app does not answer:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, askAgainMs));
    }
  }

  /** The last lines that its processes said. */
  get output(): string {
    return this.#output.slice(-keptOutput).join('');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.recorder.close();
    await Promise.all(this.#processes.map(end));
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #note(text: string): void {
    this.#output.push(text);
    if (this.#output.length > 10 * keptOutput) this.#output.splice(0, 5 * keptOutput);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const group = -child.pid;
  process.kill(group, 'SIGTERM');
  const insist = setTimeout(() => process.kill(group, 'SIGKILL'), 5_000);
  await exited;
  clearTimeout(insist);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  await new Promise((resolve) => server.close(resolve));
  return port;
}
