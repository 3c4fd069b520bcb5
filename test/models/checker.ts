/**
 * The model checkers of docs/models/. Spin (Debian) must be there with `CI=true`; ProVerif has no package, so its absence
 * is a line to read and no failure anywhere.
 */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inLong } from '../support/long.ts';

const models = join(import.meta.dirname, '../../docs/models');
const run = promisify(execFile);
const limits = { encoding: 'utf8', maxBuffer: 64 * 2 ** 20, timeout: 60 * 60_000 } as const;

function has(command: string, argument: string): boolean {
  try {
    execFileSync(command, [argument], { stdio: 'ignore' });
    return true;
  } catch (error) {
    // One that is there and does not like the argument ends with a status; one that is not there has none.
    return error instanceof Error && 'status' in error && typeof error.status === 'number';
  }
}

const hasSpin = has('spin', '-V') && has('gcc', '--version');
if (!hasSpin) {
  const line = 'models: spin or gcc is missing, so the Promela models are not checked';
  if (process.env['CI'] === 'true') throw new Error(line);
  console.warn(line);
}
const hasProVerif = has('proverif', '-help') && has('cpp', '--version');
if (!hasProVerif) console.warn('models: no proverif on the PATH, so the .pv models are not checked here');
/** All of them take most of an hour. */
const whyNoProVerif = hasProVerif ? 'npm run test:long checks the .pv models' : 'proverif is not on the PATH';

/** For `test(name, needsSpin, …)` and `test(name, needsProVerif, …)`. */
export const needsSpin = hasSpin ? {} : { skip: 'spin is not installed' };
export const needsProVerif = hasProVerif && inLong(false, true) ? {} : { skip: whyNoProVerif };

/** What an exhaustive search found. */
export interface Search {
  readonly errors: number;
  readonly states: number;
  /** The first assertion that failed. */
  readonly violated: string | undefined;
}

/** @param options of spin: planted bugs as `-DX`, and `-run` with what follows it. */
export async function spin(model: string, ...options: string[]): Promise<Search> {
  // It leaves its verifier and trails where it runs.
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-spin-'));
  try {
    cpSync(join(models, model), join(folder, model));
    const { stdout } = await run('spin', [...options, model], { ...limits, cwd: folder });
    if (/max search depth too small|out of memory/.test(stdout)) throw new Error(`${model}: the search was cut short`);
    return {
      errors: number(/errors: (\d+)/, stdout),
      states: number(/(\d+) states, stored/, stdout),
      violated: /assertion violated (.*) \(at depth/.exec(stdout)?.[1],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function number(pattern: RegExp, text: string): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`no ${pattern.source} in what the checker said:\n${text}`);
  return Number(found);
}

/** The verdicts of a model's queries in their order: a query ends as true, false or (nobody wants that) undecided. */
export async function proverif(model: string, ...defines: string[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-proverif-'));
  try {
    const file = join(folder, 'model.pv');
    await run('cpp', ['-P', '-w', ...defines, join(models, model), file], limits);
    const { stdout } = await run('proverif', [file], limits);
    return [...stdout.matchAll(/^RESULT (?!\(even).* (is true|is false|cannot be proved)\.$/gm)].map(
      ([, verdict]) => verdict!,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
