/** A control plane small enough for a test: keys, signed documents, and the far end of the control channel. */
import { randomBytes, randomUUID } from 'node:crypto';
import { base64url, unbase64url } from '../../../../protocol/bytes.ts';
import type { Signer } from '../../../../protocol/crypto.ts';
import { signDescriptor } from '../../../../protocol/descriptor.ts';
import { type Role, signRole } from '../../../../protocol/pins.ts';
import { type Revocation, signRevocation } from '../../../../protocol/revocation.ts';
import { signSnapshot } from '../../../../protocol/snapshot.ts';
import { amrBit, type ClientSvid, signSvid } from '../../../../protocol/svid.ts';
import type { AuditEvent } from '../../../../server/channel/audit-event.ts';
import type { FromPeer, GatewayHello, GatewayWelcome } from '../../../../server/channel/messages.ts';
import { ChannelServer, type PeerConnection } from '../../../../server/channel/server.ts';
import type { SnapshotContent } from '../../../../server/channel/snapshot-content.ts';
import { systemClock } from '../../../../server/channel/system-clock.ts';
import { generateComposite } from '../../../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../../../server/crypto/node-crypto.ts';

const hourMs = 3_600_000;
export const token = 'a token of this test only';

export type Roles = Readonly<Record<Exclude<Role, 'root' | 'notary' | 'audit'>, Signer>>;

export type ProbeAnswer = Extract<FromPeer, { t: `probe.${string}` }>;

export class Authority {
  readonly root = generateComposite().signer;
  readonly roles: Roles;
  /** What the gateway said of itself last. */
  hello: GatewayHello | undefined;
  /** Every event that arrived, first arrivals only, in order. */
  readonly events: AuditEvent[] = [];
  /** Events that came again. */
  repeated = 0;
  /** False keeps acknowledgements back. */
  acknowledges = true;
  refuses = false;
  epoch = 1n;
  content: SnapshotContent;
  readonly #server: ChannelServer;
  #peer: PeerConnection | undefined;
  readonly #probes = new Map<string, (answer: ProbeAnswer) => void>();
  #wake = Promise.withResolvers<void>();
  readonly #joined = Promise.withResolvers<void>();

  constructor(path: string, content: SnapshotContent) {
    const signer = () => generateComposite().signer;
    this.roles = { directory: signer(), svid: signer(), policy: signer(), revocation: signer() };
    this.content = content;
    this.#server = new ChannelServer({
      path,
      clock: systemClock,
      onHello: async (hello) => this.#judge(hello as GatewayHello),
      onJoin: (peer) => this.#join(peer),
      onMessage: async (_peer, message) => {
        if (message.t === 'events') this.#take(message.events);
        if (message.t === 'probe.report' || message.t === 'probe.refused') this.#probes.get(message.id)?.(message);
      },
      onLeave: () => {
        this.#peer = undefined;
      },
    });
  }

  listen(): Promise<void> {
    return this.#server.listen();
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  /** Signs and sends the content as the next epoch. `ageMs` makes it an old one. */
  async publish(content: SnapshotContent = this.content, ageMs = 0): Promise<void> {
    this.content = content;
    this.epoch += 1n;
    this.#peer?.send({ t: 'snapshot', object: base64url(await this.#snapshot(ageMs)) });
  }

  async revoke(revoked: Revocation['revoked'], epoch = 1n): Promise<void> {
    const object = await signRevocation(nodeCrypto, this.roles.revocation, { epoch, issuedAt: Date.now(), revoked });
    this.#peer?.send({ t: 'revocation', object: base64url(object) });
  }

  /** Has the gateway probe a service; several may be asked for at once. */
  probe(service: string): Promise<ProbeAnswer> {
    const id = randomUUID();
    return new Promise((resolve) => {
      this.#probes.set(id, resolve);
      this.#peer?.send({ t: 'probe', id, service });
    });
  }

  /** Something that the gateway must not believe. */
  sendObject(t: 'snapshot' | 'revocation', object: Uint8Array): void {
    this.#peer?.send({ t, object: base64url(object) });
  }

  async issue(
    over: Partial<ClientSvid> & Pick<ClientSvid, 'sessionPublicKey'>,
    signer = this.roles.svid,
  ): Promise<Uint8Array> {
    return signSvid(nodeCrypto, signer, {
      deviceKeyHash: new Uint8Array(32).fill(1),
      notBefore: Date.now() - 1_000,
      notAfter: Date.now() + hourMs,
      policyEpoch: this.epoch,
      amr: amrBit.passkey | amrBit.deviceKey,
      postureHash: new Uint8Array(32).fill(2),
      serial: randomBytes(16),
      spiffeId: 'spiffe://latchkey.local/user/ada/device/laptop',
      service: 'wiki',
      ...over,
    });
  }

  /** Resolves with the first event that fits, arrived already or not. */
  async event(fits: (event: AuditEvent) => boolean): Promise<AuditEvent> {
    for (;;) {
      const found = this.events.find(fits);
      if (found !== undefined) return found;
      await this.#wake.promise;
    }
  }

  async #judge(hello: GatewayHello): Promise<GatewayWelcome | { refused: 'token_unknown' }> {
    if (this.refuses || hello.token !== token) return { refused: 'token_unknown' };
    this.hello = hello;
    const certificates = Object.entries(this.roles).map(([role, { publicKey }]) =>
      // The keys of Roles are roles.
      signRole(nodeCrypto, this.root, {
        role: role as Role,
        publicKey,
        notBefore: Date.now() - hourMs,
        notAfter: Date.now() + hourMs,
      }),
    );
    const descriptor = await signDescriptor(nodeCrypto, this.roles.directory, {
      publicKey: unbase64url(hello.publicKey),
      notBefore: Date.now() - hourMs,
      notAfter: Date.now() + hourMs,
      minVersion: 1,
      maxVersion: 1,
      suites: 1,
      stealthKey: unbase64url(hello.stealthKey),
      authority: 'gateway.test',
    });
    return {
      t: 'welcome',
      role: 'gateway',
      id: 'g-1',
      // Tokens are not what these tests are about: the same one is good again.
      resume: token,
      descriptor: base64url(descriptor),
      certificates: (await Promise.all(certificates)).map(base64url),
      root: base64url(this.root.publicKey),
      psks: {},
    };
  }

  #join(peer: PeerConnection): void {
    this.#peer = peer;
    void this.#snapshot(0).then((object) => {
      peer.send({ t: 'snapshot', object: base64url(object) });
      this.#joined.resolve();
    });
  }

  #snapshot(ageMs: number): Promise<Uint8Array> {
    const issuedAt = Date.now() - ageMs;
    const snapshot = {
      epoch: this.epoch,
      issuedAt,
      notAfter: Date.now() + hourMs,
      content: JSON.stringify(this.content),
    };
    return signSnapshot(nodeCrypto, this.roles.policy, snapshot);
  }

  #take(events: readonly AuditEvent[]): void {
    const known = new Set(this.events.map((event) => event.id));
    const fresh = events.filter((event) => !known.has(event.id));
    this.repeated += events.length - fresh.length;
    this.events.push(...fresh);
    if (this.acknowledges) this.#peer?.send({ t: 'ack', ids: events.map((event) => event.id) });
    const { resolve } = this.#wake;
    this.#wake = Promise.withResolvers();
    resolve();
  }
}

/** An event nobody else made. */
export function someEvent(over: Partial<AuditEvent> = {}): AuditEvent {
  return { id: randomUUID(), time: Date.now(), type: 'stream.open', actor: 'system', ...over };
}
