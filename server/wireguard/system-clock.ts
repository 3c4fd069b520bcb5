/** The machine's clocks, where nobody brings others. A timer of ours never keeps a process alive: its sockets do. */
import type { Clock } from '../../protocol/clock.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};
