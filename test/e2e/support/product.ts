/** The product as a person starts it: `latchkey up` in a folder of its own, on a free port, told by its JSON lines. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { newDatabase, onPostgres } from '../../support/postgres.ts';

const root = join(import.meta.dirname, '../../..');
const cli = join(root, 'server/main.ts');

/** A finished command of the CLI. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Ready {
  readonly hub: string;
  readonly enrol: string | null;
  readonly port: number;
  readonly wireguard: { readonly port: number; readonly publicKey: string };
  readonly pids: Readonly<Record<'control' | 'gateway' | 'connector', number | undefined>>;
}

/** Where and how processes are started, when it is not here and without a configuration file. */
export interface Elsewhere {
  readonly spawn: (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess;
  readonly configuration?: string;
  readonly environment?: Record<string, string>;
}

/** Where the tests run on PostgreSQL, the database of each folder: one that is started again finds its own. */
const databases = new Map<string, string>();

async function storeOf(data: string): Promise<Record<string, string>> {
  if (!onPostgres) return {};
  const url = databases.get(data) ?? (await newDatabase());
  databases.set(data, url);
  return { LATCHKEY_STORE: url };
}

type Line = Record<string, unknown> & { readonly event?: string };

export class Product {
  readonly data: string;
  readonly ready: Ready;
  readonly #process: ChildProcess;
  readonly #lines: Line[];
  readonly #waiting: Set<() => void>;
  readonly #log: string[];

  private constructor(
    data: string,
    ready: Ready,
    process: ChildProcess,
    lines: Line[],
    waiting: Set<() => void>,
    log: string[],
  ) {
    this.data = data;
    this.ready = ready;
    this.#process = process;
    this.#lines = lines;
    this.#waiting = waiting;
    this.#log = log;
  }

  /** @param environment settings by LATCHKEY_ variables. @param data an earlier product's folder, to start it again. */
  static async start(
    environment: Record<string, string> = {},
    data = mkdtempSync(join(tmpdir(), 'latchkey-')),
    elsewhere?: Elsewhere,
  ): Promise<Product> {
    const { configuration } = elsewhere ?? {};
    // A configuration says the port itself.
    const store = await storeOf(data);
    const chosen = configuration === undefined ? ['--port', '0'] : ['--config', configuration];
    const child = (elsewhere?.spawn ?? spawn)(process.execPath, [cli, 'up', '--json', '--data', data, ...chosen], {
      cwd: configuration === undefined ? data : tmpdir(),
      env: {
        ...process.env,
        ...(configuration === undefined && { LATCHKEY_WIREGUARD_PORT: '0' }),
        ...store,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (child.stdout === null || child.stderr === null) throw new TypeError('its output is not a pipe');
    const lines: Line[] = [];
    const log: string[] = [];
    const waiting = new Set<() => void>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(JSON.parse(line) as Line);
      for (const wake of waiting) wake();
    });
    createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
    const ended = new Promise<never>((_resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`latchkey up ended with ${code}:\n${log.slice(-40).join('\n')}`)));
    });
    ended.catch(() => undefined);
    const ready = (await Promise.race([
      waitFor(lines, waiting, (line) => line.event === 'ready'),
      ended,
    ])) as unknown as Ready;
    return new Product(data, ready, child, lines, waiting, log);
  }

  /** The next `restarted` line of a part, counted from now. */
  restarted(part: string): Promise<Line> {
    const from = this.#lines.length;
    return waitFor(
      this.#lines,
      this.#waiting,
      (line, index) => index >= from && line.event === 'restarted' && line['part'] === part,
    );
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Everything it logged so far. */
  get log(): string {
    return this.#log.join('\n');
  }

  /** Runs one CLI command against this installation. */
  async cli(...args: string[]): Promise<Outcome> {
    return runCli([...args, '--data', this.data], { spawn, environment: await storeOf(this.data) });
  }

  /** The same with --json. @throws Error when it fails. */
  async cliJson(...args: string[]): Promise<Record<string, unknown>> {
    const outcome = await this.cli(...args, '--json');
    if (outcome.code !== 0) throw new Error(`latchkey ${args.join(' ')}: ${outcome.stderr}`);
    return JSON.parse(outcome.stdout) as Record<string, unknown>;
  }

  /** SIGTERM, and waits for the end. @returns the exit code. */
  async stop(): Promise<number | null> {
    if (this.#process.exitCode !== null) return this.#process.exitCode;
    const exited = new Promise<number | null>((resolve) => this.#process.once('exit', (code) => resolve(code)));
    this.#process.kill('SIGTERM');
    return exited;
  }

  /** Stops and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** Runs the CLI without an installation of its own. */
export function runCli(args: readonly string[], elsewhere?: Elsewhere): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = (elsewhere?.spawn ?? spawn)(process.execPath, [cli, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: tmpdir(),
      env: { ...process.env, ...elsewhere?.environment },
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

function waitFor(
  lines: Line[],
  waiting: Set<() => void>,
  wanted: (line: Line, index: number) => boolean,
): Promise<Line> {
  return new Promise((resolve) => {
    const look = () => {
      const found = lines.find(wanted);
      if (found === undefined) return;
      waiting.delete(look);
      resolve(found);
    };
    waiting.add(look);
    look();
  });
}
