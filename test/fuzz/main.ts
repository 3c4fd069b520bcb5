/**
 * `npm run fuzz [-- --seconds N]`: first finds the planted faults, so that silence means something, then fuzzes each
 * harness for N seconds (60 without it, 600 at night). Ends with 1 at the first finding, which it prints with the input.
 */
import { parseArgs } from 'node:util';
import { type FuzzResult, fuzz, fuzzPlanted, harnesses, missingForFuzzing } from './fuzz.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const seconds = Number(values.seconds);
const missing = missingForFuzzing();
if (missing !== null) fail(missing);
if (!(seconds > 0)) fail('--seconds takes a number above 0.');

for (const harness of harnesses) {
  const { finding, runs } = await fuzzPlanted(harness, { runs: 300_000 });
  if (finding === null) fail(`${harness}: the planted fault was not found in ${runs} runs.`);
  console.log(`${harness}: the planted fault was found after ${runs} runs: ${finding}`);
}
for (const harness of harnesses) report(await fuzz(harness, { seconds }));

function report({ harness, finding, runs, edges, report }: FuzzResult): void {
  if (finding !== null) fail(`${report}\n${harness}: ${finding}`);
  console.log(`${harness}: ${runs} runs, ${edges} edges of the module, nothing found`);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
