/** A process that listens on a port of 127.0.0.1: what a connector publishes a service from. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const code = `
  const server = require('node:net').createServer((socket) => socket.destroy());
  server.listen({ host: '127.0.0.1', port: Number(process.argv[1]), reusePort: true }, () => console.log(server.address().port));
`;

export class ListeningProgram implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    [this.#child, this.port] = [child, port];
  }

  /** @param port of another one, which it shares; 0 for its own. @param program Node, or a copy of it */
  static async start(port = 0, program = process.execPath): Promise<ListeningProgram> {
    const child = spawn(program, ['-e', code, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    return new ListeningProgram(child, Number(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
