/** The Clock of a running process. Its timers do not keep the process alive: the source of packets does. */
import type { Clock } from '../../protocol/clock.ts';

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
