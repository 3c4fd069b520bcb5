/** The Worker's Clock. */
import type { Clock } from '../../protocol/clock.ts';

export const workerClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
