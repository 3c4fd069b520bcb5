/**
 * The rules of the kernel sources that a reader would otherwise have to trust: no division, no allocation, and every
 * branch says why its condition is public. Constant time cannot be promised in Wasm (the engine compiles it again);
 * what the source can do is done.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assemblyDirectory } from '../../wasm/build.ts';

interface Line {
  readonly where: string;
  readonly code: string;
  readonly comment: string;
}

/** The lines of a source: block comments blanked, strings emptied, the comment at the end of the line kept apart. */
function linesOf(path: string): Line[] {
  const source = readFileSync(join(assemblyDirectory, path), 'utf8');
  const blanked = source.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '));
  return blanked.split('\n').map((line, index) => {
    const [code = '', ...comment] = line.replace(/'[^']*'/g, "''").split('//');
    return { where: `${path}:${index + 1}`, code, comment: comment.join('//') };
  });
}

const files = globSync('**/*.ts', { cwd: assemblyDirectory }).sort();
const lines = files.flatMap(linesOf);
const offending = (pattern: RegExp, unless: (line: Line) => boolean = () => false) =>
  lines.filter((line) => pattern.test(line.code) && !unless(line)).map(({ where, code }) => `${where} ${code.trim()}`);

test('QZ-18: no kernel divides, not even by a constant', () => {
  assert.ok(lines.length > 800, 'the sources were read');
  assert.deepEqual(offending(/[/%]/), []);
});

test('QZ-18: every branch of a kernel says why its condition is public', () => {
  const branches = lines.filter(({ code }) => /\b(?:if|while|switch)\b|\?|&&|\|\|/.test(code));
  assert.ok(branches.length > 10, 'the branches were found');
  const silent = branches.filter(({ comment }) => !comment.includes('public: '));
  assert.deepEqual(
    silent.map(({ where, code }) => `${where} ${code.trim()}`),
    [],
  );
});

test('QZ-18: the head of a loop counts or walks addresses: it calls nothing and reads no memory', () => {
  const loops = lines.filter(({ code }) => /\bfor\b/.test(code));
  assert.ok(loops.length > 20, 'the loops were found');
  const plain = /\bfor \([^()]*;[^()]*;[^()]*\)/;
  assert.deepEqual(
    loops.filter(({ code }) => !plain.test(code)).map(({ where, code }) => `${where} ${code.trim()}`),
    [],
  );
});

test('nothing in a kernel allocates', () => {
  assert.deepEqual(offending(/\bnew\b|\bStaticArray\b|\bheap\b|=>|\[\]|\bString\b|\bArray\b/), []);
});

test('no table of constants is read at an index that could be secret', () => {
  const tables = lines.flatMap(
    ({ code }) => /^(?:export )?const (?!ARENA\b)(\w+): usize = memory\.data\b/.exec(code)?.[1] ?? [],
  );
  // Each index is none, a loop counter, or made of nothing else; `table` is one of the two of zetas.
  const indices = {
    BY_16: 'BY_16',
    BY_8: 'BY_8',
    CONSTANTS: 'CONSTANTS',
    K: 'K + i',
    MASK_25: 'MASK_25',
    MASK_26: 'MASK_26',
    MODULUS: 'MODULUS',
    POWERS: 'POWERS + k',
    ROUND: 'ROUND + round',
    TIMES_19: 'TIMES_19',
    TIMES_38: 'TIMES_38',
    TWICE_P: 'TWICE_P + at',
    ZETAS: 'table + (index << 1)',
    ZETA_QUOTIENTS: 'table + (index << 1)',
  };
  assert.deepEqual(tables.sort(), Object.keys(indices));
  const address = new RegExp(`\\bload\\w*(?:<\\w+>)?\\(((?:${[...tables, 'table'].join('|')})\\b.*)`);
  const readers = lines.flatMap(({ where, code }) => {
    const [, rest] = address.exec(code) ?? [];
    return rest === undefined ? [] : [{ where, rest }];
  });
  const allowed = [...new Set(Object.values(indices))];
  for (const { where, rest } of readers) {
    const found = allowed.some((index) => rest.startsWith(`${index})`) || rest.startsWith(`${index},`));
    assert.ok(found, `${where} load(${rest}`);
  }
  assert.equal(readers.length, 18);
});

test('every kernel source opens with what it is, its specification and what it is not for', () => {
  for (const file of files) {
    const header = /^\/\*\*[\s\S]*?\*\//.exec(readFileSync(join(assemblyDirectory, file), 'utf8'))?.[0] ?? '';
    assert.match(header, /\b(?:Not for|Not exported|never give|Only wasm\/kernel\.ts)/, file);
    if (!['index.ts', 'memory.ts'].includes(file)) assert.match(header, /\b(?:RFC|FIPS|cr\.yp\.to)/, file);
  }
});
