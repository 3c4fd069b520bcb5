/**
 * Firefox's own remote protocol, as far as tests need it: the commands that WebDriver has and BiDi does not (virtual
 * authenticators). A packet is `LENGTH:JSON`; a command is `[0, id, name, parameters]`, its answer `[1, id, error, result]`.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

type Answer = readonly [type: 1, id: number, error: { error: string; message: string } | null, result: unknown];

const lookMs = 20;
const patienceMs = 30_000;

/** The port a Firefox started with `--marionette` listens on. It says so in a file of its profile and nowhere else. */
export async function marionettePort(profile: string): Promise<number> {
  for (const until = Date.now() + patienceMs; ; ) {
    const text = await readFile(join(profile, 'MarionetteActivePort'), 'utf8').catch(() => '');
    if (text !== '') return Number(text);
    if (Date.now() > until) throw new Error('Firefox opened no Marionette port');
    await setTimeout(lookMs);
  }
}

/** Commands act on the session that BiDi has opened; closing this connection ends that session too. */
export class Marionette {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #bytes = Buffer.alloc(0);
  #lastId = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Firefox ended the Marionette connection'));
    });
  }

  static async connect(port: number): Promise<Marionette> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Marionette(socket);
  }

  /** @throws Error with Firefox's own words */
  send(name: string, parameters: object): Promise<unknown> {
    this.#lastId += 1;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(this.#lastId, waiting);
    const packet = JSON.stringify([0, this.#lastId, name, parameters]);
    this.#socket.write(`${Buffer.byteLength(packet)}:${packet}`);
    return waiting.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (let colon = this.#bytes.indexOf(':'); colon >= 0; colon = this.#bytes.indexOf(':')) {
      const end = colon + 1 + Number(this.#bytes.toString('latin1', 0, colon));
      if (this.#bytes.length < end) return;
      this.#take(JSON.parse(this.#bytes.toString('utf8', colon + 1, end)));
      this.#bytes = this.#bytes.subarray(end);
    }
  }

  /** The first packet is a greeting and no answer. */
  #take(packet: Answer | object): void {
    if (!Array.isArray(packet)) return;
    const [, id, error, result] = packet as unknown as Answer;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === null) waiting?.resolve(result);
    else waiting?.reject(new Error(`${error.error}: ${error.message}`));
  }
}
