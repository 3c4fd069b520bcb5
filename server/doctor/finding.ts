/** What `latchkey doctor` found out: one sentence, and what to do where something is wrong. */

export interface Finding {
  /** Stable, for programs. */
  readonly check: string;
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly advice?: string;
}

export const ok = (check: string, message: string): Finding => ({ check, verdict: 'ok', message });
export const warn = (check: string, message: string, advice: string): Finding => ({
  ...{ check, verdict: 'warn', message, advice },
});
export const fail = (check: string, message: string, advice: string): Finding => ({
  ...{ check, verdict: 'fail', message, advice },
});
