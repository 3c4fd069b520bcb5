/** `latchkey connector` as an operator runs it: a process of its own, told by its JSON lines. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const cli = join(import.meta.dirname, '../../../server/main.ts');

export interface ConnectorReady {
  readonly name: string;
  readonly address: string;
  readonly publicKey: string;
  readonly services: readonly string[];
}

export class ConnectorProcess {
  readonly ready: ConnectorReady;
  readonly #child: ChildProcess;
  readonly #log: readonly string[];

  private constructor(ready: ConnectorReady, child: ChildProcess, log: readonly string[]) {
    this.ready = ready;
    this.#child = child;
    this.#log = log;
  }

  /** @param prefix runs it by another program, such as `ip netns exec NAME`. Rejects with what it said when it ends. */
  static async start(data: string, args: readonly string[], prefix: readonly string[] = []): Promise<ConnectorProcess> {
    const command = [...prefix, process.execPath, cli, 'connector', '--json', '--data', data, ...args];
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], cwd: data });
    const log: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
    const ready = await new Promise<ConnectorReady>((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line) as ConnectorReady));
      child.once('close', (code) => reject(new Error(`${code}: ${log.join('\n')}`)));
    });
    return new ConnectorProcess(ready, child, log);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get log(): string {
    return this.#log.join('\n');
  }

  /** @returns the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode;
    const exited = new Promise<number | null>((resolve) => this.#child.once('exit', resolve));
    this.#child.kill(signal);
    return exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
