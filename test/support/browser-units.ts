/** Runs the browser's unit tests in a real Chromium by @web/test-runner: real Workers, the real Wasm, no bundler. */
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { defaultReporter, startTestRunner, type TestRunnerPlugin } from '@web/test-runner';
import { chromeLauncher } from '@web/test-runner-chrome';
import { chromiumFlags, findChromium } from './chromium.ts';
import { type Counts, noCounts } from './counts.ts';
import { vectorsPresent, vectorText } from './vectors.ts';

const root = join(import.meta.dirname, '../..');

/** Serves TypeScript as the browser can read it: types are blanked, lines stay where they are. */
const typescript: TestRunnerPlugin = {
  name: 'strip-types',
  resolveMimeType: (context) => (context.path.endsWith('.ts') ? 'js' : undefined),
  transform(context) {
    if (!context.path.endsWith('.ts') || typeof context.body !== 'string') return undefined;
    return { body: stripTypeScriptTypes(context.body) };
  },
};

/** Serves the published vectors under /vectors/, which lie outside the project. */
const vectors: TestRunnerPlugin = {
  name: 'vectors',
  serve(context) {
    if (!context.path.startsWith('/vectors/') || !vectorsPresent) return undefined;
    return { body: vectorText(context.path.slice('/vectors/'.length)), type: 'json' };
  },
};

/** @param files globs relative to the project. A run in which no test ran is a failure. */
export async function runBrowserUnits(files: string[]): Promise<Counts> {
  const runner = await startTestRunner({
    config: {
      rootDir: root,
      files,
      nodeResolve: { exportConditions: ['browser', 'import', 'default'] },
      plugins: [typescript, vectors],
      concurrency: 1,
      testsFinishTimeout: 120_000,
      testFramework: { config: { timeout: 60_000 } },
      browsers: [
        chromeLauncher({
          launchOptions: {
            executablePath: findChromium(),
            args: chromiumFlags.filter((flag) => flag !== '--headless'),
          },
        }),
      ],
      reporters: [defaultReporter({ reportTestProgress: false, reportTestResults: true })],
      watch: false,
    },
    readCliArgs: false,
    readFileConfig: false,
    autoExitProcess: false,
  });
  if (runner === undefined) return { ...noCounts, failed: 1 };
  return new Promise((resolve) => {
    runner.on('stopped', () => resolve(countSessions([...runner.sessions.all()])));
  });
}

type Session = { errors: unknown[]; testResults?: Suite | undefined };
type Suite = { tests: readonly { passed: boolean; skipped: boolean }[]; suites: readonly Suite[] };

function countSessions(sessions: readonly Session[]): Counts {
  let counts = { passed: 0, failed: 0, skipped: 0 };
  const visit = (suite: Suite) => {
    for (const test of suite.tests) {
      if (test.skipped) counts.skipped += 1;
      else if (test.passed) counts.passed += 1;
      else counts.failed += 1;
    }
    for (const inner of suite.suites) visit(inner);
  };
  for (const session of sessions) {
    if (session.testResults !== undefined) visit(session.testResults);
    counts.failed += session.errors.length;
  }
  if (counts.passed === 0) counts = { ...counts, failed: counts.failed + 1 };
  console.log(`browser units: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts;
}
