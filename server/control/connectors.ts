/**
 * Connectors: WireGuard peers of our own that stand beside services. Each gets one address of the tunnel subnet and a
 * random pre-shared key, both kept for as long as it keeps its WireGuard key.
 */

import { unbase64url } from '../../protocol/bytes.ts';
import type { ConnectorHello, ConnectorWelcome, RefusalCode } from '../channel/messages.ts';
import type { Caller, PeerConnection } from '../channel/server.ts';
import { areAttested, type Workloads } from '../channel/workload.ts';
import type { ConnectorTable } from '../store/tables/services.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { contains, hostsOf, parseRange } from './address-range.ts';
import { ApiError } from './api-error.ts';
import { archivePeers } from './archived-peers.ts';
import { type JoinTokens, nextCredential, resumes } from './channel-credentials.ts';
import { newFirstKey, renewFirstKeys } from './connector-keys.ts';
import { type Needs, needsOfBoth, needsOfToken, spendConnectorToken, workloadsOf } from './connector-tokens.ts';
import type { Context } from './context.ts';
import type { GatewayDesk } from './gateways.ts';
import { connectorSpiffeId, newEvent, newId, serviceSpiffeId } from './identifiers.ts';
import { connectorLifeMs } from './internal-ca.ts';
import { isForMachine, MachineAuthorities } from './machine-authorities.ts';
import { insertPeer, rangesOf } from './peers.ts';
import { demoName, publishExposed, syncDemo } from './services.ts';

/** A connector as the admin API shows it. */
export interface ShownConnector {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly wireguardKey: string;
  readonly joinedAt: number;
  readonly connected: boolean;
  /** What its machine showed of itself when it last joined: a token alone is weak. */
  readonly evidence: 'weak' | 'strong';
  /** The subject of the certificate that was shown. */
  readonly machine?: string;
  /** Selectors that its services have to show, by service. */
  readonly workloads: Workloads;
}

/** How it comes again, and what it showed and has to show. */
type Standing = Pick<
  ConnectorTable,
  'resume_hash' | 'previous_resume_hash' | 'evidence' | 'machine' | 'needs_strong' | 'needs_machine' | 'needs_workloads'
>;

export class ConnectorDesk {
  readonly #context: Context;
  readonly #tokens: JoinTokens;
  readonly #gateways: GatewayDesk;
  readonly #authorities: MachineAuthorities;
  readonly #connected = new Map<PeerConnection, { readonly address: string | undefined; readonly joinedAt: number }>();

  constructor(context: Context, tokens: JoinTokens, gateways: GatewayDesk) {
    this.#context = context;
    this.#tokens = tokens;
    this.#gateways = gateways;
    this.#authorities = new MachineAuthorities(context.config.channel.machines);
  }

