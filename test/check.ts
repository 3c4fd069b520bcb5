/** `npm run check`: types, format, lint and boundaries, unused code. Runs them all and fails if one does. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const checks = [['tsc', '-b'], ['biome', 'check', '--error-on-warnings', '.'], ['knip']] as const;

const failed = checks.filter(([command, ...args]) => {
  console.log(`\n# ${command} ${args.join(' ')}`);
  const result = spawnSync(join(root, 'node_modules/.bin', command), args, { cwd: root, stdio: 'inherit' });
  return result.status !== 0;
});

if (failed.length > 0) console.error(`\nNot clean: ${failed.map(([command]) => command).join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
