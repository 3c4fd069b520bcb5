/** What tests watch in a shell tab: its status as it changes, and its counters. */
import type { Page } from 'playwright-core';

/** A search for WebTransport may have failed just before it would have been found; the next comes 20 s later. */
const patienceMs = 60_000;

/** The status at one moment, as the element said it. */
export interface Status {
  readonly state: string;
  readonly transport: string | undefined;
  readonly epoch: number;
}

interface Watch {
  readonly seen: Status[];
  readonly wake: Set<() => void>;
}

// Lives in the shell's window.
declare global {
  interface Window {
    statusWatch?: Watch;
  }
}

/** Records every change of the status from now on; the first entry is the present one. */
export function watchStatus(shell: Page): Promise<void> {
  return shell.evaluate(() => {
    const element = document
      .querySelector('lk-shell')
      ?.shadowRoot?.querySelector('lk-shell-bar')
      ?.shadowRoot?.querySelector<HTMLElement>('[role=status]');
    if (element == null) throw new Error('the shell has no status');
    const watch: Watch = { seen: [], wake: new Set() };
    const look = () => {
      const { state = '', transport, epoch } = element.dataset;
      watch.seen.push({ state, transport, epoch: Number(epoch) });
      for (const wake of watch.wake) wake();
    };
    look();
    new MutationObserver(look).observe(element, {
      attributeFilter: ['data-state', 'data-transport', 'data-epoch'],
    });
    window.statusWatch = watch;
  });
}

/** Everything recorded since {@link watchStatus}. */
export function statusSeen(shell: Page): Promise<readonly Status[]> {
  return shell.evaluate(() => window.statusWatch?.seen ?? []);
}

/** Resolves once the recorded status has reached an epoch. @throws Error when that takes too long. */
export function untilEpoch(shell: Page, epoch: number): Promise<void> {
  return untilStatus(shell, { epoch });
}

/** Resolves once the status was one of these since {@link watchStatus}, in this order. */
export function untilStates(shell: Page, ...states: string[]): Promise<void> {
  return untilStatus(shell, { states });
}

/** Resolves once the status names this transport. @throws Error when that takes too long. */
export function untilTransport(shell: Page, transport: string): Promise<void> {
  return untilStatus(shell, { transport });
}

function untilStatus(shell: Page, wanted: { epoch?: number; states?: string[]; transport?: string }): Promise<void> {
  return shell.evaluate(
    ({ epoch = 0, states = [], transport, patienceMs }) =>
      new Promise<void>((resolve, reject) => {
        const watch = window.statusWatch;
        const look = () => {
          const seen = watch?.seen ?? [];
          const left = [...states];
          for (const { state } of seen) if (state === left[0]) left.shift();
          if (left.length > 0 || (seen.at(-1)?.epoch ?? 0) < epoch) return;
          if (transport !== undefined && seen.at(-1)?.transport !== transport) return;
          watch?.wake.delete(look);
          resolve();
        };
        watch?.wake.add(look);
        look();
        setTimeout(() => reject(new Error(`the status was only ${JSON.stringify(watch?.seen)}`)), patienceMs);
      }),
    { ...wanted, patienceMs },
  );
}
