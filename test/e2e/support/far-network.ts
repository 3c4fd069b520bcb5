/**
 * A private network behind a real wireguard-go: a namespace one veth away in which TiddlyWiki and the demo service
 * listen on the tunnel's address alone. There is no other way to them.
 */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Namespace, newNamespace, type WireGuardOptions, type WireGuardProcess } from '../../support/namespace.ts';
import type { Product } from './product.ts';

const root = join(import.meta.dirname, '../../..');
const tiddlywiki = join(root, 'node_modules/tiddlywiki/tiddlywiki.js');

export const farAddress = '10.91.0.2';
export const wikiPort = 8080;
export const notesPort = 8081;

export class FarNetwork {
  readonly namespace: Namespace;
  readonly #wiki = mkdtempSync(join(tmpdir(), 'latchkey-wiki-'));
  #wireguard: WireGuardProcess | undefined;
  #options: WireGuardOptions | undefined;

  constructor() {
    this.namespace = newNamespace();
  }

  /** Starts wireguard-go and the services, and tells the product of them as an operator would. */
  /** @param address where the product's machine reaches this one, when it is not our own. */
  async joinTo(product: Product, address = this.namespace.far4): Promise<void> {
    this.#options = {
      privateKey: crypto.getRandomValues(new Uint8Array(32)),
      addresses: [`${farAddress}/32`],
      peers: [{ publicKey: product.ready.wireguard.publicKey, allowedIps: ['100.100.0.1/32', 'fd6c:6b::1/128'] }],
    };
    this.#wireguard = await this.namespace.startWireGuard(this.#options);
    await this.startServices();
    await product.cliJson(
      ...['wg', 'add-peer', '--public-key', this.#wireguard.publicKey, '--allowed-ips', `${farAddress}/32`],
      ...['--endpoint', `${address}:${this.#wireguard.port}`, '--name', 'far'],
    );
    await product.cliJson('service', 'add', 'wiki', `http://${farAddress}:${wikiPort}`, '--title', 'Team wiki');
    await product.cliJson('service', 'add', 'notes', `http://${farAddress}:${notesPort}`, '--title', 'Field notes');
  }

  /** Both services, on the tunnel's address alone. */
  async startServices(): Promise<void> {
    execFileSync(process.execPath, [tiddlywiki, this.#wiki, '--init', 'server'], { stdio: 'ignore' });
    const wiki = this.#node([tiddlywiki, this.#wiki, '--listen', `host=${farAddress}`, `port=${wikiPort}`]);
    const notes = this.#node([join(import.meta.dirname, 'far-service.ts'), farAddress, String(notesPort)]);
    await Promise.all([says(wiki, 'Serving on'), says(notes, 'listening')]);
  }

  get publicKey(): string {
    return this.#wireguard?.publicKey ?? '';
  }

  async stopWireGuard(): Promise<void> {
    await this.#wireguard?.stop();
  }

  /** The same peer again, after {@link stopWireGuard}. */
  async startWireGuardAgain(): Promise<void> {
    if (this.#options !== undefined) this.#wireguard = await this.namespace.startWireGuard(this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.namespace.destroy();
    rmSync(this.#wiki, { recursive: true, force: true });
  }

  #node(args: string[]): ChildProcess {
    return this.namespace.spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  }
}

async function says(child: ChildProcess, text: string): Promise<void> {
  let said = '';
  while (!said.includes(text)) {
    const [chunk] = (await once(child.stdout as NodeJS.EventEmitter, 'data')) as [Buffer];
    said += chunk.toString();
  }
  child.stdout?.resume();
}
