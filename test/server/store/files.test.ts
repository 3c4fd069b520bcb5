import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { copyDurably, makePrivateFolder, renameDurably } from '../../../server/store/files.ts';

const folder = mkdtempSync(join(tmpdir(), 'files-'));
after(() => rmSync(folder, { recursive: true }));

test('QPT-7: a folder is copied with all that is in it, for its owner alone', () => {
  const from = join(folder, 'from');
  mkdirSync(join(from, 'a', 'b'), { recursive: true, mode: 0o755 });
  writeFileSync(join(from, 'one'), Buffer.from([0, 255, 10]), { mode: 0o644 });
  writeFileSync(join(from, 'a', 'b', 'two'), '');
  const to = join(folder, 'x', 'y', 'to');
  copyDurably(from, to);
  assert.deepEqual((readdirSync(to, { recursive: true }) as string[]).sort(), ['a', 'a/b', 'a/b/two', 'one']);
  assert.deepEqual(readFileSync(join(to, 'one')), Buffer.from([0, 255, 10]));
  for (const [name, mode] of [
    ['one', 0o600],
    ['a/b/two', 0o600],
    ['a/b', 0o700],
    ['', 0o700],
  ] as const)
    assert.equal(statSync(join(to, name)).mode & 0o777, mode, name);
});

test('QPT-7: a folder that is there already is as good as one that was made, and a new name takes the old one’s place', () => {
  makePrivateFolder(join(folder, 'again', 'and'));
  makePrivateFolder(join(folder, 'again', 'and'));
  renameDurably(join(folder, 'again'), join(folder, 'renamed'));
  assert.deepEqual(readdirSync(join(folder, 'renamed')), ['and']);
});
