/** `latchkey config`: every setting in force, with its value. */
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { withoutStorePassword } from '../config.ts';
import { configOf, optionsOf, print } from './output.ts';

export function addConfigCommand(program: Command): void {
  program
    .command('config')
    .description('print the configuration in force')
    .option('--json', 'print JSON')
    .action((_own: unknown, command: Command) => {
      const config = withoutStorePassword(configOf(optionsOf(command)));
      print(optionsOf(command), config, () => stringify(config).trimEnd());
    });
}
