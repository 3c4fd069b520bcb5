/**
 * A page in a real Chromium whose Worker runs our own worker code: files are served one by one with their types blanked, so
 * what runs is what is written.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Task } from '../../../browser/transport/worker.ts';
import { chromiumFlags, findChromium } from '../../../support/chromium.ts';

const root = join(import.meta.dirname, '../../../..');
const served = /^\/(?:protocol|worker|test\/browser)\/[\w/.-]+\.ts$/;

/** Serves the blank page and the sources on any host name of loopback. */
export async function servePages(): Promise<{ server: Server; port: number }> {
  const server = createServer(async (request, response) => {
    const path = normalize(request.url ?? '/');
    if (!served.test(path)) {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>transport</title>');
      return;
    }
    const source = await readFile(join(root, path), 'utf8');
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(stripTypeScriptTypes(source));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/** The tests' Chromium with a fresh profile. Playwright adds --headless itself. */
export function launchChromium(): Promise<Browser> {
  const args = chromiumFlags.filter((flag) => flag !== '--headless');
  return chromium.launch({ executablePath: findChromium(), args });
}

/** A Worker in a page of `origin`. */
export class BrowserWorker {
  readonly #page: Page;

  private constructor(page: Page) {
    this.#page = page;
  }

  static async open(browser: Browser, origin: string): Promise<BrowserWorker> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(origin);
    await page.evaluate(() => {
      const worker = new Worker('/test/browser/transport/worker.ts', { type: 'module' });
      const waiting = new Map<number, PromiseWithResolvers<unknown>>();
      worker.onmessage = ({ data }) => {
        const { id, value, error } = data as { id: number; value: unknown; error?: string };
        if (error === undefined) waiting.get(id)?.resolve(value);
        else waiting.get(id)?.reject(error);
      };
      worker.onerror = (event) => {
        for (const { reject } of waiting.values()) reject(event.message);
      };
      let next = 0;
      (globalThis as { perform?: unknown }).perform = (task: object) => {
        const id = next++;
        const settle = Promise.withResolvers<unknown>();
        waiting.set(id, settle);
        worker.postMessage({ id, ...task });
        return settle.promise.then(
          (value) => ({ value }),
          (error: unknown) => ({ error: String(error) }),
        );
      };
    });
    return new BrowserWorker(page);
  }

  /** The task's value; rejects with `{ code }` as the worker saw it. */
  async perform<T>(task: Task): Promise<T> {
    const outcome = await this.#page.evaluate(
      (message) => (globalThis as unknown as { perform(task: object): Promise<object> }).perform(message),
      task,
    );
    if ('error' in outcome) throw Object.assign(new Error('in the worker'), { code: outcome.error });
    return (outcome as { value: T }).value;
  }

  async close(): Promise<void> {
    await this.#page.context().close();
  }
}
