/**
 * A new WireGuard key for the gateway: what was before is kept in a file beside it first, and comes back when the data
 * plane cannot go on with the new one. The old key is good for nothing from that moment on; connectors learn of the new one
 * by themselves, other peers have to be told.
 */
import { randomBytes } from 'node:crypto';
import type { FromPeer, ToGateway } from '../channel/messages.ts';
import type { Logger } from '../log.ts';
import type { GatewayDataPlane } from './data-plane.ts';
import type { GatewayIdentity } from './state/identity.ts';

type Question = Extract<ToGateway, { t: `wireguard.${string}` }>;
type Answer = Extract<FromPeer, { t: `wireguard.${string}` }>;

export interface KeyRotationOptions {
  readonly identity: Pick<GatewayIdentity, 'wireguardKey' | 'backupName' | 'replaceWireguardKey'>;
  readonly dataPlane: Pick<GatewayDataPlane, 'publicKey' | 'useKey' | 'status'>;
  readonly log: Logger;
  readonly now: () => number;
}

/** Answers the control plane's questions about WireGuard. */
export class WireGuardAnswers {
  readonly #options: KeyRotationOptions;

  constructor(options: KeyRotationOptions) {
    this.#options = options;
  }

  async answer(question: Question): Promise<Answer> {
    const { id } = question;
    if (question.t === 'wireguard.show') return { t: 'wireguard.shown', id, peers: this.#options.dataPlane.status() };
    try {
      return { t: 'wireguard.rotated', id, ...(await this.#rotate(question.dryRun)) };
    } catch (error) {
      this.#options.log.error({ err: error }, 'the WireGuard key was not rotated');
      return { t: 'wireguard.refused', id };
    }
  }

  async #rotate(dryRun: boolean): Promise<{ from: string; to?: string; backup: string }> {
    const { identity, dataPlane, now } = this.#options;
    const [from, at] = [dataPlane.publicKey, now()];
    const backup = identity.backupName(at);
    if (dryRun) return { from, backup };
    const before = identity.wireguardKey();
    identity.replaceWireguardKey(randomBytes(32), at);
    try {
      await dataPlane.useKey(identity.wireguardKey());
    } catch (cause) {
      identity.replaceWireguardKey(before, at);
      await dataPlane.useKey(identity.wireguardKey());
      throw cause;
    }
    before.fill(0);
    return { from, to: dataPlane.publicKey, backup };
  }
}
