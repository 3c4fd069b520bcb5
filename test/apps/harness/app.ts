/** A real app: how it is started, what a person does with it, and what may differ, each with its reason. */
import type { ChildProcess } from 'node:child_process';
import type { AppPage } from './page.ts';

/** Where an app is to run. Every visit gets an app of its own, in a folder of its own. */
export interface Place {
  /** Empty, and removed afterwards. */
  readonly folder: string;
  /** TCP port on 127.0.0.1 that the app is to listen on. */
  readonly port: number;
  /** Where browsers find it, such as `http://wiki.apps.localhost:8700`. */
  readonly origin: string;
  /** Starts a process that is ended after the visit. Its output is kept for the report of a failure. */
  spawn(
    command: string,
    args: readonly string[],
    options?: { env?: Record<string, string>; cwd?: string },
  ): ChildProcess;
  /** Path of a file of the installed npm packages. */
  installed(path: string): string;
  /** Resolves when the app answers HTTP at this path. @throws when a process of it ends before. */
  answers(path?: string): Promise<void>;
  /** Any other free port. */
  freePort(): Promise<number>;
}

export type Part = 'dom' | 'console' | 'request' | 'header' | 'socket' | 'cookie';

/** What is told apart from a fault of ours. */
export interface Difference {
  readonly part: Part;
  /**
   * Taken out of a line (an element of the DOM, a line of the access log) on both sides; what is left must be equal.
   */
  readonly pattern: RegExp;
  readonly why: string;
}

export interface RealApp {
  /** The service's label, and what needs.ts knows it by. */
  readonly name: string;
  readonly start: (place: Place) => Promise<void>;
  readonly visit: (page: AppPage, place: Place) => Promise<void>;
  readonly mayDiffer: readonly Difference[];
  /** Its pages do not stay in a frame: the person opens the window that the shell offers instead. */
  readonly ownWindow?: true;
  /** Elements that look different each time (a clock, a cursor), by selector: hidden in screenshots. */
  readonly restless?: readonly string[];
  /** Share of a screenshot's pixels that may differ. */
  readonly pixels?: number;
}
