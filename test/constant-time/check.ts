/**
 * Whether the instructions and addresses of the shipped Wasm depend on a secret: the module as unoptimised native code
 * (test/native), run by secrets.c under valgrind's memcheck with every secret marked undefined. Each use of one as a
 * condition or an address is a site; sites are either declared here, with the reason, or leaks.
 *
 * It judges the Wasm's own operations on the paths that were run. A browser's engine translates them once more, and a
 * processor executes that: neither is seen here.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileKernels } from '../../wasm/build.ts';
import { faultyModule, missingTools, NativeError, nativeModule, program, tools } from '../native/module.ts';

const here = import.meta.dirname;
const moduleFlags = ['-O0', '-gdwarf-4'];

/** Where a secret decides: the operation of secrets.c, and the function of assembly/ with the line of its C. */
export interface Site {
  readonly operation: string;
  readonly function: string;
  readonly line: number;
}

interface Declared {
  readonly operation: string;
  readonly function: string;
  /** So many places in that function, and no more: a second branch there is not covered. */
  readonly sites: number;
  readonly why: string;
}

/** Decisions that are made of secrets and public nevertheless. */
export const declared: readonly Declared[] = [
  ...['aead_open', 'record_open'].map((operation) => ({
    operation,
    function: 'aead/openWith',
    sites: 1,
    why: 'whether a record was genuine decides what happens next, and the peer is told; the tags were compared whole',
  })),
  {
    operation: 'record_open',
    function: 'slotOpen',
    sites: 1,
    why: 'the same answer: a forgery does not advance the counter',
  },
  ...['mldsa_generate', 'mldsa_sign'].flatMap((operation) => [
    {
      operation,
      function: 'mldsa/sampling/sieveShort',
      sites: 2,
      why: 'which candidates for s1 and s2 were refused and so where the next one goes, which says nothing of the others',
    },
    {
      operation,
      function: 'mldsa/mldsa/expand',
      sites: 1,
      why: 'the same count, at the end of a block',
    },
  ]),
  {
    operation: 'mldsa_sign',
    function: 'mldsa/sampling/sampleChallenge',
    sites: 3,
    why: 'where the challenge is not zero: it is published, or that of a refused attempt, a hash that says nothing of y',
  },
  {
    operation: 'mldsa_sign',
    function: 'mldsaSign',
    sites: 3,
    why: 'that an attempt was refused, which is practically as likely under every key and names no coefficient, and the hint, which is published',
  },
];

/** @returns one sentence on what is missing on this machine, or null. */
export const missingForConstantTime = (): string | null => missingTools(tools.clang, tools.simde, tools.valgrind);

/** Checks the module of the sources as they are. @returns what nobody declared and what was declared in vain; empty is well. */
export async function leaks(): Promise<Site[]> {
  const sites = sitesOf(await compileKernels());
  const vain = declared.filter(
    (entry) => !sites.some((site) => site.operation === entry.operation && site.function === entry.function),
  );
  return [...undeclared(sites), ...vain.map((entry) => ({ ...entry, line: 0 }))];
}

/** Checks the module with the leaks of planted.as. @returns for each planted function whether it was reported. */
export async function plantedLeaks(): Promise<Map<string, boolean>> {
  const { faults, ...module } = await faultyModule(join(here, 'planted.as'));
  const found = undeclared(sitesOf(module)).map((site) => site.function);
  return new Map(faults.map((name) => [name, found.includes(name)]));
}

/** Runs every operation under valgrind. @throws NativeError when it does not come to its end. */
function sitesOf({ binary, text }: { binary: Uint8Array; text: string }): Site[] {
  const folder = nativeModule(binary, moduleFlags);
  const path = program(join(here, 'secrets.c'), 'secrets', folder, []);
  const xml = join(folder, 'memcheck.xml');
  const options = ['--xml=yes', `--xml-file=${xml}`, '--error-limit=no', '--num-callers=20'];
  const { status, signal, stderr } = spawnSync('valgrind', ['--tool=memcheck', ...options, path], { encoding: 'utf8' });
  if (status !== 0) throw new NativeError('valgrind', `it ended with ${status ?? signal}: ${stderr}`);
  return sitesIn(readFileSync(xml, 'utf8'), namesOf(text));
}

/** The names in assembly/ by the module's function indices, which the C goes by where a function is not exported. */
function namesOf(text: string): string[] {
  return Array.from(text.matchAll(/^ \(func \$(\S+)/gm), ([, name]) => name!.replace(/^.*assembly\//, ''));
}

/** Each distinct site once. */
function sitesIn(xml: string, names: string[]): Site[] {
  const sites = new Map<string, Site>();
  for (const [error] of xml.matchAll(/<error>[\s\S]*?<\/error>/g)) {
    const frames = Array.from(error.matchAll(/<frame>([\s\S]*?)<\/frame>/g), ([, frame]) => frame!);
    const ofModule = frames.find((frame) => element(frame, 'fn').startsWith('w2c_latchkey_'));
    const ofHarness = frames.find((frame) => element(frame, 'file') === 'secrets.c');
    const name = element(ofModule ?? '', 'fn').replace(/^w2c_latchkey_/, '');
    const index = /^f(\d+)$/.exec(name)?.[1];
    const site = {
      operation: element(ofHarness ?? '', 'fn'),
      function: index === undefined ? name.replace(/_0$/, '') : (names[Number(index)] ?? name),
      line: Number(element(ofModule ?? '', 'line')),
    };
    sites.set(JSON.stringify(site), site);
  }
  return [...sites.values()];
}

function element(xml: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
}

/** All sites of a function in an operation when there are more or fewer of them than were declared. */
function undeclared(sites: Site[]): Site[] {
  return sites.filter((site) => {
    const same = sites.filter((other) => other.operation === site.operation && other.function === site.function);
    const allowed = declared.find((entry) => entry.operation === site.operation && entry.function === site.function);
    return same.length !== (allowed?.sites ?? 0);
  });
}
