/**
 * `npm run check:ct [-- --timing]`: first finds the planted leaks, so that silence means something, then runs every
 * operation of the shipped Wasm with its secrets marked. Ends with 1 at a decision or an address that depends on one.
 * With `--timing` it reports measured times as well (timing.ts), which decide nothing.
 */
import { parseArgs } from 'node:util';
import { declared, leaks, missingForConstantTime, plantedLeaks } from './check.ts';
import { reportTimings } from './timing.ts';

const { values } = parseArgs({ options: { timing: { type: 'boolean', default: false } } });
const missing = missingForConstantTime();
if (missing !== null) fail(missing);

const planted = [...(await plantedLeaks())];
const silent = planted.filter(([, reported]) => !reported);
if (silent.length > 0) fail(`planted leaks that were not reported: ${silent.map(([name]) => name).join(', ')}`);
console.log(`The planted leaks were reported: ${planted.map(([name]) => name).join(', ')}`);
const found = await leaks();
if (found.length > 0) fail(found.map((site) => `leak: ${JSON.stringify(site)}`).join('\n'));
console.log('No branch and no address of the shipped Wasm depends on a secret, but for these, which are public:');
for (const { operation, function: name, why } of declared) console.log(`  ${operation}, in ${name}: ${why}`);
if (values.timing) await reportTimings();

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
