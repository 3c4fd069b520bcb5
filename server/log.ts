/**
 * The one file that prints what the server has to say of itself: JSON lines on standard error.
 * Fields whose name says that they hold a secret are masked, whoever passes them in.
 */
import { type Logger, pino } from 'pino';

export type { Logger };

const secretNames = [
  'token',
  'secret',
  'key',
  'privateKey',
  'presharedKey',
  'cookie',
  'authorization',
  'password',
  'jarKey',
  'ticketKey',
];
const redacted = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

const root = pino(
  { base: {}, redact: { paths: redacted, censor: '[masked]' }, timestamp: pino.stdTimeFunctions.isoTime },
  pino.destination({ dest: 2, sync: true }),
);

// A pino child keeps the level it was born with, and parts make their loggers before the configuration is read.
const children = new Set<Logger>();

/** Sets what is printed for the whole process; `silent` prints nothing. */
export function setLogLevel(level: string): void {
  root.level = level;
  for (const child of children) child.level = level;
}

/** A logger whose lines carry the part's name. Make one for each part, not one for each request. */
export function logger(part: string): Logger {
  const child = root.child({ part });
  children.add(child);
  return child;
}
