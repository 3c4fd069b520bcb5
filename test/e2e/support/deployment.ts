/**
 * A deployment as an operator makes one: the browser in one network namespace, the server in another, the services
 * behind WireGuard in a third, two registrable domains, and a certificate authority that the browser's machine trusts.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { CertificateFiles } from '../../../server/tls/certificate-files.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { type Namespace, newNamespace } from '../../support/namespace.ts';
import { FarNetwork } from './far-network.ts';
import { Person } from './person.ts';
import { type Outcome, Product, runCli } from './product.ts';

export const hubHost = 'hub.corp-access.test';
export const appsDomain = 'apps.corp-services.test';
const [browserAddress, serverAddress] = ['10.92.0.1', '10.92.0.2'];

type Settings = Record<string, unknown>;

export class Deployment {
  readonly folder = mkdtempSync(join(tmpdir(), 'latchkey-deployment-'));
  readonly server: Namespace = newNamespace();
  readonly browser: Namespace = newNamespace();
  readonly far = new FarNetwork();
  readonly authority: CertificateAuthority;
  readonly #closing = new AsyncDisposableStack();
  #product: Product | undefined;

  private constructor(authority: CertificateAuthority) {
    this.authority = authority;
  }

  static async make(): Promise<Deployment> {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-authority-'));
    const deployment = new Deployment(await CertificateAuthority.found(folder));
    deployment.#closing.defer(() => rmSync(folder, { recursive: true }));
    deployment.#closing.defer(() => rmSync(deployment.folder, { recursive: true }));
    for (const namespace of [deployment.server, deployment.browser])
      deployment.#closing.defer(() => namespace.destroy());
    deployment.#closing.use(deployment.far);
    cable([deployment.browser, browserAddress], [deployment.server, serverAddress]);
    cable([deployment.server, '10.93.0.1'], [deployment.far.namespace, '10.93.0.2']);
    return deployment;
  }

  get product(): Product {
    if (this.#product === undefined) throw new TypeError('the product is not started');
    return this.#product;
  }

  get configuration(): string {
    return join(this.folder, 'latchkey.yaml');
  }

  /** Both certificates, as an ACME client would keep them. */
  async certificates(): Promise<{ hub: CertificateFiles; apps: CertificateFiles }> {
    return {
      hub: await this.authority.issue('hub', { names: [hubHost] }),
      apps: await this.authority.issue('apps', { names: [`*.${appsDomain}`] }),
    };
  }

  /** Writes latchkey.yaml and starts the product in the server's namespace, with the far services published. */
  async start(settings: Settings): Promise<void> {
    this.configure(settings);
    this.#product = await Product.start({}, join(this.folder, 'data'), {
      configuration: this.configuration,
      spawn: (command, args, options) => this.server.spawn(command, args, options),
    });
    this.#closing.use(this.#product);
    await this.far.joinTo(this.#product, '10.93.0.2');
  }

  configure(settings: Settings): void {
    writeFileSync(this.configuration, stringify({ hubHost, appsDomain, ...settings }));
  }

  /** nginx in the server's namespace, with the snippet that the README gives. */
  async startNginx(configuration: string): Promise<void> {
    const file = join(this.folder, 'nginx.conf');
    writeFileSync(file, configuration);
    const nginx = this.server.spawn('nginx', ['-c', file, '-p', this.folder, '-g', 'daemon off;'], {
      stdio: 'inherit',
    });
    await new Promise<void>((resolve, reject) => {
      nginx.once('exit', (code) => reject(new Error(`nginx ended with ${code}`)));
      const look = (): void => {
        const listening = this.server.exec('ss', '-Hltn', 'sport', '=', ':443');
        if (listening.trim() === '') setTimeout(look, 100);
        else resolve();
      };
      look();
    });
  }

  /** A browser whose machine trusts the authority and finds the names by a resolver of its own. */
  async person(): Promise<Person> {
    const home = join(this.folder, 'home');
    const database = join(home, '.pki/nssdb');
    mkdirSync(database, { recursive: true });
    execFileSync('certutil', ['-N', '-d', `sql:${database}`, '--empty-password']);
    execFileSync('certutil', ['-A', '-d', `sql:${database}`, '-n', 'test', '-t', 'C,,', '-i', this.authority.root]);
    const names = [hubHost, `*.${appsDomain}`].map((name) => `MAP ${name} ${serverAddress}`).join(',');
    return Person.arrive({
      through: ['ip', 'netns', 'exec', this.browser.name],
      home,
      flags: [`--host-resolver-rules=${names}`],
    });
  }

  /** `latchkey doctor --json`, in a namespace whose hosts file knows the names. */
  async doctor(where: Namespace, ...args: string[]): Promise<Outcome> {
    const hosts = `/etc/netns/${where.name}`;
    mkdirSync(hosts, { recursive: true });
    const labels = ['shell', 'tunnel', 'any-service'].map((label) => `${label}.${appsDomain}`);
    writeFileSync(join(hosts, 'hosts'), `${serverAddress} ${[hubHost, ...labels].join(' ')}\n`);
    try {
      return await runCli(
        ['doctor', '--json', '--config', this.configuration, '--data', join(this.folder, 'data'), ...args],
        {
          spawn: (command, given, options) => where.spawn(command, given, options),
          environment: { NODE_EXTRA_CA_CERTS: this.authority.root },
        },
      );
    } finally {
      rmSync(hosts, { recursive: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closing[Symbol.asyncDispose]();
  }
}

let cables = 0;

/** A pair of interfaces, one end in each namespace. */
function cable(...ends: readonly (readonly [Namespace, string])[]): void {
  const name = (end: number) => `lkc${process.pid}x${cables}${'ab'[end]}`;
  const [one, other] = ends;
  if (one === undefined || other === undefined) throw new TypeError('a cable has two ends');
  const ip = (...args: string[]) => execFileSync('ip', args);
  ip('link', 'add', name(0), 'netns', one[0].name, 'type', 'veth', 'peer', 'name', name(1), 'netns', other[0].name);
  for (const [end, [namespace, address]] of ends.entries()) {
    namespace.exec('ip', 'addr', 'add', `${address}/24`, 'dev', name(end));
    namespace.exec('ip', 'link', 'set', name(end), 'up');
  }
  cables += 1;
}
