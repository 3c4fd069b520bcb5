/** A page in full use: reads, writes, downloads, uploads, an event stream and a WebSocket, until it is told to end. */
import type { Realm } from './visitor.ts';

/** What came of it. */
interface Seen {
  reads: number;
  failedReads: string[];
  /** Answers that had begun when the service worker was stopped. */
  cutReads: number;
  /** Answered POSTs, those that failed, and what the service counted. */
  writes: number;
  lostWrites: number;
  written: number;
  wholeDownloads: number;
  cutDownloads: number;
  shortDownloads: number;
  wholeUploads: number;
  cutUploads: number;
  wrongUploads: number;
  events: number;
  /** Event streams that the browser gave up, and the page opened anew. */
  closedSources: number;
  echoes: number;
  socketEnds: number;
}

// Lives in the app's window.
declare global {
  interface Window {
    inUse?: { answered(): Promise<unknown>; rest(): Promise<unknown>; goOn(): void; end(): Promise<Seen> };
    download?: Promise<string>;
  }
}

/** Begins, and returns at once. */
export function beginUse(app: Realm): Promise<void> {
  return app.evaluate(() => {
    const bodyBytes = 4_194_304;
    const seen: Seen = {
      ...{ reads: 0, failedReads: [], cutReads: 0, writes: 0, lostWrites: 0, written: 0 },
      ...{ wholeDownloads: 0, cutDownloads: 0, shortDownloads: 0, wholeUploads: 0, cutUploads: 0, wrongUploads: 0 },
      ...{ events: 0, closedSources: 0, echoes: 0, socketEnds: 0 },
    };
    let isGoing = true;
    const read = async () => {
      const target = `/echo?n=${seen.reads}`;
      const answer = await fetch(target).catch(String);
      if (typeof answer === 'string') return seen.failedReads.push(answer);
      const said = await answer.json().catch(() => undefined);
      if (said === undefined) seen.cutReads += 1;
      else if (said.target === target) seen.reads += 1;
      else seen.failedReads.push(said.target);
    };
    const write = () =>
      fetch('/bump?key=written', { method: 'POST', body: 'x' }).then(
        () => (seen.writes += 1),
        () => (seen.lostWrites += 1),
      );
    const download = async () => {
      const length = await fetch(`/download?bytes=${bodyBytes}&ranges=none`)
        .then((answer) => answer.arrayBuffer())
        .then(({ byteLength }) => byteLength)
        .catch(() => undefined);
      if (length === undefined) seen.cutDownloads += 1;
      else if (length === bodyBytes) seen.wholeDownloads += 1;
      else seen.shortDownloads += 1;
    };
    const upload = async () => {
      // A Blob: the browser's debugger is told of other bodies in full, which takes far longer than to send them. And not
      // a stream: with one under way Chromium sends nothing again that a stopped service worker had, reads neither.
      const body = new Blob([new Uint8Array(bodyBytes)]);
      const bytes = await fetch('/upload', { method: 'POST', body })
        .then((answer) => answer.json())
        .then((said) => said.bytes)
        .catch(() => undefined);
      if (bytes === undefined) seen.cutUploads += 1;
      else if (bytes === bodyBytes) seen.wholeUploads += 1;
      else seen.wrongUploads += 1;
    };
    let source: EventSource;
    let onEvent = () => {};
    const listen = () => {
      source = new EventSource('/ticks');
      source.onmessage = () => {
        seen.events += 1;
        onEvent();
      };
      source.onerror = () => {
        if (source.readyState !== EventSource.CLOSED) return;
        seen.closedSources += 1;
        listen();
      };
    };
    listen();
    const socket = new WebSocket('/echo');
    socket.onopen = () => socket.send('x');
    socket.onmessage = () => {
      seen.echoes += 1;
      setTimeout(() => socket.send('x'), 20);
    };
    socket.onclose = () => {
      seen.socketEnds += 1;
    };
    const underWay: Promise<unknown>[] = [];
    let gate = Promise.withResolvers<void>();
    gate.resolve();
    const all = Promise.all(
      [read, write, download, upload].map(async (act, at) => {
        while (isGoing) {
          await gate.promise;
          underWay[at] = act();
          await underWay[at];
        }
      }),
    );
    window.inUse = {
      answered: () => Promise.all(underWay.slice(0, 2)),
      rest() {
        gate = Promise.withResolvers();
        return Promise.all(underWay);
      },
      goOn: () => gate.resolve(),
      async end() {
        isGoing = false;
        await all;
        // Nothing is stopped any more.
        await Promise.all([download(), upload()]);
        seen.written = (await (await fetch('/count?key=written')).json()).count;
        // One more event, after the last stop.
        await new Promise<void>((resolve) => {
          onEvent = resolve;
        });
        const outcome = { ...seen };
        source.close();
        socket.close();
        return outcome;
      },
    };
  });
}

/** Resolves when the read and the write that are under way have been: a browser sends again once, and not twice. */
export async function answered(app: Realm): Promise<void> {
  await app.evaluate(() => window.inUse?.answered());
}

/** Lets what is under way end, and begins nothing new; the event stream and the WebSocket stay. @returns when that is so. */
export async function rest(app: Realm): Promise<void> {
  await app.evaluate(() => window.inUse?.rest());
}

export function goOn(app: Realm): Promise<void> {
  return app.evaluate(() => window.inUse?.goOn());
}

/** Begins a download without end, and returns when its first bytes have come. */
export function beginDownload(app: Realm): Promise<void> {
  return app.evaluate(async () => {
    const reader = (await fetch('/drip?every=50&count=100000')).body!.getReader();
    await reader.read();
    const read = async (): Promise<string> => ((await reader.read()).done ? 'ended' : read());
    window.download = read().catch((error: Error) => error.name);
  });
}

/** @returns what came of it, as the page sees it. */
export function endOfDownload(app: Realm): Promise<string> {
  return app.evaluate(() => window.download ?? 'nothing has begun');
}

/** Lets what is under way end. */
export function endUse(app: Realm): Promise<Seen> {
  return app.evaluate(() => {
    if (window.inUse === undefined) throw new Error('nothing has begun');
    return window.inUse.end();
  });
}
