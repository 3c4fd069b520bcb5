/**
 * `npm run bench -- NAME [--browser] [--json]`: measures and prints figures, one a line, with --json as
 * `{"name","value","unit"}`. Figures that compare are ratios within one run, its rounds interleaved. Never a test: what a
 * machine does today is no property of the code.
 */
import { parseArgs } from 'node:util';
import type { BenchOptions, Figure } from './figure.ts';

type Bench = { readonly figures: (options: BenchOptions) => AsyncIterable<Figure> };

/** One file a name. */
const benches: Record<string, () => Promise<Bench>> = {
  control: () => import('./control.ts'),
  crypto: () => import('./crypto.ts'),
  web: () => import('./web.ts'),
  wireguard: () => import('./wireguard.ts'),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { browser: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
});
const load = benches[positionals[0] ?? ''];
if (load === undefined || positionals.length !== 1) {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join('|')} [--browser] [--json]`);
  process.exit(2);
}

const { figures } = await load();
for await (const figure of figures({ browser: values.browser }))
  console.log(values.json ? asJson(figure) : asText(figure));
process.exit(0);

function asJson({ name, value, unit }: Figure): string {
  return JSON.stringify({ name, value: rounded(value), unit });
}

function asText({ name, value, unit }: Figure): string {
  return `${name.padEnd(48)} ${String(rounded(value)).padStart(8)} ${unit}`;
}

/** Three digits: more is noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
