/**
 * The gateways: who they are, where browsers reach them, and the signed descriptor of each, issued when one joins and
 * at least daily. A gateway makes its own keys; what is stored here is public but for the digests of its credentials.
 */

import { base64url, unbase64url } from '../../protocol/bytes.ts';
import { signDescriptor } from '../../protocol/descriptor.ts';
import type {
  AssertionKey,
  GatewayHello,
  GatewayPeer,
  GatewayWelcome,
  RefusalCode,
  TunnelEndpoint,
} from '../channel/messages.ts';
import type { PeerConnection } from '../channel/server.ts';
import { mintTicket, ticketsPerAnswer } from '../channel/tickets.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { GatewayTable } from '../store/tables/services.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { type JoinTokens, nextCredential, resumes } from './channel-credentials.ts';
import { renewFirstKeys } from './connector-keys.ts';
import type { Context } from './context.ts';
import type { GatewayOffer } from './credential.ts';
import { gatewaySpiffeId, newEvent, newId } from './identifiers.ts';
import { presharedKeys } from './peers.ts';

const hourMs = 3_600_000;
/** Good for two days and issued anew every day, so that a gateway that is away for a while keeps a good one. */
const descriptorLifeMs = 48 * hourMs;
const descriptorEveryMs = 24 * hourMs;
/** A gateway signs with a key for no longer than about a day; one that is gone must not be believed for ever. */
const assertionKeyLifeMs = 48 * hourMs;
const backdateMs = 60_000;
/** How often we look whether one is due; looking costs nothing. */
const lookEveryMs = 15_000;

/** A gateway as it said hello. */
interface Known {
  row: GatewayTable;
  /** Kept in memory alone: it ends with the gateway's process. */
  readonly ticketKey: Uint8Array | undefined;
}

interface Connected extends Known {
  readonly peer: PeerConnection;
}

export class GatewayDesk {
  readonly #context: Context;
  readonly #tokens: JoinTokens;
  /** Gateways between their hello and the moment their welcome is on its way. */
  readonly #welcomed = new Map<string, Known>();
  readonly #connected = new Map<string, Connected>();
  #cancelDaily = () => {};

  constructor(context: Context, tokens: JoinTokens) {
    this.#context = context;
    this.#tokens = tokens;
  }

