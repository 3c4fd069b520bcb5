/** Runs test files by node:test, each in a process of its own, and says what failed where. */
import { relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { addCounts, type Counts, noCounts } from './counts.ts';

export interface Outcome {
  readonly counts: Counts;
  /** What each file with a failure came to. A file that was ended for its time is not among them. */
  readonly failedFiles: ReadonlyMap<string, Counts>;
  /** `file: name` of each test that failed. */
  readonly failures: readonly string[];
}

/** @param limitMs for a file. */
export async function runNodeTests(files: string[], concurrency: number, limitMs: number): Promise<Outcome> {
  if (files.length === 0) return { counts: noCounts, failedFiles: new Map(), failures: [] };
  const events = run({ files, concurrency, timeout: limitMs });
  let counts = noCounts;
  const failedFiles = new Map<string, Counts>();
  const failures: string[] = [];
  events.on('test:summary', (summary) => {
    const { tests, passed, skipped, todo } = summary.counts;
    const those = { passed, failed: tests - passed - skipped - todo, skipped: skipped + todo };
    // The summary without a file is the one of the whole run.
    if (summary.file === undefined) counts = those;
    else if (those.failed > 0) failedFiles.set(summary.file, those);
  });
  events.on('test:fail', ({ name, file }) => {
    failures.push(file === undefined ? name : `${relative(process.cwd(), file)}: ${name}`);
  });
  await new Promise((resolve, reject) => {
    events.compose(spec).on('error', reject).on('end', resolve).pipe(process.stdout, { end: false });
  });
  return { counts, failedFiles, failures };
}

/**
 * A file of browsers and products that failed beside another is run once more, with the machine to itself: what it needs is
 * not always there when two of them share two processors. What passes only then is named, in the outcome and at the
 * end of the run, and is a fault to look at; what fails again has failed.
 */
export async function runAgainAlone(
  first: Outcome,
  limitMs: number,
): Promise<Outcome & { readonly onlyAlone: string[] }> {
  let counts = first.counts;
  for (const before of first.failedFiles.values()) counts = subtractCounts(counts, before);
  const again = await runNodeTests([...first.failedFiles.keys()], 1, limitMs);
  const onlyAlone = first.failures.filter((failure) => !again.failures.includes(failure));
  return { ...again, counts: addCounts(counts, again.counts), onlyAlone };
}

function subtractCounts(a: Counts, b: Counts): Counts {
  return { passed: a.passed - b.passed, failed: a.failed - b.failed, skipped: a.skipped - b.skipped };
}
