/** Runs test files by node:test, each in a process of its own, and says what failed where. */
import { relative, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { addCounts, type Counts, noCounts } from './counts.ts';

/** A test that failed. */
export interface Failure {
  /** Of the project; '' where node:test does not say. */
  readonly file: string;
  readonly name: string;
}

export interface Outcome {
  readonly counts: Counts;
  /** What each file with a failure came to. A file that was ended for its time is not among them. */
  readonly failedFiles: ReadonlyMap<string, Counts>;
  readonly failures: readonly Failure[];
}

/** @param limitMs for a file, and so for each of its tests. */
export async function runNodeTests(files: string[], concurrency: number, limitMs: number): Promise<Outcome> {
  if (files.length === 0) return { counts: noCounts, failedFiles: new Map(), failures: [] };
  const limits = new URL(`file-limits.ts?ms=${limitMs}`, import.meta.url);
  const events = run({ files, concurrency, timeout: limitMs, execArgv: ['--import', limits.href] });
  let counts = noCounts;
  const failedFiles = new Map<string, Counts>();
  const failures: Failure[] = [];
  events.on('test:summary', (summary) => {
    const { tests, passed, skipped, todo } = summary.counts;
    const those = { passed, failed: tests - passed - skipped - todo, skipped: skipped + todo };
    // The summary without a file is the one of the whole run.
    if (summary.file === undefined) counts = those;
    else if (those.failed > 0) failedFiles.set(summary.file, those);
  });
  events.on('test:fail', ({ name, file }) => {
    failures.push({ name, file: file === undefined ? '' : relative(process.cwd(), file) });
  });
  await new Promise((done, reject) => {
    events.compose(spec).on('error', reject).on('end', done).pipe(process.stdout, { end: false });
  });
  return { counts, failedFiles, failures };
}

/** Drives a browser: the product's end to end, or its pages alone. */
const hasBrowser = (file: string): boolean => /\/test\/(e2e|web)\//.test(file);

/**
 * A file with a browser that failed beside another is run once more, with the machine to itself: what two of them, or two
 * products with theirs, need is not always there when they share two processors. What passes only then is named, in the outcome and
 * at the end of the run, and is a fault to look at; what fails again has failed, and so has every other file.
 */
export async function runAgainAlone(first: Outcome, limitMs: number): Promise<Outcome & { onlyAlone: Failure[] }> {
  const again = new Map([...first.failedFiles].filter(([file]) => hasBrowser(file)));
  if (again.size === 0) return { ...first, onlyAlone: [] };
  console.log('\n# what failed, again and alone');
  let counts = first.counts;
  for (const before of again.values()) counts = subtractCounts(counts, before);
  const second = await runNodeTests([...again.keys()], 1, limitMs);
  const wasRun = ({ file }: Failure) => again.has(resolve(file));
  const failsAgain = ({ file, name }: Failure) => second.failures.some((one) => one.file === file && one.name === name);
  return {
    counts: addCounts(counts, second.counts),
    failedFiles: second.failedFiles,
    failures: [...first.failures.filter((failure) => !wasRun(failure)), ...second.failures],
    onlyAlone: first.failures.filter((failure) => wasRun(failure) && !failsAgain(failure)),
  };
}

function subtractCounts(a: Counts, b: Counts): Counts {
  return { passed: a.passed - b.passed, failed: a.failed - b.failed, skipped: a.skipped - b.skipped };
}
