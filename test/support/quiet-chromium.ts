/**
 * A Chromium of its own in which a person is enrolled and opens services. Spoken to over the browser's own debugging
 * connection. Nothing here turns on the instrumentation of the network, which keeps copies of bodies in the page.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { chromiumFlags, findChromium } from './chromium.ts';

type Fields = Record<string, unknown>;
type Answer = { id?: number; result?: Fields; error?: { message: string } };
type Told = { method?: string; sessionId?: string; params?: { context?: { id: number; origin: string } } };

const patienceMs = 60_000;
const lookMs = 50;

export class QuietChromium {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Fields>>();
  /** Worlds of scripts by their session, as the pages told of them. */
  readonly #worlds = new Map<string, { id: number; origin: string }[]>();
  #nextId = 1;
  #hub = '';

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.on('message', (data) => {
      const { id = 0, result = {}, error, ...told } = JSON.parse(String(data)) as Answer & Told;
      const { context } = told.params ?? {};
      if (told.method === 'Runtime.executionContextCreated' && context !== undefined)
        this.#worlds.get(told.sessionId ?? '')?.push(context);
      if (error === undefined) this.#waiting.get(id)?.resolve(result);
      else this.#waiting.get(id)?.reject(new Error(error.message));
      this.#waiting.delete(id);
    });
  }

  static async start(): Promise<QuietChromium> {
    const profile = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
    const own = [`--user-data-dir=${profile}`, '--remote-debugging-port=0', '--disable-popup-blocking'];
    const child = spawn(findChromium(), [...chromiumFlags, ...own, 'about:blank'], { stdio: 'ignore' });
    const file = join(profile, 'DevToolsActivePort');
    // It is there for a moment before its two lines are.
    const lines = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []);
    for (const late = Date.now() + patienceMs; lines().length < 2; await pause(lookMs))
      if (Date.now() > late || child.exitCode !== null) throw new Error('Chromium does not start');
    const [port, path] = lines();
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    await once(socket, 'open');
    return new QuietChromium(child, profile, socket);
  }

  /** Follows an enrolment link, with a virtual authenticator that touches when asked. */
  async enrol(link: string): Promise<void> {
    const { targetId } = await this.#call('Target.createTarget', { url: 'about:blank' });
    this.#hub = await this.#attach(String(targetId));
    await this.#call('WebAuthn.enable', {}, this.#hub);
    const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true };
    const touching = { ...options, isUserVerified: true, automaticPresenceSimulation: true };
    await this.#call('WebAuthn.addVirtualAuthenticator', { options: touching }, this.#hub);
    await this.#call('Page.navigate', { url: link }, this.#hub);
    await this.#soon(`(${click})('button', 'Create a passkey')`);
    await this.#soon(`(${click})('li a', '', true)`);
  }

  /** Any page, in a window of its own, so that neither this one nor another counts as in the background. */
  async visit(url: string): Promise<void> {
    await this.#call('Target.createTarget', { url, newWindow: true });
  }

  /** Opens a service from the launcher. @returns the shell's target. */
  async open(service: string): Promise<string> {
    const before = new Set((await this.#targets()).map(({ id }) => id));
    await this.#soon(`(${click})('li a', ${JSON.stringify(service)})`);
    for (const late = Date.now() + patienceMs; Date.now() < late; await pause(lookMs)) {
      const opened = (await this.#targets()).find(({ id, url }) => !before.has(id) && url.includes('/open/'));
      if (opened !== undefined) return opened.id;
    }
    throw new Error('no tab was opened');
  }

  /** Runs in a page that has been measured already. */
  async ask(target: string, expression: string): Promise<unknown> {
    const session = await this.#attach(target);
    const value = await this.#evaluate(session, expression);
    await this.#call('Target.detachFromTarget', { sessionId: session });
    return value;
  }

  /** Runs a function in the app that a shell's target shows; it sees nothing but its argument, and both are JSON. */
  async inApp<A, R>(target: string, run: (argument: A) => Promise<R>, argument: A): Promise<R> {
    const session = await this.#attach(target);
    this.#worlds.set(session, []);
    await this.#call('Runtime.enable', {}, session);
    for (const late = Date.now() + patienceMs; Date.now() < late; await pause(lookMs))
      for (const { id } of this.#worlds.get(session) ?? []) {
        // Not the shell's own, and not the helper's beside the app.
        const isApp = `location.pathname === '/' && document.readyState === 'complete'`;
        if ((await this.#evaluate(session, isApp, id).catch(() => false)) !== true) continue;
        return (await this.#evaluate(session, `(${run})(${JSON.stringify(argument)})`, id)) as R;
      }
    throw new Error('the app never came');
  }

  async close(target: string): Promise<void> {
    await this.#call('Target.closeTarget', { targetId: target });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    const ended = once(this.#process, 'exit');
    this.#process.kill();
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async #targets(): Promise<{ id: string; url: string }[]> {
    const { targetInfos } = await this.#call('Target.getTargets');
    return (targetInfos as { targetId: string; url: string }[]).map(({ targetId, url }) => ({ id: targetId, url }));
  }

  async #attach(targetId: string): Promise<string> {
    return String((await this.#call('Target.attachToTarget', { targetId, flatten: true }))['sessionId']);
  }

  /** Asks the hub until it says true; a page that goes to another one meanwhile is asked again. */
  async #soon(question: string): Promise<void> {
    for (const late = Date.now() + patienceMs; Date.now() < late; await pause(lookMs))
      if ((await this.#evaluate(this.#hub, question).catch(() => false)) === true) return;
    throw new Error(`the hub never said yes to ${question.slice(-40)}`);
  }

  async #evaluate(session: string, expression: string, contextId?: number): Promise<unknown> {
    const where = contextId === undefined ? {} : { contextId };
    const asked = { expression, ...where, awaitPromise: true, returnByValue: true, userGesture: true };
    const { result, exceptionDetails } = await this.#call('Runtime.evaluate', asked, session);
    if (exceptionDetails !== undefined) throw new Error(`in the page: ${JSON.stringify(exceptionDetails)}`);
    return (result as { value?: unknown }).value;
  }

  #call(method: string, params: Fields = {}, sessionId?: string): Promise<Fields> {
    const id = this.#nextId++;
    const answer = Promise.withResolvers<Fields>();
    this.#waiting.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) }));
    return answer.promise;
  }
}

/**
 * Runs in the hub: finds an element with this text, however deep in shadow roots, and clicks it.
 * @param isOnly looks for it and leaves it. @returns false while it is not there.
 */
function click(selector: string, text: string, isOnly = false): boolean {
  const find = (root: ParentNode): HTMLElement | undefined => {
    const own = [...root.querySelectorAll<HTMLElement>(selector)].find((one) => one.textContent?.includes(text));
    if (own !== undefined) return own;
    for (const { shadowRoot } of root.querySelectorAll('*')) {
      const inner = shadowRoot === null ? undefined : find(shadowRoot);
      if (inner !== undefined) return inner;
    }
    return undefined;
  };
  const found = find(document);
  if (!isOnly) found?.click();
  return found !== undefined;
}
