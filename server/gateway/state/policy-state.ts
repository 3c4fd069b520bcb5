/**
 * The policy in force at this gateway: the newest verified snapshot, what is revoked, and how fresh both are. New
 * sessions need fresh policy; sessions that live go on with the last one until it ends by itself.
 */
import { hex } from '../../../protocol/bytes.ts';
import type { Clock } from '../../../protocol/clock.ts';
import type { Revocation } from '../../../protocol/revocation.ts';
import type { PolicySnapshot } from '../../../protocol/snapshot.ts';
import { parseSpiffeId } from '../../../protocol/spiffe.ts';
import type { VerifiedSvid } from '../../../protocol/svid.ts';
import { parseSnapshotContent, type ServiceRecord, type SnapshotContent } from '../../channel/snapshot-content.ts';
import { PolicyEngine } from '../../policy/engine.ts';

/** People and devices that a revocation names, also those that signed out, as the cookie jars are kept by. */
export function revokedOwners(revocation: Revocation): ({ user: string } | { device: string })[] {
  return revocation.revoked.flatMap(({ kind, id }): ({ user: string } | { device: string })[] => {
    if (kind === 'session' || kind === 'service') return [];
    const name = new TextDecoder().decode(id);
    // What is kept for guests is kept by their link.
    const [link, use] = name.split('/');
    if (link !== undefined && use !== undefined) return [{ user: link, device: use }];
    return kind === 'user' || kind === 'link' ? [{ user: name }] : [{ device: name }];
  });
}

/** A snapshot made ready to decide by. */
export interface PolicyInForce {
  readonly epoch: bigint;
  readonly issuedAt: number;
  readonly notAfter: number;
  readonly text: string;
  readonly content: SnapshotContent;
  readonly engine: PolicyEngine;
  readonly services: ReadonlyMap<string, ServiceRecord>;
}

export class PolicyState {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #freshnessMs: number;
  #inForce: PolicyInForce | undefined;
  #revocation: { epoch: bigint; ids: ReadonlySet<string> } = { epoch: -1n, ids: new Set() };

  /** @param freshnessMs age of a snapshot above which nobody new comes in. */
  constructor(clock: Pick<Clock, 'now'>, freshnessMs: number) {
    this.#clock = clock;
    this.#freshnessMs = freshnessMs;
  }

  get current(): PolicyInForce | undefined {
    return this.#inForce;
  }

  /** New sessions may rest on it. */
  get isFresh(): boolean {
    const policy = this.#inForce;
    return policy !== undefined && this.isUsable && this.#clock.now() - policy.issuedAt <= this.#freshnessMs;
  }

  /** Live sessions may go on with it. */
  get isUsable(): boolean {
    return this.#inForce !== undefined && this.#clock.now() < this.#inForce.notAfter;
  }

  /**
   * Takes a verified snapshot unless it is older than the one in force.
   * @returns whether its content differs from what was in force.
   * @throws ZodError, SyntaxError or PolicyError for signed content that makes no sense; nothing changes then.
   */
  adopt(snapshot: PolicySnapshot): boolean {
    const before = this.#inForce;
    const { epoch, issuedAt, notAfter, content: text } = snapshot;
    if (before !== undefined && isOlder(snapshot, before)) return false;
    if (before?.text === text) {
      this.#inForce = { ...before, epoch, issuedAt, notAfter };
      return false;
    }
    const content = parseSnapshotContent(text);
    const services = new Map(content.services.map((service) => [service.name, service]));
    this.#inForce = { epoch, issuedAt, notAfter, text, content, engine: new PolicyEngine(content), services };
    return true;
  }

  /** Takes a verified revocation epoch unless it is an old one. @returns whether anything changed. */
  revoke(revocation: Revocation): boolean {
    if (revocation.epoch <= this.#revocation.epoch) return false;
    const ids = new Set(revocation.revoked.map(({ kind, id }) => `${kind} ${hex(id)}`));
    this.#revocation = { epoch: revocation.epoch, ids };
    return true;
  }

  /** By session serial, device, person, link or service. */
  isRevoked(svid: VerifiedSvid): boolean {
    const id = parseSpiffeId(svid.spiffeId);
    const names = [`session ${hex(svid.serial)}`, `device ${hex(svid.deviceKeyHash)}`, idOf('service', svid.service)];
    if (id?.kind === 'device') names.push(idOf('device', id.device), idOf('user', id.user));
    if (id?.kind === 'guest') names.push(idOf('link', id.link), idOf('link', `${id.link}/${id.use}`));
    return names.some((name) => this.#revocation.ids.has(name));
  }
}

const idOf = (kind: string, text: string): string => `${kind} ${hex(new TextEncoder().encode(text))}`;

function isOlder(snapshot: PolicySnapshot, before: PolicyInForce): boolean {
  return snapshot.epoch < before.epoch || (snapshot.epoch === before.epoch && snapshot.issuedAt < before.issuedAt);
}
