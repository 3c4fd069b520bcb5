/** The control plane's process. */
import { systemClock } from '../channel/system-clock.ts';
import { logger } from '../log.ts';
import { runChild } from '../up/child.ts';
import { startControl } from './control.ts';

runChild('control', async ({ config, tokens }) => {
  const control = await startControl({ config, clock: systemClock, log: logger('control'), tokens: tokens ?? {} });
  return {
    info: { services: control.services },
    http: control.http,
    addTokens: (added) => control.addTokens(added),
    stop: () => control.stop(),
  };
});
