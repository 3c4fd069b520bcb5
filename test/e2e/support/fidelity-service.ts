/**
 * A service that does what real apps do and proxies get wrong. The same one is visited directly and through Latchkey
 * (fidelity-checks.ts); what it was asked is counted, so that a check also sees what was asked twice or never.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { answerDownload, answerUpload } from '../../../server/connector/demo/transfers.ts';
import { documents, sound } from './fidelity-pages.ts';

type Route = (request: IncomingMessage, response: ServerResponse, url: URL, state: State) => unknown;

interface State {
  /** Requests by the key they named. */
  readonly counts: Map<string, number>;
  /** Requests that wait to be let go, by their key. */
  readonly held: Map<string, (() => void)[]>;
  /** Keys that hold no more. */
  readonly open: Set<string>;
  /** Whose connection was given up before the answer was complete, by key. */
  readonly gone: Map<string, number>;
}

const text = 'The quick brown fox jumps over the lazy dog. '.repeat(400);
const file = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
const fileTag = '"file-1"';

const codings: Readonly<Record<string, (bytes: string) => Buffer>> = {
  gzip: gzipSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
  deflate: deflateSync,
};
/** What browsers put up with, under the name of a coding. */
const oddlyCoded: Readonly<Record<string, Buffer>> = {
  gzip: Buffer.alloc(0),
  br: Buffer.alloc(0),
  zstd: Buffer.alloc(0),
  deflate: deflateRawSync(text),
};

/** What a service and its visitor have in common on headers: the rest is the connection's. */
const told = [
  'accept',
  'content-type',
  'content-length',
  'transfer-encoding',
  'origin',
  'referer',
  'x-asked',
  'depth',
  'destination',
  'cookie',
  'last-event-id',
  'cache-control',
  'pragma',
];

const json = (response: ServerResponse, value: unknown): void => {
  response
    .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(value));
};

const bump = (counts: Map<string, number>, key: string): number => {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
};

/** Says everything it was asked, with the digest of what came as the body. */
const echo: Route = async (request, response) => {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    length += chunk.length;
  }
  const headers = Object.fromEntries(
    told.flatMap((name) => (request.headers[name] ? [[name, request.headers[name]]] : [])),
  );
  const own = `http://${request.headers.host}`;
  const said = JSON.stringify({
    method: request.method,
    target: request.url,
    headers,
    length,
    sha256: hash.digest('hex'),
  });
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : said.replaceAll(own, 'http://own'));
};

/** RFC 9110 section 14, of one range. */
const ranges: Route = (request, response) => {
  const common = {
    'accept-ranges': 'bytes',
    etag: fileTag,
    'content-type': 'application/octet-stream',
    'cache-control': 'no-store',
  };
  if (request.headers['if-none-match'] === fileTag) return response.writeHead(304, { etag: fileTag }).end();
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const condition = request.headers['if-range'];
  if (from === undefined || to === undefined || (condition !== undefined && condition !== fileTag))
    return response
      .writeHead(200, { ...common, 'content-length': file.length })
      .end(request.method === 'HEAD' ? undefined : file);
  const first = from === '' ? file.length - Number(to) : Number(from);
  const last = from === '' || to === '' ? file.length - 1 : Math.min(Number(to), file.length - 1);
  if (first > last) return response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
  const part = file.subarray(first, last + 1);
  const partial = { 'content-range': `bytes ${first}-${last}/${file.length}`, 'content-length': part.length };
  return response.writeHead(206, { ...common, ...partial }).end(part);
};

/** A media file that is asked for in parts. */
const media: Route = (request, response) => {
  const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const [first, last] = [Number(from), to === '' ? sound.length - 1 : Math.min(Number(to), sound.length - 1)];
  const common = { 'content-type': 'audio/wav', 'accept-ranges': 'bytes', 'content-length': last - first + 1 };
  if (request.headers.range === undefined) return response.writeHead(200, common).end(sound);
  return response
    .writeHead(206, { ...common, 'content-range': `bytes ${first}-${last}/${sound.length}` })
    .end(sound.subarray(first, last + 1));
};

