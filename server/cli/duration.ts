/** Durations as people write them on a command line: a number and a unit. */
import { CommandFailure } from './output.ts';

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds. @param text such as 90s, 30m, 1h, 2d. @throws CommandFailure `duration_malformed` */
export function durationS(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (count === '')
    throw new CommandFailure('duration_malformed', 'A duration is a number and a unit: 90s, 30m, 1h, 2d.');
  return Number(count) * (units[unit] ?? 1);
}
