/** Looks at the guard again and again, and says of each address whether sockets may be bound to it. */
import type { Clock } from '../../../protocol/clock.ts';
import type { DeviceLog } from '../device.ts';
import { type GuardReport, lookAtGuard } from './guard.ts';
import type { GuardSettings } from './guard-rules.ts';

/** The rules do the guarding; this is how soon we notice that somebody has taken one away. */
const lookEveryMs = 2_000;

export class GuardWatch {
  readonly #settings: GuardSettings;
  readonly #clock: Clock;
  readonly #log: DeviceLog;
  #report: GuardReport = { problems: [], safe: [] };
  #said = '';
  #cancel = () => {};
  #closed = false;

  constructor(settings: GuardSettings, clock: Clock, log: DeviceLog) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
  }

  /** Looks for the first time. */
  async start(): Promise<void> {
    this.#report = await lookAtGuard(this.#settings);
    this.#say();
    if (!this.#closed) this.#cancel = this.#clock.after(lookEveryMs, () => void this.start());
  }

  isSafe(address: string): boolean {
    return this.#report.safe.includes(address);
  }

  close(): void {
    this.#closed = true;
    this.#report = { problems: [], safe: [] };
    this.#cancel();
  }

  /** Each state once. */
  #say(): void {
    const codes = this.#report.problems.map(({ code }) => code).join();
    if (codes === this.#said) return;
    this.#said = codes;
    for (const { code, message, advice } of this.#report.problems) this.#log.warn({ code, advice }, message);
  }
}
