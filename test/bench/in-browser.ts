/**
 * A Worker of ours in Chromium, with nobody attached: a debugger's instrumentation would be measured too. The page is
 * opened by the command line and posts what its Worker found.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { build } from 'vite';
import { chromiumFlags, findChromium } from '../support/chromium.ts';
import type { Figure } from './figure.ts';

const limitMs = 10 * 60_000;

/** Loads the Worker, hands on its one message. */
const page = `<!doctype html><title>bench</title><script type="module">
const post = (result) => fetch('/result', { method: 'POST', body: JSON.stringify(result) });
const worker = new Worker('/worker.js', { type: 'module' });
worker.onmessage = ({ data }) => post(data);
worker.onerror = ({ message }) => post({ error: message || 'the Worker did not load' });
</script>`;

/** With these a browser's clock shows 5 microseconds instead of 100. */
const isolated = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** @param entry the Worker's source. @param files what it may fetch, by path. @throws Error with what the Worker reports */
export async function measureInWorker(
  entry: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<readonly Figure[]> {
  const result = Promise.withResolvers<unknown>();
  const served = { ...files, '/': page, '/worker.js': await bundle(entry) };
  const server = createServer((request, response) => {
    if (request.method === 'POST') receive(request, response, result.resolve);
    else serve(served, request.url ?? '', response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = openChromium(server, result.reject);
  const late = setTimeout(() => result.reject(new Error('the browser reported nothing')), limitMs);
  try {
    return figuresIn(await result.promise);
  } finally {
    clearTimeout(late);
    close();
    server.close();
    server.closeAllConnections();
  }
}

/** The page is ours, but a Worker that failed reports an error instead. */
function figuresIn(result: unknown): readonly Figure[] {
  if (Array.isArray(result)) return result as readonly Figure[];
  throw new Error(`in the browser: ${JSON.stringify(result)}`);
}

async function bundle(entry: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    root: import.meta.dirname,
    build: { write: false, target: 'es2024', lib: { entry, formats: ['es'], fileName: basename(entry) } },
  });
  const outputs = [built].flat().flatMap((one) => ('output' in one ? one.output : []));
  const [chunk] = outputs;
  if (outputs.length !== 1 || chunk?.type !== 'chunk') throw new Error('the Worker is not one file');
  return chunk.code;
}

const types: Record<string, string> = { js: 'text/javascript', wasm: 'application/wasm' };

function serve(files: Readonly<Record<string, string | Uint8Array>>, path: string, response: ServerResponse): void {
  const body = files[path];
  const type = types[path.split('.')[1] ?? ''] ?? 'text/html';
  response.writeHead(body === undefined ? 404 : 200, { ...isolated, 'Content-Type': type }).end(body);
}

function receive(request: IncomingMessage, response: ServerResponse, resolve: (result: unknown) => void): void {
  json(request).then(resolve, () => undefined);
  response.writeHead(204, isolated).end();
}

/** @returns how to end it. */
function openChromium(server: Server, failed: (cause: Error) => void): () => void {
  const profile = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const flags = [...chromiumFlags, `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/`];
  const chromium = spawn(findChromium(), flags, { stdio: 'ignore' });
  chromium.once('error', failed);
  chromium.once('exit', () => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }));
  return () => chromium.kill();
}
