/** A browser with a virtual authenticator that touches when asked, and what its pages complained of. */
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { chromiumFlags, findChromium } from '../../support/chromium.ts';
import { addAuthenticator } from '../../support/virtual-authenticator.ts';

export interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly reducedMotion?: 'reduce' | 'no-preference';
  readonly forcedColors?: 'active' | 'none';
  readonly contrast?: 'more' | 'no-preference';
  readonly deviceScaleFactor?: number;
}

export class Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors and warnings of consoles, uncaught exceptions, violations of the content security policy. */
  readonly complaints: string[];
  readonly #close: () => Promise<void>;

  private constructor(context: BrowserContext, page: Page, complaints: string[], close: () => Promise<void>) {
    this.context = context;
    this.page = page;
    this.complaints = complaints;
    this.#close = close;
  }

  static async arrive({ width = 1_180, height = 760, ...look }: Look = {}): Promise<Visitor> {
    const browser = await chromium.launch({
      executablePath: findChromium(),
      args: chromiumFlags.filter((flag) => flag !== '--headless'),
    });
    const context = await browser.newContext({ viewport: { width, height }, deviceScaleFactor: 2, ...look });
    context.setDefaultTimeout(20_000);
    const complaints: string[] = [];
    context.on('console', (message) => {
      const isNoise = message.text().startsWith('Failed to load resource');
      if (['error', 'warning'].includes(message.type()) && !isNoise) complaints.push(message.text());
    });
    context.on('weberror', (error) => complaints.push(`uncaught: ${error.error().message}`));
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => {
        console.error(`violation of ${event.effectiveDirective} by ${event.blockedURI || event.sample}`);
      });
    });
    const page = await context.newPage();
    await addAuthenticator(context, page);
    return new Visitor(context, page, complaints, async () => {
      await context.close();
      await browser.close();
    });
  }

  /** Enrols by a link, up to the launcher. */
  async enrol(link: string): Promise<void> {
    await this.page.goto(link);
    await this.page.getByRole('button', { name: 'Create a passkey' }).click();
    await this.page.getByRole('heading', { name: 'Your services' }).waitFor();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}
