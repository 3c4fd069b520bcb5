/** What commands print and how they fail: JSON lines with --json, a plain table or sentence without. */
import type { Command, CommanderError } from 'commander';
import { type Config, loadConfig } from '../config.ts';

/** A failure with an exit code of its own, such as an audit chain that does not verify. */
export class CommandFailure extends Error {
  readonly code: string;
  readonly exitCode: number;
  constructor(code: string, message: string, exitCode = 1) {
    super(message);
    this.name = 'CommandFailure';
    this.code = code;
    this.exitCode = exitCode;
  }
}

export interface CommonOptions {
  readonly data?: string;
  readonly config?: string;
  readonly json?: boolean;
  readonly port?: number;
  readonly store?: string;
}

/** Options of a command together with the program's. */
export function optionsOf(command: Command): CommonOptions {
  return command.optsWithGlobals<CommonOptions>();
}

/** The configuration for a command line. @throws ConfigError */
export function configOf(options: CommonOptions): Config {
  return loadConfig({ data: options.data, port: options.port, file: options.config, store: options.store });
}

/** The error in a form that is safe and stable to print. */
export function failureOf(error: unknown): { error: string; message: string } {
  if (!(error instanceof Error)) return { error: 'internal', message: 'Something failed without a reason.' };
  const code = 'code' in error ? String(error.code) : 'internal';
  return { error: code, message: error.message };
}

/** A command line that is none, in the same form; Commander's own words as a sentence. */
export function usageFailure(error: CommanderError): { error: string; message: string } {
  if (error.code === 'commander.help') return { error: 'usage', message: 'A command is missing; --help lists them.' };
  const words = error.message.replace(/^error: /, '').replace(/\.?$/, '.');
  return { error: 'usage', message: `${words.charAt(0).toUpperCase()}${words.slice(1)}` };
}

/** As the hub's page shows it: hexadecimal in groups of four. @param hex without spaces */
export function fingerprintText(hex: string): string {
  return hex.match(/.{4}/g)?.join(' ') ?? '';
}

/** Prints one result: JSON with --json, otherwise what `text` makes of it. */
export function print(options: CommonOptions, value: object, text: () => string): void {
  process.stdout.write(`${options.json === true ? JSON.stringify(value) : printable(text())}\n`);
}

/** Rows with aligned columns, the first row being the heading. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Names come from people and go to a terminal: control and direction-changing characters are shown, not obeyed. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, (char) =>
    char === '\n' ? char : `\\u{${char.codePointAt(0)?.toString(16)}}`,
  );
}
