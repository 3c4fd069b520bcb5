/**
 * A new WireGuard key for the gateway: what was before is kept in a file beside it first, and comes back when the data
 * plane cannot go on with the new one. The old key is served for a while to the peers that have not been told, unless it
 * is known to somebody: then it is good for nothing from that moment on. Connectors learn of the new one by themselves.
 */
import { randomBytes } from 'node:crypto';
import type { FromPeer, ToGateway } from '../channel/messages.ts';
import type { Logger } from '../log.ts';
import type { GatewayDataPlane } from './data-plane.ts';
import type { GatewayIdentity } from './state/identity.ts';

type Question = Extract<ToGateway, { t: `wireguard.${string}` }>;
type Rotation = Extract<Question, { t: 'wireguard.rotate' }>;
type Answer = Extract<FromPeer, { t: `wireguard.${string}` }>;
type Rotated = Omit<Extract<Answer, { t: 'wireguard.rotated' }>, 't' | 'id'>;

export interface KeyRotationOptions {
  readonly identity: Pick<GatewayIdentity, 'wireguardKey' | 'oldWireguardKey' | 'backupName' | 'replaceWireguardKey'>;
  readonly dataPlane: Pick<GatewayDataPlane, 'publicKey' | 'canOverlap' | 'addKey' | 'useKey' | 'status' | 'retiring'>;
  readonly log: Logger;
  readonly now: () => number;
  readonly overlapMs: number;
}

/** Answers the control plane's questions about WireGuard. */
export class WireGuardAnswers {
  readonly #options: KeyRotationOptions;
  /** One rotation after the other: each begins from what the one before left, on the disk and in memory. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: KeyRotationOptions) {
    this.#options = options;
  }

  answer(question: Question): Promise<Answer> {
    if (question.t === 'wireguard.show') return Promise.resolve(this.#show(question.id));
    const turn = this.#turn.then(() => this.#answerRotation(question));
    this.#turn = turn;
    return turn;
  }

  /** Never rejects. */
  async #answerRotation(question: Rotation): Promise<Answer> {
    const { id } = question;
    const waiting = this.#wouldCut(question);
    if (waiting !== undefined) return { t: 'wireguard.refused', id, waiting: [...waiting] };
    try {
      return { t: 'wireguard.rotated', id, ...(await this.#rotate(question)) };
    } catch (error) {
      this.#options.log.error({ err: error }, 'the WireGuard key was not rotated');
      return { t: 'wireguard.refused', id };
    }
  }

  #show(id: string): Answer {
    const { dataPlane } = this.#options;
    const retiring = dataPlane.retiring && { ...dataPlane.retiring, peers: [...dataPlane.retiring.peers] };
    return { t: 'wireguard.shown', id, peers: dataPlane.status(), ...(retiring !== undefined && { retiring }) };
  }

  /** Two keys are served at most: with a third, whoever is still at the first would be cut. That is `--no-overlap`'s to do. */
  #wouldCut({ overlap }: Rotation): readonly string[] | undefined {
    return overlap ? this.#options.dataPlane.retiring?.peers : undefined;
  }

  async #rotate({ dryRun, overlap }: Rotation): Promise<Rotated> {
    const { identity, dataPlane, now, overlapMs } = this.#options;
    const [from, at] = [dataPlane.publicKey, now()];
    const backup = identity.backupName(at);
    const oldUntil = overlap && dataPlane.canOverlap ? at + overlapMs : undefined;
    const planned = { from, backup, ...(oldUntil !== undefined && { oldUntil }) };
    if (dryRun) return planned;
    const takeBack = identity.replaceWireguardKey(randomBytes(32), at, oldUntil);
    try {
      if (oldUntil === undefined) await dataPlane.useKey(identity.wireguardKey());
      else await dataPlane.addKey(identity.wireguardKey(), oldUntil);
    } catch (cause) {
      takeBack();
      // Adding a key leaves what is in use as it was until it is sure of the new one.
      if (oldUntil === undefined) await dataPlane.useKey(identity.wireguardKey(), identity.oldWireguardKey(now()));
      throw cause;
    }
    return { ...planned, to: dataPlane.publicKey };
  }
}
