/** Takes UDP away from a port as a network does that knows only TCP: by nft, on input, for loopback too. */
import { execFileSync } from 'node:child_process';

function whatIsMissing(): string | null {
  if (process.getuid?.() !== 0) return 'root';
  try {
    execFileSync('nft', ['list', 'tables'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'nft';
  }
}

const missing = whatIsMissing();
if (missing !== null) {
  const line = `nft: ${missing} is missing, so nothing is tested without UDP`;
  if (process.env['CI'] === 'true') throw new Error(line);
  console.warn(line);
}

/** For `test(name, needsNft, …)`. */
export const needsNft = missing === null ? {} : { skip: `${missing} is missing` };

const tables = new Set<string>();
// A test process that dies early leaves the network as it was.
process.on('exit', () => {
  for (const table of tables) remove(table);
});

/** Drops what comes to a UDP port until it is disposed of. */
export class UdpBlock {
  readonly #table: string;

  constructor(port: number) {
    this.#table = `latchkey_test_${process.pid}_${port}`;
    tables.add(this.#table);
    const rules = `table inet ${this.#table} {
      chain input { type filter hook input priority 0; policy accept; udp dport ${port} counter drop; }
    }`;
    execFileSync('nft', ['-f', '-'], { input: rules, stdio: ['pipe', 'ignore', 'inherit'] });
  }

  /** How many packets came and were dropped. */
  get dropped(): number {
    const text = execFileSync('nft', ['list', 'table', 'inet', this.#table], { encoding: 'utf8' });
    return Number(/counter packets (\d+)/.exec(text)?.[1]);
  }

  [Symbol.dispose](): void {
    remove(this.#table);
  }
}

function remove(table: string): void {
  if (tables.delete(table)) execFileSync('nft', ['delete', 'table', 'inet', table], { stdio: 'ignore' });
}
