/** The parent's side of gateway-child.ts: the gateway of a world, moved into a process of its own. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { unbase64url } from '../../../../protocol/bytes.ts';
import { token } from './authority.ts';
import type { FromChild, GatewayCount, ToChild } from './gateway-child.ts';
import type { World } from './world.ts';

export class FarGateway {
  readonly tcpPort: number;
  /** WebTransport's, where an engine loads. */
  readonly udpPort: number | undefined;
  /** For tickets, where the engine wants them. */
  readonly ticketKey: Uint8Array | undefined;
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;

  private constructor(
    child: ChildProcess,
    gone: Promise<unknown>,
    { tcpPort, udpPort, ticketKey }: Extract<FromChild, { t: 'ready' }>,
  ) {
    this.#child = child;
    this.#gone = gone;
    this.tcpPort = tcpPort;
    this.udpPort = udpPort;
    this.ticketKey = ticketKey === undefined ? undefined : unbase64url(ticketKey);
  }

  /** Closes the one in this process; its keys and its folder stay. */
  static async replace(world: World): Promise<FarGateway> {
    await world.gateway.close();
    const child = fork(join(import.meta.dirname, 'gateway-child.ts'), [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const gone = once(child, 'exit');
    child.send({ t: 'start', config: world.config, token } satisfies ToChild);
    const ready = await nextFrom(child, gone, 'ready');
    world.far.admit(ready.wireguard);
    return new FarGateway(child, gone, ready);
  }

  async count(): Promise<GatewayCount> {
    this.#child.send({ t: 'count' } satisfies ToChild);
    return (await nextFrom(this.#child, this.#gone, 'count')).count;
  }

  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#gone;
  }
}

async function nextFrom<T extends FromChild['t']>(
  child: ChildProcess,
  gone: Promise<unknown>,
  t: T,
): Promise<Extract<FromChild, { t: T }>> {
  const ended = gone.then(() => assert.fail('the gateway has ended'));
  const waiting = new AbortController();
  try {
    const message = once(child, 'message', { signal: waiting.signal });
    const [said] = (await Promise.race([message, ended])) as [FromChild];
    assert.equal(said.t, t);
    return said as Extract<FromChild, { t: T }>; // looked at on the line above
  } finally {
    waiting.abort();
  }
}
