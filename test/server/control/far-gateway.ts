/** The gateway's end of the control channel, without a gateway: says hello and keeps what it is told. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { base64url } from '../../../protocol/bytes.ts';
import { ChannelClient } from '../../../server/channel/client.ts';
import {
  type AssertionKey,
  type RefusalCode,
  type ToGateway,
  type TunnelEndpoint,
  toGatewaySchema,
} from '../../../server/channel/messages.ts';
import { systemClock } from '../../../server/channel/system-clock.ts';
import { dataPaths } from '../../../server/config.ts';
import { generateComposite } from '../../../server/crypto/composite-key.ts';
import type { Installation } from './installation.ts';

export function wireguardKey(): string {
  const jwk = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' });
  return Buffer.from(jwk.x ?? '', 'base64url').toString('base64');
}

type Kind<T extends ToGateway['t']> = Extract<ToGateway, { t: T }>;

export class FarGateway {
  readonly signer = generateComposite().signer;
  readonly wireguardKey = wireguardKey();
  readonly heard: ToGateway[] = [];
  readonly endpoints: TunnelEndpoint[];
  readonly channel: ChannelClient<ToGateway>;
  refused: RefusalCode | undefined;
  /** Announced with each hello. */
  assertionKeys: AssertionKey[] = [];
  #waiting: (() => void)[] = [];

  /** @param ticketKey see GatewayHello */
  constructor(installation: Installation, token: string, ticketKey?: Uint8Array) {
    const url = `https://127.0.0.1:8700/tunnel${ticketKey === undefined ? '' : '/'}`;
    this.endpoints = [
      { url, transport: 'webtransport', certHashes: [base64url(randomBytes(32))] },
      { url: 'ws://shell.apps.localhost:8700/tunnel', transport: 'websocket', certHashes: [] },
    ];
    this.channel = new ChannelClient<ToGateway>({
      dial: () => connect(dataPaths.controlSocket(installation.config)),
      token,
      clock: systemClock,
      incoming: toGatewaySchema,
      hello: () => ({
        role: 'gateway',
        publicKey: base64url(this.signer.publicKey),
        wireguardKey: this.wireguardKey,
        wireguardPort: 51_820,
        stealthKey: base64url(new Uint8Array(32).fill(5)),
        endpoints: this.endpoints,
        assertionKeys: this.assertionKeys,
        ...(ticketKey === undefined ? {} : { ticketKey: base64url(ticketKey) }),
      }),
      onMessage: (message) => {
        this.heard.push(message);
        // It carries nothing, and says so at once when it is asked.
        if (message.t === 'sessions') this.channel.send({ t: 'live.sessions', id: message.id, sessions: [] });
        this.#wake();
      },
      onState: () => this.#wake(),
      onRefused: (code) => {
        this.refused = code;
        this.#wake();
      },
      jitter: () => 0,
    });
    this.channel.start();
  }

  /** The next message of these kinds that the test has not taken yet. */
  async next<T extends ToGateway['t']>(...kinds: T[]): Promise<Kind<T>> {
    for (;;) {
      const at = this.heard.findIndex((message) => (kinds as string[]).includes(message.t));
      if (at >= 0) return this.heard.splice(at, 1)[0] as Kind<T>;
      await this.#something();
    }
  }

  async untilRefused(): Promise<RefusalCode> {
    while (this.refused === undefined) await this.#something();
    return this.refused;
  }

  #something(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** What `Installation.start` is given for {@link gatewayWithSite}. */
export const supervisorToken = 'a-token-of-the-supervisor';

/** A gateway that has its first snapshot, and the WireGuard peer `site` with the addresses that services are given here. */
export async function gatewayWithSite(installation: Installation, ticketKey?: Uint8Array): Promise<FarGateway> {
  const gateway = new FarGateway(installation, supervisorToken, ticketKey);
  await gateway.next('snapshot');
  const site = { publicKey: wireguardKey(), allowedIps: ['10.7.0.0/24'], name: 'site' };
  await installation.admin('POST', '/admin/peers', site);
  return gateway;
}