  start(): void {
    this.#cancelDaily = this.#context.clock.after(lookEveryMs, () => {
      this.start();
      this.#renewDescriptors().catch((error: unknown) => this.#context.log.error({ err: error }, 'no descriptor'));
    });
  }

  stop(): void {
    this.#cancelDaily();
  }

  /** The gateway that a browser is sent to: the one that joined last. @param address of who asks, for its tickets */
  offer(address: string): GatewayOffer | undefined {
    const last = this.#last();
    if (last === undefined) return undefined;
    const { row, ticketKey } = last;
    const ticket = () => mintTicket(ticketKey!, this.#context.clock.now(), address);
    const endpoints = ticketKey === undefined ? endpointsOf(row) : withTickets(endpointsOf(row), ticket);
    return { descriptor: row.descriptor, endpoints };
  }

  /** Where that gateway is, without tickets. */
  tunnelUrls(): string[] {
    const last = this.#last();
    return last === undefined ? [] : endpointsOf(last.row).map(({ url }) => url);
  }

  /** The gateway as connectors see it: a WireGuard peer. @param reachedAt the address of ours that the connector used */
  wireguardPeer(reachedAt = '127.0.0.1'): GatewayPeer | undefined {
    const row = this.#last()?.row;
    if (row === undefined) return undefined;
    const { bind, address4, address6, port } = this.#context.config.wireguard;
    const host = bind === '0.0.0.0' || bind === '::' ? reachedAt : bind;
    const endpoint = host.includes(':') ? `[${host}]` : host;
    return {
      publicKey: row.wireguard_key,
      endpoint: `${endpoint}:${row.wireguard_port || port}`,
      allowedIps: [`${address4}/32`, `${address6}/128`],
    };
  }

  send(message: Parameters<PeerConnection['send']>[0]): void {
    for (const { peer } of this.#connected.values()) peer.send(message);
  }

  /** To the gateway that browsers are sent to. @returns false when there is none */
  sendToOne(message: Parameters<PeerConnection['send']>[0]): boolean {
    const last = this.#last();
    last?.peer.send(message);
    return last !== undefined;
  }

  /** Makes every gateway come again, for a new welcome. */
  reconnectAll(): void {
    for (const { peer } of this.#connected.values()) peer.close();
  }

  /** The same for those that joined before a time. */
  reconnectBefore(time: number): void {
    for (const { peer, row } of this.#connected.values()) if (row.joined_at < time) peer.close();
  }

  /** Judges a hello and spends its credential. */
  async hello(hello: GatewayHello): Promise<GatewayWelcome | { refused: RefusalCode }> {
    const publicKey = unbase64url(hello.publicKey);
    const known = await this.#context.store
      .selectFrom('gateways')
      .selectAll()
      .where('public_key', '=', publicKey)
      .executeTakeFirst();
    if (await this.#isPeerKey(hello.wireguardKey)) return { refused: 'key_in_use' };
    const resumed = known !== undefined && known.id === hello.id && resumes(known, hello.token);
    if (!resumed && !this.#tokens.spend('gateway', hello.token)) return { refused: 'token_unknown' };
    const credential = nextCredential(resumed ? hello.token : undefined);
    const row: GatewayTable = {
      id: known?.id ?? newId(),
      public_key: publicKey,
      wireguard_key: hello.wireguardKey,
      wireguard_port: hello.wireguardPort,
      stealth_key: unbase64url(hello.stealthKey),
      endpoints: JSON.stringify(hello.endpoints),
      ...(await this.#descriptor(publicKey, unbase64url(hello.stealthKey))),
      resume_hash: credential.resume_hash,
      previous_resume_hash: credential.previous_resume_hash,
      joined_at: this.#context.clock.now(),
      assertion_keys: JSON.stringify(hello.assertionKeys ?? []),
    };
    await this.#context.audit.transact(async (transaction) => {
      const { id, ...changed } = row;
      await transaction
        .insertInto('gateways')
        .values(row)
        .onConflict((conflict) => conflict.column('id').doUpdateSet(changed))
        .execute();
      if (hello.fresh) await renewFirstKeys(this.#context, transaction);
      await this.#record(transaction, 'gateway.join', id, { resumed });
    });
    const ticketKey = hello.ticketKey === undefined ? undefined : unbase64url(hello.ticketKey);
    this.#welcomed.set(row.id, { row, ticketKey });
    const { pki } = this.#context;
    return {
      t: 'welcome',
      role: 'gateway',
      id: row.id,
      resume: credential.secret,
      descriptor: base64url(row.descriptor),
      certificates: pki.certificates.map(base64url),
      root: base64url(pki.root),
      psks: await presharedKeys(this.#context),
      ...(hello.certificateKey !== undefined && {
        svid: await this.#context.ca.issue(
          unbase64url(hello.certificateKey),
          gatewaySpiffeId(this.#context.config, row.id),
          this.#context.clock.now(),
        ),
      }),
    };
  }

  joined(peer: PeerConnection): void {
    const known = this.#welcomed.get(peer.id);
    this.#welcomed.delete(peer.id);
    if (known === undefined) return;
    // The same gateway twice: the older connection is one that has not noticed its end.
    this.#connected.get(peer.id)?.peer.close();
    this.#connected.delete(peer.id);
    this.#connected.set(peer.id, { ...known, peer });
  }

  async left(peer: PeerConnection): Promise<void> {
    if (this.#connected.get(peer.id)?.peer !== peer) return;
    this.#connected.delete(peer.id);
    await this.#context.audit.transact((transaction) => this.#record(transaction, 'gateway.leave', peer.id, {}));
  }

  /** A gateway renewed its certificate, or came under another address. */
  async endpointsChanged(peer: PeerConnection, endpoints: readonly TunnelEndpoint[]): Promise<void> {
    await this.#update(peer.id, { endpoints: JSON.stringify(endpoints) });
  }

  async assertionKeysChanged(peer: PeerConnection, keys: readonly AssertionKey[]): Promise<void> {
    await this.#update(peer.id, { assertion_keys: JSON.stringify(keys) });
  }

  /** It rotated its WireGuard key. One that is another peer's too ends its channel, and is refused when it comes again. */
  async wireguardKeyChanged(peer: PeerConnection, wireguardKey: string): Promise<void> {
    if (await this.#isPeerKey(wireguardKey)) peer.close();
    else await this.#update(peer.id, { wireguard_key: wireguardKey });
  }

  /** The keys services check identity assertions by (RFC 7517), those of gateways that are away for a while included. */
  async jwks(): Promise<{ keys: PublishedKey[] }> {
    const rows = await this.#context.store.selectFrom('gateways').select('assertion_keys').orderBy('id').execute();
    const oldest = this.#context.clock.now() - assertionKeyLifeMs;
    const keys = rows.flatMap((row) => JSON.parse(row.assertion_keys) as AssertionKey[]);
    return { keys: keys.filter(({ madeAt }) => madeAt >= oldest).map(published) };
  }

  /** Pre-shared keys changed. */
  async tellPresharedKeys(): Promise<void> {
    this.send({ t: 'psks', psks: await presharedKeys(this.#context) });
  }

  async #renewDescriptors(): Promise<void> {
    const due = this.#context.clock.now() - descriptorEveryMs;
    for (const { peer, row } of [...this.#connected.values()]) {
      if (row.descriptor_issued_at > due) continue;
      const issued = await this.#descriptor(row.public_key, row.stealth_key);
      await this.#update(peer.id, issued);
      peer.send({ t: 'descriptor', object: base64url(issued.descriptor) });
    }
  }

  async #descriptor(
    publicKey: Uint8Array,
    stealthKey: Uint8Array,
  ): Promise<Pick<GatewayTable, 'descriptor' | 'descriptor_issued_at'>> {
    const { clock, config, pki } = this.#context;
    const now = clock.now();
    const descriptor = await signDescriptor(nodeCrypto, pki.signer('directory'), {
      publicKey,
      notBefore: now - backdateMs,
      notAfter: now + descriptorLifeMs,
      minVersion: 1,
      maxVersion: 1,
      suites: 1,
      stealthKey,
      authority: config.hubHost,
    });
    return { descriptor, descriptor_issued_at: now };
  }

  async #update(id: string, change: Partial<GatewayTable>): Promise<void> {
    await this.#context.store.updateTable('gateways').set(change).where('id', '=', id).execute();
    const connected = this.#connected.get(id);
    if (connected !== undefined) connected.row = { ...connected.row, ...change };
  }

  /** One key for two peers would let one read the other's packets (QPT-1). */
  async #isPeerKey(wireguardKey: string): Promise<boolean> {
    const peer = await this.#context.store
      .selectFrom('peers')
      .select('public_key')
      .where('public_key', '=', wireguardKey)
      .executeTakeFirst();
    return peer !== undefined;
  }

  #last(): Connected | undefined {
    return [...this.#connected.values()].at(-1);
  }

  async #record(
    transaction: StoreTransaction,
    type: 'gateway.join' | 'gateway.leave',
    id: string,
    detail: Record<string, boolean>,
  ): Promise<void> {
    const actor = gatewaySpiffeId(this.#context.config, id);
    await this.#context.audit.record(transaction, newEvent(this.#context, { type, actor, detail }));
  }
}

/** A public key as a JWKS lists it: of the gateways' one algorithm, which a verifier should pin. */
interface PublishedKey {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly use: 'sig';
  readonly alg: 'ES256';
  readonly kid: string;
  readonly x: string;
  readonly y: string;
}

const published = ({ kid, x, y }: AssertionKey): PublishedKey => ({
  ...({ kty: 'EC', crv: 'P-256', use: 'sig', alg: 'ES256' } as const),
  ...{ kid, x, y },
});

function endpointsOf(row: GatewayTable): TunnelEndpoint[] {
  return JSON.parse(row.endpoints) as TunnelEndpoint[];
}

/** Each WebTransport endpoint several times, each time with a ticket of its own: clients try one after the other. */
function withTickets(endpoints: readonly TunnelEndpoint[], ticket: () => string): TunnelEndpoint[] {
  return endpoints.flatMap((endpoint) =>
    endpoint.transport === 'webtransport'
      ? Array.from({ length: ticketsPerAnswer }, () => ({ ...endpoint, url: endpoint.url + ticket() }))
      : [endpoint],
  );
}
