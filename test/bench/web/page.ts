/**
 * Runs in each of the service's pages, with no debugger attached: asks for one job after another and posts how long each
 * took. A plain script, served with its types blanked.
 */

interface Settings {
  /** Which of the measured places this is (control.ts). */
  readonly place: string;
  readonly control: number;
  readonly pump: { readonly webtransport: number; readonly websocket: number; readonly certHashes: number[][] };
}
interface PageJob {
  readonly kind: 'download' | 'upload' | 'small';
  readonly over: 'service' | 'raw-webtransport' | 'raw-websocket';
  readonly bytes: number;
  /** Path of the pump's tunnel, with its ticket. */
  readonly path: string;
}

declare const settings: Settings;

const control = `http://127.0.0.1:${settings.control}`;
const smallRequests = 240;
const atOnce = 6;
const chunkBytes = 64 * 1024;

async function main(): Promise<void> {
  if (settings.place === 'passing') await passOn();
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  let result: unknown = { firstByte: performance.timeOrigin + (navigation?.responseStart ?? 0) };
  for (;;) {
    const asked = await fetch(`${control}/${settings.place}`, { method: 'POST', body: JSON.stringify(result) });
    const job = (await asked.json()) as PageJob;
    result = await perform(job).catch((error: Error) => ({ error: `${job.kind} ${job.over}: ${error.message}` }));
  }
}

async function perform(job: PageJob): Promise<{ ms: number }> {
  if (job.kind === 'small') return { ms: await small(job.bytes) };
  // What connects first says when it began to move bytes.
  let began = performance.now();
  if (job.over === 'raw-webtransport') began = await rawWebTransport(job);
  else if (job.over === 'raw-websocket') began = await rawWebSocket(job);
  else if (job.kind === 'download') await download(job.bytes);
  else await upload(job.bytes);
  return { ms: performance.now() - began };
}

/** Resolves when this page asks by way of the service worker. */
async function passOn(): Promise<void> {
  const { serviceWorker } = navigator;
  const controlled = new Promise((resolve) => serviceWorker.addEventListener('controllerchange', resolve));
  await serviceWorker.register('/passing/worker.js');
  if (serviceWorker.controller === null) await controlled;
}

async function download(bytes: number): Promise<void> {
  const body = (await fetch(`/bytes?length=${bytes}`)).body as ReadableStream<Uint8Array>;
  assertWhole(await drained(body.getReader(), bytes), bytes);
}

async function upload(bytes: number): Promise<void> {
  const answer = await fetch('/take', { method: 'POST', body: new Blob([new Uint8Array(bytes)]) });
  assertWhole(Number(await answer.text()), bytes);
}

/** @returns the median of single requests' times, six of them under way at any time. */
async function small(bytes: number): Promise<number> {
  const times: number[] = [];
  let left = smallRequests;
  const one = async () => {
    while (left-- > 0) {
      const began = performance.now();
      const body = await (await fetch(`/bytes?length=${bytes}`)).arrayBuffer();
      times.push(performance.now() - began);
      assertWhole(body.byteLength, bytes);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
}

/** Frames as the engine wants them: type, epoch, length. */
function frames(content: Uint8Array): Uint8Array<ArrayBuffer> {
  const framed = new Uint8Array(4 + content.length);
  framed.set([0x17, 0, content.length >> 8, content.length & 0xff]);
  framed.set(content, 4);
  return framed;
}

async function rawWebTransport({ kind, bytes, path }: PageJob): Promise<number> {
  const { webtransport, certHashes } = settings.pump;
  const serverCertificateHashes = certHashes.map((hash) => ({ algorithm: 'sha-256', value: new Uint8Array(hash) }));
  const session = new WebTransport(`https://127.0.0.1:${webtransport}${path}`, { serverCertificateHashes });
  await session.ready;
  const { readable, writable } = await session.createBidirectionalStream();
  const writer = writable.getWriter();
  // A stream's preamble.
  await writer.write(Uint8Array.from([0x53, 1, 0, 0, 0, 0, 0, 0, 0, 4]));
  const began = performance.now();
  const verb = kind === 'download' ? 'give' : 'take';
  await writer.write(frames(new TextEncoder().encode(`${verb} ${bytes}`)));
  const reader = readable.getReader();
  if (kind === 'upload') {
    const frame = frames(new Uint8Array(16_384));
    const four = new Uint8Array(4 * frame.length);
    for (let i = 0; i < 4; i++) four.set(frame, i * frame.length);
    for (let sent = 0; sent < bytes; sent += four.length) await writer.write(four.slice());
    await reader.read();
  } else await drained(reader, bytes);
  session.close();
  return began;
}

async function rawWebSocket({ kind, bytes }: PageJob): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${settings.pump.websocket}/`);
  socket.binaryType = 'arraybuffer';
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  let received = 0;
  const done = new Promise<void>((resolve) => {
    socket.onmessage = ({ data }) => {
      received += typeof data === 'string' ? bytes : data.byteLength;
      if (received >= bytes) resolve();
    };
  });
  const began = performance.now();
  socket.send(`${kind === 'download' ? 'give' : 'take'} ${bytes}`);
  const chunk = new Uint8Array(chunkBytes);
  if (kind === 'upload')
    for (let sent = 0; sent < bytes; sent += chunkBytes) {
      while (socket.bufferedAmount > 16 * chunkBytes) await new Promise((resolve) => setTimeout(resolve));
      socket.send(chunk);
    }
  await done;
  socket.close();
  return began;
}

async function drained(reader: ReadableStreamDefaultReader<Uint8Array>, enough: number): Promise<number> {
  let bytes = 0;
  while (bytes < enough) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
  }
  return bytes;
}

function assertWhole(bytes: number, wanted: number): void {
  if (bytes !== wanted) throw new Error(`${bytes} bytes instead of ${wanted}`);
}

void main();