/** `/encoded/br`: always, whatever was asked, as servers behind a misconfigured cache do. */
const encoded: Route = (_request, response, url) => {
  const coding = url.pathname.split('/')[2] ?? '';
  const odd = url.searchParams.has('odd') ? oddlyCoded[coding] : undefined;
  const body = odd ?? codings[coding]?.(text) ?? Buffer.from(text);
  response
    .writeHead(200, { 'content-type': 'text/plain', 'content-encoding': coding, 'content-length': body.length })
    .end(body);
};

/** `/status/204`, with a reason of its own. */
const status: Route = (_request, response, url) => {
  const code = Number(url.pathname.split('/')[2]);
  const body = [204, 205, 304].includes(code) ? undefined : `answered ${code}`;
  response.writeHead(code, url.searchParams.get('reason') ?? undefined, { 'content-type': 'text/plain' }).end(body);
};

const redirect: Route = (request, response, url) => {
  request.resume();
  const code = Number(url.pathname.split('/')[2]);
  response.writeHead(code, { location: url.searchParams.get('to') ?? '/' }).end();
};

const trailers: Route = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain', trailer: 'x-digest', 'transfer-encoding': 'chunked' });
  response.write(text);
  response.addTrailers({ 'x-digest': 'of the text' });
  response.end();
};

/** `/cut/length`, `/cut/chunked`: half of an answer and then a broken connection. */
const cut: Route = (_request, response, url) => {
  const declared = url.pathname.endsWith('length') ? { 'content-length': text.length } : {};
  response.writeHead(200, { 'content-type': 'text/plain', ...declared });
  response.write(text.slice(0, text.length / 2), () => response.socket?.destroy());
};

/** Three events, then the connection ends; whoever comes again is told what they had. */
const events: Route = (request, response, _url) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const last = request.headers['last-event-id'];
  if (last !== undefined) return response.end(`id: 9\nevent: again\ndata: after ${last}\n\n`);
  response.write('retry: 10\n\n: a comment\n\n');
  for (const n of [1, 2, 3]) response.write(`id: ${n}\ndata: event ${n}\ndata: second line ü\n\n`);
  return response.end();
};

/** Breaks off: first within an event, when the key is let go; next before any answer. Then it says what it was told. */
const brokenEvents: Route = (request, response, url, { counts, held }) => {
  const key = url.searchParams.get('key') ?? '';
  const asked = bump(counts, key);
  if (asked === 2) return response.destroy();
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  if (asked > 2) return response.end(`data: after ${request.headers['last-event-id']}\n\n`);
  held.set(key, [() => response.destroy()]);
  return response.write('retry: 10\n\nid: 1\ndata: one\n\nid: 2\ndata: half');
};

/** Lets one part out at once and the rest when the key is let go. */
const hold: Route = (request, response, url, { counts, held, open, gone }) => {
  const key = url.searchParams.get('key') ?? '';
  bump(counts, key);
  request.resume();
  let isDone = false;
  response.on('close', () => {
    if (!isDone) bump(gone, key);
  });
  response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-store' });
  if (url.searchParams.has('begin')) response.write('begun ');
  const finish = () => {
    isDone = true;
    response.end('done');
  };
  if (open.has(key)) finish();
  else held.set(key, [...(held.get(key) ?? []), finish]);
};

/** Takes the first part of a body, and the rest when the key is let go. */
const holdUpload: Route = async (request, response, url, { counts, held, open }) => {
  const key = url.searchParams.get('key') ?? '';
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bump(counts, key) === 1 && !open.has(key))
      await new Promise<void>((resolve) => held.set(key, [...(held.get(key) ?? []), resolve]));
  }
  json(response, { bytes });
};

