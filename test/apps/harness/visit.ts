/** One visit to an app: a person does the app's script, directly or through Latchkey, and what was seen is kept. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Frame, type Page, type Response } from 'playwright-core';
import { Person } from '../../e2e/support/person.ts';
import { Product } from '../../e2e/support/product.ts';
import { chromiumFlags, findChromium } from '../../support/chromium.ts';
import type { RealApp } from './app.ts';
import { FarPeer } from './far-peer.ts';
import type { Look } from './page.ts';
import { RunningPlace } from './place.ts';
import { appPage } from './playwright-page.ts';
import type { Recording } from './recorder.ts';

export interface Visit {
  readonly looks: readonly Look[];
  /** Errors on the console, and exceptions that nobody caught. */
  readonly errors: readonly string[];
  readonly recording: Recording;
  /** Documents as the browser got them, by their path and query. */
  readonly documents: ReadonlyMap<string, Buffer>;
  /** Those of which the browser did not give the bytes, and why. */
  readonly unread: readonly string[];
}

export interface Both {
  readonly direct: Visit;
  readonly tunnel: Visit;
}

const patienceMs = 60_000;

/** The tunnel first: its frame says how large the window of the direct visit is. */
export async function visitBoth(app: RealApp): Promise<Both> {
  await using product = await Product.start();
  await using far = await FarPeer.join(product);
  await using person = await Person.arrive();
  await person.enrol(product.ready.enrol ?? '');
  const origin = `http://${app.name}.apps.localhost:${product.ready.port}`;
  const { visit: tunnel, size } = await throughLatchkey(app, origin, { product, far, person });
  return { tunnel, direct: await directly(app, origin, size) };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Stage {
  readonly product: Product;
  readonly far: FarPeer;
  readonly person: Person;
}

async function throughLatchkey(app: RealApp, origin: string, { product, far, person }: Stage) {
  await using place = await RunningPlace.at(origin);
  await app.start(place);
  await product.cliJson('service', 'add', app.name, far.expose(place.recorder.port));
  person.context.setDefaultTimeout(patienceMs);
  const errors: string[] = [];
  const [documents, unread]: [Map<string, Buffer>, string[]] = [new Map(), []];
  const reading: Promise<void>[] = [];
  person.context.on('page', (tab) => {
    listen(tab, errors);
    tab.on('response', (response) => {
      if (response.url().startsWith(`${origin}/`)) reading.push(keepDocument(response, documents, unread));
    });
  });
  const forget = async () => {
    await Promise.all(reading);
    documents.clear();
    place.recorder.forget();
  };
  await person.launcher(product.ready.hub);
  const { tab, frame } = app.ownWindow ? await openWindow(person, app.name, forget) : await openFrame(person, app.name);
  const looks: Look[] = [];
  const page = appPage({ tab, frame, origin, looks, restless: app.restless ?? [] });
  await explained(place, () => app.visit(page, place));
  const size = await frame.evaluate(() => ({ width: window.innerWidth, height: window.innerHeight }));
  await Promise.all(reading);
  // The browser lives on without the app: what it says then is no part of the visit.
  return {
    visit: { looks, errors: [...errors], documents, unread, recording: place.recorder.recording } satisfies Visit,
    size,
  };
}

interface Window {
  readonly tab: Page;
  readonly frame: Frame;
}

async function openFrame(person: Person, name: string): Promise<Window> {
  const { shell, app } = await person.open(name);
  return { tab: shell, frame: app };
}

/** What the app was asked while its pages found that they were framed is no part of the visit. */
async function openWindow(person: Person, name: string, forget: () => Promise<void>): Promise<Window> {
  const opening = person.context.waitForEvent('page');
  await person.hub.getByRole('link', { name, exact: true }).click();
  const offer = (await opening).getByRole('link', { name: 'Open the window' });
  await offer.waitFor();
  await forget();
  const window = person.context.waitForEvent('page');
  await offer.click();
  const tab = await window;
  await tab.waitForLoadState('load');
  return { tab, frame: tab.mainFrame() };
}

/** At the very same address: the browser is told where it is to be found. */
async function directly(app: RealApp, origin: string, viewport: Size): Promise<Visit> {
  await using place = await RunningPlace.at(origin);
  await app.start(place);
  const profile = mkdtempSync(join(tmpdir(), 'latchkey-profile-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    args: [
      ...chromiumFlags.filter((flag) => flag !== '--headless'),
      `--host-resolver-rules=MAP ${new URL(origin).host} 127.0.0.1:${place.recorder.port}`,
    ],
    headless: true,
    acceptDownloads: true,
    viewport,
  });
  try {
    context.setDefaultTimeout(patienceMs);
    const tab = context.pages()[0] ?? (await context.newPage());
    const [errors, looks]: [string[], Look[]] = [[], []];
    listen(tab, errors);
    if (app.ownWindow) await comeOnce(tab, origin, place);
    await tab.goto(origin);
    const page = appPage({ tab, frame: tab.mainFrame(), origin, looks, restless: app.restless ?? [] });
    await explained(place, () => app.visit(page, place));
    return { looks, errors: [...errors], documents: new Map(), unread: [], recording: place.recorder.recording };
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** Through Latchkey its pages were there once, in a frame: what they kept in the browser is there then. */
async function comeOnce(tab: Page, origin: string, place: RunningPlace): Promise<void> {
  await tab.goto(origin);
  await tab.goto('about:blank');
  place.recorder.forget();
}

async function keepDocument(response: Response, documents: Map<string, Buffer>, unread: string[]): Promise<void> {
  const { pathname, search } = new URL(response.url());
  if (pathname.startsWith('/.latchkey/') || response.request().resourceType() !== 'document') return;
  // A redirect has none, and of a page that was left at once nothing can be had any more.
  await response.body().then(
    (body) => documents.set(pathname + search, body),
    (error: Error) => unread.push(`${response.status()} ${pathname}: ${error.message}`),
  );
}

function listen(tab: Page, errors: string[]): void {
  tab.on('console', (message) => {
    if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`);
  });
  tab.on('pageerror', (error) => errors.push(`uncaught ${error.name}: ${error.message}`));
}

/** A script that fails is seldom understood without what the app said. */
async function explained(place: RunningPlace, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (cause) {
    const requests = place.recorder.recording.requests
      .slice(-20)
      .map((one) => `${one.status} ${one.method} ${one.target}`);
    throw new Error(`the script failed: ${(cause as Error).message}\n${requests.join('\n')}\n${place.output}`, {
      cause,
    });
  }
}
