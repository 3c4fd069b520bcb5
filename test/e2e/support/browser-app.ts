/** What tests do inside an app's frame, as its own pages would: downloads, WebSockets, forms. */
import { createHash } from 'node:crypto';
import type { Frame } from 'playwright-core';
import { downloadBytes } from '../../../server/connector/demo/transfers.ts';

/** SHA-256 of the demo service's download of this length, computed here. */
export function expectedDigest(bytes: number): string {
  const hash = createHash('sha256');
  for (const chunk of downloadBytes(bytes)) hash.update(chunk);
  return hash.digest('hex');
}

/** Downloads so many bytes and digests them in the page. */
export function download(app: Frame, bytes: number): Promise<{ length: number; sha256: string }> {
  return app.evaluate(async (length) => {
    const body = await (await fetch(`/download?bytes=${length}`)).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
    return {
      length: body.byteLength,
      sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    };
  }, bytes);
}

interface Transfer {
  readonly chunks: Uint8Array[];
  length: number;
  limit: number;
  resume: () => void;
  reached: () => void;
}

interface EchoLoop {
  answered: number;
  stop: boolean;
  readonly outcome: Promise<{ answered: number; code: number; clean: boolean }>;
}

// Live in the app's window.
declare global {
  interface Window {
    transfer?: Transfer;
    echoLoop?: EchoLoop;
  }
}

/** Begins a download that goes on only as far as {@link continueDownload} lets it. */
export function beginDownload(app: Frame, bytes: number): Promise<void> {
  return app.evaluate(async (total) => {
    const transfer: Transfer = {
      ...{ chunks: [], length: 0, limit: 0, resume: () => undefined, reached: () => undefined },
    };
    window.transfer = transfer;
    const reader = (await fetch(`/download?bytes=${total}`)).body?.getReader();
    if (reader === undefined) throw new Error('no body');
    void (async () => {
      for (;;) {
        while (transfer.length >= transfer.limit) {
          transfer.reached();
          await new Promise<void>((resolve) => {
            transfer.resume = resolve;
          });
        }
        const { done, value } = await reader.read();
        if (done) break;
        transfer.chunks.push(value);
        transfer.length += value.byteLength;
      }
      transfer.limit = Number.POSITIVE_INFINITY;
      transfer.reached();
    })();
  }, bytes);
}

/** Lets it go on, and resolves when so many bytes have arrived, or its end. */
export function continueDownload(app: Frame, upTo: number): Promise<void> {
  return app.evaluate(
    (limit) =>
      new Promise<void>((resolve) => {
        const { transfer } = window;
        if (transfer === undefined) throw new Error('no download');
        transfer.reached = resolve;
        transfer.limit = limit;
        transfer.resume();
      }),
    upTo,
  );
}

/** The digest of what arrived. */
export function digestOfDownload(app: Frame): Promise<{ length: number; sha256: string }> {
  return app.evaluate(async () => {
    const body = await new Blob((window.transfer?.chunks ?? []) as BlobPart[]).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
    return {
      length: body.byteLength,
      sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    };
  });
}

/** A WebSocket on which each message is sent when the one before has come back, in order, until it is stopped. */
export function startEcho(app: Frame): Promise<void> {
  return app.evaluate(
    () =>
      new Promise<void>((opened, failed) => {
        const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/echo`);
        const { promise, resolve, reject } = Promise.withResolvers<{
          answered: number;
          code: number;
          clean: boolean;
        }>();
        const loop: EchoLoop = { answered: 0, stop: false, outcome: promise };
        promise.catch(() => undefined);
        window.echoLoop = loop;
        const send = () => socket.send(`message ${loop.answered}`);
        socket.onopen = () => {
          send();
          opened();
        };
        socket.onerror = () => {
          failed(new Error('the WebSocket failed'));
          reject(new Error('the WebSocket failed'));
        };
        socket.onmessage = (event) => {
          if (event.data !== `message ${loop.answered}`) reject(new Error(`out of order: ${event.data}`));
          loop.answered += 1;
          if (loop.stop) socket.close(1000, 'done');
          else setTimeout(send, 10);
        };
        socket.onclose = ({ code, wasClean }) => resolve({ answered: loop.answered, code, clean: wasClean });
      }),
  );
}

/** How many messages came back so far. */
export function echoed(app: Frame): Promise<number> {
  return app.evaluate(() => window.echoLoop?.answered ?? 0);
}

/** Ends it by a clean close. */
export function stopEcho(app: Frame): Promise<{ answered: number; code: number; clean: boolean } | undefined> {
  return app.evaluate(() => {
    const loop = window.echoLoop;
    if (loop !== undefined) loop.stop = true;
    return loop?.outcome;
  });
}
