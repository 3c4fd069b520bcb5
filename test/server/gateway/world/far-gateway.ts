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

  private constructor(child: ChildProcess, { tcpPort, udpPort, ticketKey }: Extract<FromChild, { t: 'ready' }>) {
    this.#child = child;
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
    child.send({ t: 'start', config: world.config, token } satisfies ToChild);
    const ready = await nextFrom(child, 'ready');
    world.far.admit(ready.wireguard);
    return new FarGateway(child, ready);
  }

  async count(): Promise<GatewayCount> {
    this.#child.send({ t: 'count' } satisfies ToChild);
    return (await nextFrom(this.#child, 'count')).count;
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }
}

async function nextFrom<T extends FromChild['t']>(child: ChildProcess, t: T): Promise<Extract<FromChild, { t: T }>> {
  const gone = once(child, 'exit').then(() => assert.fail('the gateway has ended'));
  const [message] = (await Promise.race([once(child, 'message'), gone])) as [FromChild];
  assert.equal(message.t, t);
  return message as Extract<FromChild, { t: T }>; // looked at on the line above
}
