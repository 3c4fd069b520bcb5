/**
 * `npm test`: builds what is missing, finds or installs a Chromium, runs every suite and prints one count.
 * With file names as arguments it runs only those. `npm run test:long` (`--long`) runs the long form of those that have
 * one (docs/testing.md).
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from '../server/build.ts';
import { compileCache } from '../server/compile-cache.ts';
import { runBrowserUnits } from './support/browser-units.ts';
import { findChromium } from './support/chromium.ts';
import { addCounts, type Counts, noCounts } from './support/counts.ts';
import { type Failure, runAgainAlone, runNodeTests } from './support/node-tests.ts';

const root = join(import.meta.dirname, '..');

interface Suite {
  readonly name: string;
  /** Patterns. */
  readonly files: readonly string[];
  readonly except?: readonly string[];
  /** Files at a time. */
  readonly concurrency: number;
  /** Its tests run on the PostgreSQL of LATCHKEY_TEST_POSTGRES, and are skipped as a whole without one. */
  readonly onPostgres?: true;
}

const isLong = process.argv[2] === '--long';

/** What measures a process, or loads the machine until something gives: other tests beside it would be part of the result. */
const alone = ['browser-memory', 'endurance', 'flat-memory', 'gateway-limits', 'slowloris'].map(
  (name) => `test/e2e/${name}.test.ts`,
);

/**
 * Where the store is more than a place to keep things: what is single use, what is revoked, what is chained; and people's
 * own way through it, in a Chromium. In the long form all of the control plane, and every flow of people.
 */
const ofTheStore = ['server/store/store', 'server/control/{admin,changes,login,restart}', 'e2e/admin'];
const ofTheStoreInLong = [
  'server/store/*',
  'server/control/*',
  'e2e/{admin,demo,browser-{links,four-eyes,oidc,step-up}}',
];

const inTests = (names: string): string => `test/${names}.test.ts`;

/** Suites in the order of trust: a broken kernel is found before a page that uses it. */
const suites: readonly Suite[] = [
  { name: 'unit', files: ['test/{protocol,models,wasm,server,posture-js,worker,web}/**/*.test.ts'], concurrency: 2 },
  {
    name: 'on PostgreSQL',
    files: (isLong ? ofTheStoreInLong : ofTheStore).map(inTests),
    concurrency: 2,
    onPostgres: true,
  },
  { name: 'interop', files: ['test/interop/**/*.test.ts'], concurrency: 1 },
  { name: 'end to end', files: ['test/e2e/**/*.test.ts'], except: alone, concurrency: 2 },
  { name: 'end to end, alone', files: alone, concurrency: 1 },
];
const fileLimitMs = (isLong ? 120 : 15) * 60_000;

// Inherited by every test's process and by the products they start.
process.env['NODE_COMPILE_CACHE'] = compileCache;
process.env['PATH'] = `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`;
process.chdir(root);
if (isLong) process.env['LATCHKEY_LONG'] = '1';
const named = process.argv.slice(isLong ? 3 : 2);

await ensureBuilt();
process.env['CHROME_PATH'] = findChromium();

let total = noCounts;
const failures: Failure[] = [];
const onlyAlone: Failure[] = [];
if (named.length > 0) {
  const browser = named.filter((file) => file.includes('.browser.'));
  const node = named.filter((file) => !browser.includes(file));
  if (node.length > 0) total = addCounts(total, await runFiles(globSync(node).sort(), 1));
  if (browser.length > 0) total = addCounts(total, await runBrowserUnits(browser));
} else {
  for (const suite of isLong ? suitesInLong() : suites) {
    console.log(`\n# ${suite.name}`);
    total = addCounts(
      total,
      await (suite.onPostgres ? runOnPostgres(suite) : runFiles(filesOf(suite), suite.concurrency)),
    );
    if (suite.name === 'unit') total = addCounts(total, await runBrowserUnits(['test/browser/**/*.browser.ts']));
  }
}

for (const failure of onlyAlone) console.log(`passed only alone: ${failure.file}: ${failure.name}`);
for (const failure of failures) console.log(`failed: ${failure.file}: ${failure.name}`);
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);

function filesOf({ files, except = [] }: Suite): string[] {
  return globSync([...files], { exclude: [...except] }).sort();
}

/** Those that ask which form they are in, and what is longer on PostgreSQL. */
function suitesInLong(): Suite[] {
  const asks = (file: string) =>
    /\binLong\(|\b(hostileRuns|fewerWays)\b|LATCHKEY_LONG/.test(readFileSync(file, 'utf8'));
  const files = suites.flatMap(filesOf).filter(asks);
  return [{ name: 'long forms', files, concurrency: 1 }, ...suites.filter(({ onPostgres }) => onPostgres)];
}

async function runOnPostgres(suite: Suite): Promise<Counts> {
  if (process.env['LATCHKEY_TEST_POSTGRES'] === undefined) {
    console.log('skipped: LATCHKEY_TEST_POSTGRES names no PostgreSQL');
    return { passed: 0, failed: 0, skipped: 1 };
  }
  process.env['LATCHKEY_TEST_STORE'] = 'postgres';
  const counts = await runFiles(filesOf(suite), suite.concurrency);
  delete process.env['LATCHKEY_TEST_STORE'];
  return counts;
}

async function runFiles(files: string[], concurrency: number): Promise<Counts> {
  const first = await runNodeTests(files, concurrency, fileLimitMs);
  const outcome = concurrency === 1 ? { ...first, onlyAlone: [] } : await runAgainAlone(first, fileLimitMs);
  failures.push(...outcome.failures);
  onlyAlone.push(...outcome.onlyAlone);
  return outcome.counts;
}
