/** The system's own tools: `ip`, `nft` and `wg`, run without a shell unless a secret has to reach one on its input. */
import { execFile } from 'node:child_process';

/** A tool hangs only when the system is in trouble. */
const limitMs = 5_000;

/** A tool that is missing, or said no. */
export class CommandError extends Error {
  readonly code: 'command_missing' | 'command_failed';
  constructor(command: string, code: CommandError['code'], said: string) {
    super(
      code === 'command_missing' ? `${command} is not installed.` : `${command} failed: ${said.trim() || 'no word'}`,
    );
    this.name = 'CommandError';
    this.code = code;
  }
}

/**
 * Runs a tool to its end.
 * @param input its standard input; keys go there, because arguments are in every process listing
 * @returns what it printed. @throws CommandError
 */
export function run(command: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { timeout: limitMs, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new CommandError(command, error.code === 'ENOENT' ? 'command_missing' : 'command_failed', stderr));
    });
    // A tool that ends before it has read says why on its own.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** The same for tools that print JSON; nothing at all stands for an empty list. */
export async function runJson(command: string, args: readonly string[]): Promise<unknown> {
  const text = await run(command, args);
  return text.trim() === '' ? [] : JSON.parse(text);
}