  /** Judges a hello and spends its credential; the peer, its key and the demo service follow in one transaction. */
  async hello(hello: ConnectorHello, caller: Caller): Promise<ConnectorWelcome | { refused: RefusalCode }> {
    const gateway = this.#gateways.wireguardPeer(reachedAt(caller));
    // Before the token is spent: the connector comes again in a moment.
    if (gateway === undefined) return { refused: 'no_gateway' };
    if (hello.wireguardKey === gateway.publicKey) return { refused: 'key_in_use' };
    const known = await this.#context.store
      .selectFrom('connectors')
      .selectAll()
      .where('name', '=', hello.name)
      .executeTakeFirst();
    if (known !== undefined && known.revoked_at !== null) return { refused: 'name_in_use' };
    const sameKey = known?.wireguard_key === hello.wireguardKey;
    const resumed = known !== undefined && sameKey && this.#comesAgain(known, hello, caller);
    // Services are bound to a connector's key, so a name does not pass to another key by itself; the demo's may.
    if (known !== undefined && !sameKey && hello.name !== demoName) return { refused: 'name_in_use' };
    // What the machine is comes before everything it could be given: no token is spent and no certificate issued (QHX-1).
    const evidence = this.#authorities.judge(hello, caller, this.#context.clock.now());
    const asked = resumed ? undefined : await needsOfToken(this.#context, hello.name, hello.token);
    const needs = needsOfBoth(asked, sameKey ? known : undefined);
    const lacking = lackingOf(hello, evidence, needs);
    if (evidence === undefined || lacking !== undefined) {
      const refused = lacking ?? 'evidence_refused';
      // A stranger's attempt is no event; who has a credential of ours is written down.
      if (resumed || asked !== undefined) await this.#recordRefusal(hello, known, refused);
      return { refused };
    }
    const shown = { ...evidence, ...needs };
    const credential = nextCredential(resumed ? hello.token : undefined);
    try {
      const joined = await this.#context.audit.transact(async (transaction) => {
        if (!resumed && !(await this.#maySpend(transaction, hello, caller))) return undefined;
        return this.#join(transaction, hello, sameKey ? known : undefined, { ...credential, ...shown }, resumed);
      });
      if (joined === undefined) return { refused: 'token_unknown' };
      return {
        t: 'welcome',
        role: 'connector',
        id: joined.id,
        resume: credential.secret,
        address: joined.address,
        gateway,
        presharedKey: joined.presharedKey,
        ...(await this.#svids(hello, joined.id)),
      };
    } catch (error) {
      if (error instanceof ApiError) return { refused: error.code === 'service_exists' ? 'name_in_use' : 'key_in_use' };
      throw error;
    }
  }

  /** Ends the channel of a connector: of one that was revoked, or has to come again. */
  drop(id: string): void {
    for (const peer of this.#connected.keys()) if (peer.id === id) peer.close();
  }

  /** Makes the one of this name come again, to show what is asked for by now. */
  async comeAgain(name: string): Promise<void> {
    const rows = await this.#context.store.selectFrom('connectors').select('id').where('name', '=', name).execute();
    for (const { id } of rows) this.drop(id);
  }

  /** Ends those of connectors that were revoked at another control plane. */
  async dropRevoked(): Promise<void> {
    const { store } = this.#context;
    const rows = await store.selectFrom('connectors').select('id').where('revoked_at', 'is not', null).execute();
    for (const { id } of rows) this.drop(id);
  }

  async list(): Promise<ShownConnector[]> {
    const rows = await this.#context.store.selectFrom('connectors').selectAll().orderBy('name').execute();
    const connected = new Set([...this.#connected.keys()].map(({ id }) => id));
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      address: row.address,
      wireguardKey: row.wireguard_key,
      joinedAt: row.joined_at,
      connected: connected.has(row.id),
      evidence: row.evidence,
      ...(row.machine !== null && { machine: row.machine }),
      workloads: workloadsOf(row),
    }));
  }

  /** Makes those that joined before a time come again, for new certificates. */
  reconnectBefore(time: number): void {
    for (const [peer, { joinedAt }] of this.#connected) if (joinedAt < time) peer.close();
  }

  joined(peer: PeerConnection, caller: Caller): void {
    this.#connected.set(peer, { address: reachedAt(caller), joinedAt: this.#context.clock.now() });
  }

  async left(peer: PeerConnection): Promise<void> {
    if (!this.#connected.delete(peer)) return;
    await this.#context.audit.transact((transaction) => this.#record(transaction, 'connector.leave', peer.id, {}));
  }

  /** The gateway joined again, perhaps with another port or key, or without the pre-shared keys it had. */
  async tellGateway(): Promise<void> {
    if (this.#gateways.wireguardPeer() === undefined) return;
    const rows = await this.#context.store
      .selectFrom('peers')
      .select(['connector_id', 'public_key', 'preshared_key'])
      .execute();
    for (const [peer, { address }] of this.#connected) {
      const row = rows.find(({ connector_id }) => connector_id === peer.id);
      const presharedKey = row?.preshared_key && this.#context.vault.open(row.preshared_key, row.public_key);
      const gateway = this.#gateways.wireguardPeer(address);
      if (presharedKey && gateway) peer.send({ t: 'gateway', gateway, presharedKey });
    }
  }

  /** Over TLS the credential is worth nothing without the certificate of the connector it was given to. */
  #comesAgain(known: ConnectorTable, hello: ConnectorHello, caller: Caller): boolean {
    const itself = caller.kind === 'local' || caller.spiffeId === connectorSpiffeId(this.#context.config, known.id);
    return itself && known.id === hello.id && resumes(known, hello.token);
  }

  /** The supervisor's tokens are for its own children; an administrator's for anywhere. */
  async #maySpend(transaction: StoreTransaction, hello: ConnectorHello, caller: Caller): Promise<boolean> {
    if (caller.kind === 'local' && this.#tokens.spend('connector', hello.token)) return true;
    return spendConnectorToken(this.#context, transaction, hello.name, hello.token);
  }

  /** Certificates for the connector and each service it answers for, all of the one key it brought. */
  async #svids(
    hello: ConnectorHello,
    id: string,
  ): Promise<Pick<ConnectorWelcome, 'svid' | 'serviceSvids' | 'authority'>> {
    if (hello.certificateKey === undefined) return {};
    const { ca, clock, config } = this.#context;
    const key = unbase64url(hello.certificateKey);
    const now = clock.now();
    const services = await this.#answersFor(hello);
    const svids = services.map(async (service) => {
      return [service.name, await ca.issue(key, serviceSpiffeId(config, service), now)] as const;
    });
    return {
      svid: await ca.issue(key, connectorSpiffeId(config, id), now, connectorLifeMs),
      serviceSvids: Object.fromEntries(await Promise.all(svids)),
      authority: ca.certificate,
    };
  }

  /**
   * What it publishes, which is its own by now, and of the demo's connector the demo service while nobody has defined
   * another of that name. A new service begins in `default`.
   */
  async #answersFor({ name, exposes }: ConnectorHello): Promise<{ name: string; namespace: string }[]> {
    if (exposes.length === 0) return [];
    const rows = await this.#context.store
      .selectFrom('services')
      .select(['name', 'namespace', 'demo'])
      .where(
        'name',
        'in',
        exposes.map((exposed) => exposed.name),
      )
      .execute();
    return exposes.flatMap((exposed) => {
      const row = rows.find((one) => one.name === exposed.name);
      const isDemo = name === demoName && exposed.name === demoName && row?.demo !== 0;
      if (exposed.scheme === undefined && !isDemo) return [];
      return [{ name: exposed.name, namespace: row?.namespace ?? 'default' }];
    });
  }

  async #join(
    transaction: StoreTransaction,
    hello: ConnectorHello,
    known: ConnectorTable | undefined,
    { resume_hash, previous_resume_hash, evidence, machine, needs_strong, needs_machine, needs_workloads }: Standing,
    resumed: boolean,
  ): Promise<{ id: string; address: string; presharedKey: string }> {
    const needs = { needs_strong, needs_machine, needs_workloads };
    const standing = { resume_hash, previous_resume_hash, evidence, machine, ...needs };
    const now = this.#context.clock.now();
    const joined = known ?? (await this.#enter(transaction, hello, standing, now));
    await transaction
      .updateTable('connectors')
      .set({ ...standing, joined_at: now })
      .where('id', '=', joined.id)
      .execute();
    if (hello.fresh) await renewFirstKeys(this.#context, transaction, joined.id);
    const peer = await transaction
      .updateTable('peers')
      .set({ endpoint: hello.endpoint ?? null })
      .where('connector_id', '=', joined.id)
      .returning(['public_key', 'preshared_key'])
      .executeTakeFirstOrThrow();
    await publishExposed(this.#context, transaction, joined, hello.exposes);
    await syncDemo(this.#context, transaction);
    await this.#record(transaction, 'connector.join', joined.id, {
      ...{ name: hello.name, resumed, evidence },
      ...(machine !== null && { machine }),
    });
    const presharedKey = this.#context.vault.open(peer.preshared_key ?? '', peer.public_key);
    return { id: joined.id, address: joined.address, presharedKey };
  }

  /** A connector we have not seen, or the demo connector with a new key: it takes the place of the old one. */
  async #enter(
    transaction: StoreTransaction,
    hello: ConnectorHello,
    standing: Standing,
    now: number,
  ): Promise<ConnectorTable> {
    await transaction.deleteFrom('connectors').where('name', '=', hello.name).execute();
    await archivePeers(this.#context, transaction, { name: hello.name, connectors: true }, 'replaced');
    const row: ConnectorTable = {
      id: newId(),
      name: hello.name,
      wireguard_key: hello.wireguardKey,
      address: await this.#freeAddress(transaction),
      ...standing,
      joined_at: now,
      revoked_at: null,
    };
    await transaction.insertInto('connectors').values(row).execute();
    await insertPeer(this.#context, transaction, {
      public_key: hello.wireguardKey,
      name: hello.name,
      allowed_ips: JSON.stringify([`${row.address}/32`]),
      endpoint: hello.endpoint ?? null,
      preshared_key: newFirstKey(this.#context.vault, hello.wireguardKey),
      keepalive_s: null,
      connector_id: row.id,
      created_at: now,
    });
    return row;
  }

  async #freeAddress(transaction: StoreTransaction): Promise<string> {
    const { subnet4, address4 } = this.#context.config.wireguard;
    const subnet = parseRange(subnet4);
    const peers = await transaction.selectFrom('peers').select('allowed_ips').execute();
    const taken = peers.flatMap(rangesOf);
    for (const address of subnet === undefined ? [] : hostsOf(subnet)) {
      if (address !== address4 && !taken.some((range) => contains(range, address))) return address;
    }
    throw new ApiError('allowed_ips_overlap');
  }

  async #recordRefusal(hello: ConnectorHello, known: ConnectorTable | undefined, reason: RefusalCode): Promise<void> {
    const { config, audit } = this.#context;
    const event = newEvent(this.#context, {
      type: 'connector.join',
      actor: known === undefined ? 'anonymous' : connectorSpiffeId(config, known.id),
      ...{ decision: 'deny', policies: ['default-deny'], reason },
      detail: { name: hello.name, services: hello.exposes.map(({ name }) => name).join(' ') },
    });
    await audit.transact((transaction) => audit.record(transaction, event));
  }

  async #record(
    transaction: StoreTransaction,
    type: 'connector.join' | 'connector.leave',
    id: string,
    detail: Record<string, string | boolean>,
  ): Promise<void> {
    const actor = connectorSpiffeId(this.#context.config, id);
    await this.#context.audit.record(transaction, newEvent(this.#context, { type, actor, detail }));
  }
}

/** What it does not show of what it has to. */
function lackingOf(
  hello: ConnectorHello,
  evidence: Pick<Standing, 'evidence'> | undefined,
  needs: Needs,
): RefusalCode | undefined {
  if (evidence === undefined) return 'evidence_refused';
  if (needs.needs_strong === 1 && evidence.evidence === 'weak') return 'evidence_missing';
  if (needs.needs_machine !== null && !isForMachine(hello, needs.needs_machine)) return 'evidence_refused';
  return areAttested(hello.exposes, workloadsOf(needs)) ? undefined : 'workload_refused';
}

function reachedAt(caller: Caller): string | undefined {
  return caller.kind === 'remote' ? caller.reachedAt : undefined;
}
