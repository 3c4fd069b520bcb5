/** What most of these tests begin with: a product with two services on its demo connector, and its first administrator. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Session } from '../../../protocol/session.ts';
import { Canaries, contentsOf } from './node-canaries.ts';
import { type ConnectOptions, connect, fetchThrough, keepAlive } from './node-client.ts';
import { fingerprintOf, NodePerson } from './node-person.ts';
import { Product } from './product.ts';

/** Both lead to the demo connector: two services in one subnet, at one address. */
export const serviceA = 'alpha';
export const serviceB = 'beta';

const patienceMs = 15_000;
const lookEveryMs = 25;

export class World {
  readonly product: Product;
  readonly admin: NodePerson;
  readonly canaries: Canaries;
  /** What the enrolment link says of the installation's keys. */
  readonly fingerprint: string;

  private constructor(product: Product, admin: NodePerson, canaries: Canaries, fingerprint: string) {
    this.product = product;
    this.admin = admin;
    this.canaries = canaries;
    this.fingerprint = fingerprint;
  }

  /** @param environment @param data as {@link Product.start} takes them. */
  static async start(environment: Record<string, string> = {}, data?: string): Promise<World> {
    const product = await Product.start(environment, data);
    const canaries = new Canaries();
    const link = product.ready.enrol ?? '';
    const admin = new NodePerson(product.ready.port, canaries);
    await admin.enrol(link);
    await Promise.all([
      product.cliJson('service', 'add', serviceA, 'http://demo.wg'),
      product.cliJson('service', 'add', serviceB, 'http://demo.wg'),
    ]);
    return new World(product, admin, canaries, fingerprintOf(link));
  }

  get port(): number {
    return this.product.ready.port;
  }

  /** A person an administrator invited, enrolled. */
  async invite(name: string, group?: string): Promise<NodePerson> {
    const options = group === undefined ? [] : ['--group', group];
    const { url } = await this.product.cliJson('user', 'add', name, ...options);
    const person = new NodePerson(this.port, this.canaries);
    await person.enrol(String(url));
    return person;
  }

  /** A new session of the administrator's, or of another person; it renews its credential as long as it lives. */
  async session(service = serviceA, options: ConnectOptions & { person?: NodePerson } = {}): Promise<Session> {
    const { person = this.admin } = options;
    const launched = await person.launch(service);
    const session = await connect(this.port, this.fingerprint, launched, options);
    keepAlive(person, session, launched);
    return session;
  }

  /** Puts Cedar policies in force, as an operator does: from a file. */
  async applyPolicies(text: string): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-policies-'));
    try {
      const file = join(folder, 'policies.cedar');
      writeFileSync(file, text);
      await this.product.cliJson('policy', 'apply', file);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** Every part still runs as the process it was, and a session that had nothing to do with it goes on. */
  async assertUnharmed(witness: Session): Promise<void> {
    for (const [part, pid] of Object.entries(this.product.ready.pids))
      assert.ok(pid !== undefined && isAlive(pid), `the ${part} is another process now`);
    const { status } = await fetchThrough(witness, serviceA, '/whoami');
    assert.equal(status, 200);
    const other = await this.session();
    assert.equal((await fetchThrough(other, serviceA, '/whoami')).status, 200);
    other.close('done');
  }

  /** The first line that was logged after a length of the log and holds a text. */
  async logLine(text: string, after: number): Promise<string> {
    for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await pause(lookEveryMs)) {
      const line = this.product.log
        .slice(after)
        .split('\n')
        .find((one) => one.includes(text));
      if (line !== undefined) return line;
    }
    throw new Error(`"${text}" was not logged, but:\n${this.product.log.slice(after)}`);
  }

  /** No secret of this run in what was logged or in any file of the installation. */
  assertNothingTold(): void {
    this.canaries.addKept(this.product.data);
    assert.ok(this.canaries.count >= 24, `only ${this.canaries.count} secrets were looked for`);
    assert.deepEqual(this.canaries.in(this.product.log), [], 'in the log');
    assert.deepEqual(this.canaries.inFolder(this.product.data), [], 'in a file');
    const shared = contentsOf(this.product.data).filter(({ mode }) => (mode & 0o77) !== 0);
    assert.deepEqual(
      shared.map(({ file }) => file),
      [],
      'files that others may read',
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.product[Symbol.asyncDispose]();
  }
}

/** Whether a process of this number runs. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
