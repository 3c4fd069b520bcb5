/**
 * Loaded into each test file's process before the file (`--import file-limits.ts?ms=N`), as node:test bounds each test and
 * no file: ends a process that outlives N ms, or whose tests are done while something of theirs still runs, and says what
 * that is. The file has failed then. Without it one server that a failed test left open would hold up the whole run.
 */
import { after } from 'node:test';
import { isMainThread } from 'node:worker_threads';

/** For the file's own last hooks, which run behind ours: they stop products and browsers. */
const clearingUpMs = 60_000;

if (isMainThread) {
  // Processes that a test forks are not test files.
  process.execArgv.splice(process.execArgv.indexOf('--import'), 2);
  endIn(Number(new URL(import.meta.url).searchParams.get('ms')), 'the file is over its time');
  after(() => endIn(clearingUpMs, 'the tests are done, but something of theirs still runs'));
}

function endIn(ms: number, why: string): void {
  const end = () => {
    console.error(`${process.argv[1]}: ${why}: ${process.getActiveResourcesInfo().join(', ')}`);
    process.exit(1);
  };
  setTimeout(end, ms).unref();
}
