/** The page's side of test/server/transport/chromium.test.ts: the worker's transports in a real Worker, driven by messages. */
import type { Carrier, Channel } from '../../../protocol/carrier.ts';
import type { Clock } from '../../../protocol/clock.ts';
import type { Endpoint } from '../../../worker/transport/endpoint.ts';
import { raceTransports } from '../../../worker/transport/race.ts';
import { connectWebSocket } from '../../../worker/transport/websocket.ts';
import { connectWebTransport } from '../../../worker/transport/webtransport.ts';

/** An endpoint as JSON has it. */
export interface PlainEndpoint {
  readonly url: string;
  readonly transport: Endpoint['transport'];
  readonly certHashes: readonly (readonly number[])[];
}

export type Task =
  | { readonly task: 'connect' | 'race'; readonly endpoints: readonly PlainEndpoint[] }
  | { readonly task: 'echo'; readonly streams: number; readonly bytesPerStream: number }
  | { readonly task: 'accept' }
  | { readonly task: 'closed' }
  | { readonly task: 'close' };

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
const never = new AbortController().signal;
const frameBytes = 16_384 + 4;
let carrier: Carrier | undefined;

self.onmessage = async ({ data }: MessageEvent<{ id: number } & Task>) => {
  try {
    self.postMessage({ id: data.id, value: await perform(data) });
  } catch (error) {
    self.postMessage({ id: data.id, error: (error as { code?: string }).code ?? String(error) });
  }
};

async function perform(task: Task): Promise<unknown> {
  switch (task.task) {
    case 'connect':
      carrier = await connect(endpointOf(task.endpoints[0]!));
      return carrier.transport;
    case 'race':
      carrier = await raceTransports(task.endpoints.map(endpointOf), { clock, signal: never });
      return carrier.transport;
    case 'echo':
      return echo(task.streams, task.bytesPerStream);
    case 'accept':
      return acceptOne();
    case 'closed':
      await carrier!.closed;
      return (await carrier!.accept()) === null;
    case 'close':
      carrier!.close();
      await carrier!.closed;
      return true;
  }
}

function connect(endpoint: Endpoint): Promise<Carrier> {
  return endpoint.transport === 'webtransport'
    ? connectWebTransport(endpoint, never)
    : connectWebSocket(endpoint, never, clock);
}

function endpointOf({ url, transport, certHashes }: PlainEndpoint): Endpoint {
  return { url, transport, certHashes: certHashes.map((hash) => new Uint8Array(hash)) };
}

async function echo(streams: number, bytesPerStream: number): Promise<unknown> {
  const began = performance.now();
  const ids = Array.from({ length: streams }, (_, i) => BigInt(2 * i + 2));
  const digests = await Promise.all(ids.map((id) => echoStream(carrier!.open(id), bytesPerStream)));
  return { digests, ms: performance.now() - began };
}

/** Sends random records and reads them back at the same time; gives both digests. */
async function echoStream(channel: Channel, bytes: number): Promise<{ sent: string; received: string; bytes: number }> {
  const sent = randomFrames(Math.ceil(bytes / (frameBytes - 4)));
  const received = new Uint8Array(sent.length);
  let length = 0;
  const reading = (async () => {
    for (let frame = await channel.receive(); frame !== null; frame = await channel.receive()) {
      received.set(frame, length);
      length += frame.length;
    }
  })();
  for (let at = 0; at < sent.length; at += frameBytes) await channel.send(sent.subarray(at, at + frameBytes));
  channel.finish();
  await reading;
  return { sent: await digest(sent), received: await digest(received.subarray(0, length)), bytes: length };
}

function randomFrames(count: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(count * frameBytes);
  for (let at = 0; at < all.length; at += frameBytes) {
    crypto.getRandomValues(all.subarray(at, at + frameBytes));
    all.set([0x17, 0, (frameBytes - 4) >> 8, (frameBytes - 4) & 0xff], at);
  }
  return all;
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return hash.reduce((text, byte) => text + byte.toString(16).padStart(2, '0'), '');
}

/** The id and first frame's length of a channel the server opens. */
async function acceptOne(): Promise<{ id: number; length: number }> {
  const channel = (await carrier!.accept())!;
  const frame = await channel.receive();
  return { id: Number(channel.streamId), length: frame!.length };
}
