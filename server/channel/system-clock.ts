/** The one Clock of the server's processes. Tests bring their own. */
import type { Clock } from '../../protocol/clock.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    // Timers never keep a process alive: a process ends when its sockets and its supervisor say so.
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};
