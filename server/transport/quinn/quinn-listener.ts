/** A UDP port of quinn's, and the two things the library leaves to its user: which port is free, and how to stop. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { CertificateSource } from '../certificates.ts';
import { transportLimits } from '../limits.ts';
import type { NativeRequest, NativeServer, QuinnModule } from './native.ts';

/** How often we look whether a port was let go; the library does not say. */
const lookMs = 20;
const closeLimitMs = 4 * transportLimits.closeLingerMs;

export class QuinnListener {
  readonly port: number;
  readonly #module: QuinnModule;
  readonly #server: NativeServer;
  readonly #host: string;
  readonly #hash: Uint8Array;
  readonly #accepting: Promise<void>;
  #closing = false;

  private constructor(
    module: QuinnModule,
    server: NativeServer,
    at: { host: string; port: number },
    hash: Uint8Array,
    onRequest: (request: NativeRequest) => void,
  ) {
    this.#module = module;
    this.#server = server;
    this.#host = at.host;
    this.port = at.port;
    this.#hash = hash;
    this.#accepting = this.#acceptAll(onRequest);
  }

  /** Rejects with an error like the system's when the port is taken. `host` is an IP literal; port 0 takes a free one. */
  static async bind(
    module: QuinnModule,
    host: string,
    port: number,
    certificate: CertificateSource['current'],
    onRequest: (request: NativeRequest) => void,
  ): Promise<QuinnListener> {
    // The library neither tells the port it took nor in which way one was refused: the system is asked before.
    const at = { host, port: await probe(host, port) };
    const pem = [certificate.certificate, certificate.key].map((text) => Buffer.from(text)) as [Buffer, Buffer];
    const server = module.NapiServer.bind(authority(at), ...pem);
    return new QuinnListener(module, server, at, certificate.hash, onRequest);
  }

  /** Resolves when the port is free again, or nothing more can be done about it. Sessions are to be closed before. */
  async close(): Promise<void> {
    this.#closing = true;
    // The library's own close would wait for the pending accept, on this very thread: a request of ours ends the accept.
    this.#knock();
    const ended = await Promise.race([this.#accepting, sleep(closeLimitMs)]);
    if (ended === 'late') return;
    this.#server.close();
    const deadline = performance.now() + closeLimitMs;
    while (performance.now() < deadline && !(await isFree(this.#host, this.port))) {
      collectGarbage();
      await sleep(lookMs);
    }
  }

  async #acceptAll(onRequest: (request: NativeRequest) => void): Promise<void> {
    while (true) {
      const request = await this.#server.accept();
      if (request === null) return;
      if (this.#closing) return void request.reject(503).catch(() => undefined);
      onRequest(request);
    }
  }

  #knock(): void {
    const client = this.#module.NapiClient.withCertificateHashes([Buffer.from(this.#hash)]);
    const host = this.#host === '0.0.0.0' ? '127.0.0.1' : this.#host === '::' ? '::1' : this.#host;
    // It is refused, which is all it asked for.
    client.connect(`https://${authority({ host, port: this.port })}/`).catch(() => undefined);
  }
}

function authority({ host, port }: { host: string; port: number }): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The port a socket bound to `port` has. @throws the system's error */
async function probe(host: string, port: number): Promise<number> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  const listening = once(socket, 'listening');
  socket.bind(port, host);
  await listening;
  const taken = socket.address().port;
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return taken;
}

function isFree(host: string, port: number): Promise<boolean> {
  return probe(host, port).then(
    () => true,
    () => false,
  );
}

function sleep(ms: number): Promise<'late'> {
  return new Promise((resolve) => setTimeout(resolve, ms, 'late'));
}

/** The library keeps a connection, and the port with it, as long as an object of JavaScript's stands for it. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