const letGo: Route = (_request, response, url, { held, open }) => {
  const key = url.searchParams.get('key') ?? '';
  open.add(key);
  for (const finish of held.get(key) ?? []) finish();
  held.delete(key);
  json(response, {});
};

/** Events without end, ten a second. */
const ticks: Route = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  let sent = 0;
  response.write('retry: 10\n\n');
  const timer = setInterval(() => response.write(`data: ${++sent}\n\n`), 100);
  response.on('close', () => clearInterval(timer));
};

/** A byte every so often, for as long as it takes: `?every=ms&count=n`. */
const drip: Route = (_request, response, url) => {
  const [every, count] = [Number(url.searchParams.get('every')), Number(url.searchParams.get('count'))];
  response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-store' });
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    response.write('.');
    if (sent >= count) response.end();
  }, every);
  response.on('close', () => clearInterval(timer));
};

const form: Route = async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  // The boundary is the browser's, and another each time.
  const boundary = /boundary=(.+)$/.exec(request.headers['content-type'] ?? '')?.[1];
  const shown = boundary === undefined ? body.toString('latin1') : body.toString('latin1').replaceAll(boundary, 'B');
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(
    `<!doctype html><title>Posted</title><pre id=method>${request.method}</pre><pre id=body>${escapeHtml(shown)}</pre>` +
      `<pre id=cookie>${escapeHtml(request.headers.cookie ?? '')}</pre>`,
  );
};

const routes: Readonly<Record<string, Route>> = {
  '/echo': echo,
  '/file': ranges,
  '/sound.wav': media,
  '/trailers': trailers,
  '/events': events,
  '/hold': hold,
  '/hold-upload': holdUpload,
  '/let-go': letGo,
  '/drip': drip,
  '/ticks': ticks,
  '/broken-events': brokenEvents,
  '/form': form,
  '/download': (request, response, url) => answerDownload(request, response, url),
  '/upload': (request, response) => answerUpload(request, response),
  '/count': (_request, response, url, { counts, gone }) => {
    const key = url.searchParams.get('key') ?? '';
    json(response, { count: counts.get(key) ?? 0, gone: gone.get(key) ?? 0 });
  },
  '/bump': (request, response, url, { counts }) => {
    request.resume();
    json(response, { count: bump(counts, url.searchParams.get('key') ?? '') });
  },
  '/clear': (_request, response) =>
    response.writeHead(200, { 'clear-site-data': '"cache", "cookies", "storage"' }).end('cleared'),
  '/set-cookie': (_request, response, url) => {
    response.writeHead(200, { 'set-cookie': url.searchParams.getAll('line') }).end('set');
  },
  '/two-types': (_request, response) => {
    response.setHeader('content-type', ['text/plain', 'text/html; charset=utf-8']).end('<!doctype html><p>a page');
  },
  '/many-headers': (_request, response) => {
    response.setHeader('x-twice', ['one', 'two']);
    response.setHeader('x-long', 'v'.repeat(8_000)).end('ok');
  },
};

const folders: Readonly<Record<string, Route>> = { encoded, status, redirect, cut };

/** The service, with state of its own. */
export function fidelityService(): RequestListener {
  const state: State = { counts: new Map(), held: new Map(), open: new Set(), gone: new Map() };
  return (request, response) => {
    const url = new URL(`http://service${request.url ?? '/'}`);
    const page = documents[url.pathname];
    const route = routes[url.pathname] ?? folders[url.pathname.split('/')[1] ?? ''] ?? (page ? undefined : echo);
    if (route === undefined)
      response.writeHead(200, { 'content-type': page?.type ?? '', ...page?.headers }).end(page?.body);
    else Promise.resolve(route(request, response, url, state)).catch(() => response.destroy());
  };
}

function escapeHtml(value: string): string {
  return value.replace(/[&<>]/g, (char) => `&#${char.charCodeAt(0)};`);
}
