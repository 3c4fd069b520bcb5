/** What a process holds, as /proc tells it (Linux). */
import { readdirSync, readFileSync } from 'node:fs';

export interface Sample {
  readonly residentBytes: number;
  /** Open file descriptors. */
  readonly fds: number;
  /** Processor time since it began. */
  readonly cpuMs: number;
}

const tickMs = 10;

export class ProcessWatch {
  readonly #folder: string;

  constructor(pid: number) {
    this.#folder = `/proc/${pid}`;
  }

  sample(): Sample {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`${this.#folder}/status`, 'utf8'))?.[1];
    // proc_pid_stat(5): fields 14 and 15, counted behind the command's closing bracket.
    const fields = readFileSync(`${this.#folder}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return {
      residentBytes: Number(kilobytes) * 1_024,
      fds: readdirSync(`${this.#folder}/fd`).length,
      cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs,
    };
  }
}

/** By least squares, in units of y for a unit of x. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
}
