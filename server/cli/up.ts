/** `latchkey up`: runs the product until it is told to stop. */
import { type Command, InvalidArgumentError } from 'commander';
import { ensureBuilt } from '../build.ts';
import { setLogLevel } from '../log.ts';
import { type ReadyEvent, type UpEvent, up } from '../up/up.ts';
import { configOf, optionsOf } from './output.ts';
import { untilTold } from './until-told.ts';

export function addUpCommand(program: Command): void {
  program
    .command('up')
    .description('start the control plane, the gateway and, while no service is defined, a demo service')
    .option('--data <dir>', 'the folder of this installation')
    .option('--port <n>', 'the port for pages and tunnels; 0 takes a free one', portNumber)
    .option('--store <url>', 'a PostgreSQL database instead of a file in that folder: postgres://…')
    .option('--json', 'print JSON, one object a line')
    .action(async (_options: unknown, command: Command) => {
      const options = optionsOf(command);
      const config = configOf(options);
      setLogLevel(config.logLevel);
      await ensureBuilt();
      const running = await up(config, (event) => announce(options.json === true, event));
      await untilTold();
      await running.stop();
      process.exit(0);
    });
}

function portNumber(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value > 65_535) throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return value;
}

function announce(json: boolean, event: UpEvent): void {
  if (json) process.stdout.write(`${JSON.stringify(event)}\n`);
  else if (event.event === 'ready') process.stdout.write(welcome(event));
}

function welcome(ready: ReadyEvent): string {
  const enrol =
    ready.enrol === null
      ? '  Sign in there with the passkey you have.\n'
      : `  First admin, once, within a day:\n    ${ready.enrol}\n`;
  return `\n  Latchkey is ready at ${ready.hub}\n${enrol}  Ctrl-C stops it.\n\n`;
}
