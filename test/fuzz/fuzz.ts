/**
 * Coverage-guided fuzzing of the shipped Wasm: the module as native code (test/native), instrumented for clang's
 * libFuzzer, under one harness of this folder for each family of operations. A trap, a hang, a broken property of the
 * harness and a byte changed outside the operation's own regions are findings.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { builtWasm } from '../../wasm/build.ts';
import { faultyModule, missingTools, nativeModule, program, tools } from '../native/module.ts';

const here = import.meta.dirname;
const build = join(here, '../../build/fuzz');

/** Coverage of the module alone; a harness is no target. Accesses outside the memory end on a page of nobody's. */
const instrumented = ['-O1', '-gdwarf-4', '-fsanitize=fuzzer-no-link', '-DWASM_RT_MEMCHECK_GUARD_PAGES=1'];
/** Without SSSE3 a swizzle is sixteen turns of a loop, each of them counted as coverage. */
const moduleFlags = process.arch === 'x64' ? [...instrumented, '-msse4.2'] : instrumented;
const longestInputBytes = 4096;
/** One input takes a few milliseconds; this is a hang even on a machine that does ten other things. */
const hangSeconds = 30;

/** The harnesses' names. */
export const harnesses = globSync('*.c', { cwd: here }).map((file) => basename(file, '.c'));

/** @returns one sentence on what is missing on this machine, or null. */
export const missingForFuzzing = (): string | null => missingTools(tools.clang, tools.fuzzer, tools.simde);

/** How long a harness runs: a time for the real module, a count for one with a planted fault. */
export type Budget = { readonly seconds: number } | { readonly runs: number };

export interface FuzzResult {
  readonly harness: string;
  /** What broke, as the harness or the runtime said it; null when nothing did. */
  readonly finding: string | null;
  readonly runs: number;
  /** Edges of the module's code that were reached. */
  readonly edges: number;
  /** The end of the fuzzer's own report. */
  readonly report: string;
}

/** Fuzzes the shipped module. Corpora stay in build/fuzz, so that a later run goes on from them. */
export async function fuzz(harness: string, budget: Budget): Promise<FuzzResult> {
  const folder = nativeModule(await builtWasm(), moduleFlags);
  const corpus = join(build, 'corpus', harness);
  mkdirSync(corpus, { recursive: true });
  return runHarness(harness, folder, budget, [corpus]);
}

/** Fuzzes the module with the faults of planted.as, from nothing: each has to be found. */
export async function fuzzPlanted(harness: string, budget: Budget): Promise<FuzzResult> {
  const { binary } = await faultyModule(join(here, 'planted.as'));
  return runHarness(harness, nativeModule(binary, moduleFlags), budget, []);
}

async function runHarness(harness: string, folder: string, budget: Budget, corpus: string[]): Promise<FuzzResult> {
  const binary = program(join(here, `${harness}.c`), harness, folder, ['-fsanitize=fuzzer']);
  const findings = join(build, 'findings', harness);
  mkdirSync(findings, { recursive: true });
  const limits =
    'seconds' in budget
      ? [`-max_total_time=${budget.seconds}`]
      : [`-runs=${budget.runs}`, '-seed=1', '-max_total_time=300'];
  const settings = [`-max_len=${longestInputBytes}`, `-timeout=${hangSeconds}`, `-artifact_prefix=${findings}/`];
  const { status, said } = await output(binary, [...limits, ...settings, ...corpus]);
  return {
    harness,
    finding: status === 0 ? null : (/^(?:broken|trap): .*$/m.exec(said)?.[0] ?? `it ended with ${status}`),
    runs: lastNumber(said, /^#(\d+)\t/gm),
    edges: lastNumber(said, /\bcov: (\d+)/g),
    report: said.slice(-4000),
  };
}

async function output(command: string, args: readonly string[]): Promise<{ status: number | null; said: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, said };
}

function lastNumber(text: string, pattern: RegExp): number {
  return Number(Array.from(text.matchAll(pattern), ([, digits]) => digits).at(-1) ?? 0);
}
