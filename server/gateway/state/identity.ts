/**
 * The gateway's own keys: the composite key its clients know it by, the WireGuard key of the data plane, and the
 * stealth keys that mac1 is made with. Made at first start, kept in one file of mode 0600 in a folder of mode 0700,
 * never sent anywhere. The control plane certifies the public halves; it never sees these.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { base64url, unbase64url, wipe } from '../../../protocol/bytes.ts';
import type { Signer } from '../../../protocol/crypto.ts';
import { bytesField } from '../../channel/fields.ts';
import { compositeFromSeeds, generateComposite } from '../../crypto/composite-key.ts';
import { writeWhole } from './whole-file.ts';

/** A new stealth key this often; the one before it stays good for as long again (docs/protocol.md, "GatewayDescriptor"). */
const stealthLifeMs = 24 * 3_600_000;

const identitySchema = z.strictObject({
  mldsaSeed: bytesField(32),
  ed25519Seed: bytesField(32),
  wireguardKey: bytesField(32),
  /** The WireGuard key of before, while peers may still use it; `until` in ms since the epoch. */
  oldWireguardKey: z.strictObject({ key: bytesField(32), until: z.number().int() }).optional(),
  resetKey: bytesField(32),
  /** Newest first, two at most. */
  stealth: z.array(z.strictObject({ key: bytesField(32), madeAt: z.number().int() })).max(2),
});
type StoredIdentity = z.infer<typeof identitySchema>;

/** A key file that is there and cannot be used: starting with new keys would make strangers of every peer. */
export class IdentityError extends Error {
  readonly code = 'identity_unusable';
  constructor(path: string, options?: ErrorOptions) {
    super(
      `The gateway's key file ${path} cannot be read. Restore it from a backup, or remove it to start anew.`,
      options,
    );
    this.name = 'IdentityError';
  }
}

export class GatewayIdentity {
  readonly signer: Signer;
  readonly #path: string;
  #stored: StoredIdentity;

  private constructor(path: string, stored: StoredIdentity) {
    this.#path = path;
    this.#stored = stored;
    const seeds = [unbase64url(stored.mldsaSeed), unbase64url(stored.ed25519Seed)] as const;
    try {
      this.signer = compositeFromSeeds(...seeds);
    } finally {
      wipe(...seeds);
    }
  }

  /** Reads the keys, or makes them. @throws IdentityError for a file that is there and malformed. */
  static open(folder: string, nowMs: number): GatewayIdentity {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    const path = join(folder, 'identity.json');
    const identity = new GatewayIdentity(path, read(path) ?? create(path));
    identity.rotateStealth(nowMs);
    // Its time may have ended while nothing ran.
    if (identity.oldWireguardKey(nowMs) === undefined) identity.dropOldWireguardKey();
    return identity;
  }

  /** 32 bytes; the caller wipes them. */
  wireguardKey(): Uint8Array {
    return unbase64url(this.#stored.wireguardKey);
  }

  /** Of the file beside the key file that keeps what was before a rotation at this time. */
  backupName(nowMs: number): string {
    return `identity.${new Date(nowMs).toISOString().replace(/[:.]/g, '-')}.json`;
  }

  /** The WireGuard key of before, 32 bytes, which the caller wipes; undefined when its time is over. */
  oldWireguardKey(nowMs: number): { privateKey: Uint8Array; until: number } | undefined {
    const old = this.#stored.oldWireguardKey;
    return old === undefined || old.until <= nowMs ? undefined : { privateKey: unbase64url(old.key), until: old.until };
  }

  /**
   * Keeps everything that is there in a file of its own, then has another WireGuard key.
   * @param key 32 bytes; wiped. @param oldUntil when the key of before ends, ms since the epoch; at once without it
   * @returns what takes it back
   */
  replaceWireguardKey(key: Uint8Array, nowMs: number, oldUntil?: number): () => void {
    const backup = join(dirname(this.#path), this.backupName(nowMs));
    if (!existsSync(backup)) save(backup, this.#stored);
    const { wireguardKey, oldWireguardKey } = this.#stored;
    const old = oldUntil === undefined ? undefined : { key: wireguardKey, until: oldUntil };
    this.#store({ wireguardKey: base64url(key), oldWireguardKey: old });
    wipe(key);
    return () => this.#store({ wireguardKey, oldWireguardKey });
  }

  /** The key of before is good for nothing any more; a backup keeps it. */
  dropOldWireguardKey(): void {
    if (this.#stored.oldWireguardKey !== undefined) this.#store({ oldWireguardKey: undefined });
  }

  /**
   * What QUIC's stateless reset tokens are made from (RFC 9000 section 10.3): kept, so that a client of a gateway that
   * was started again learns at once that its connection is gone.
   */
  get resetKey(): Uint8Array {
    return unbase64url(this.#stored.resetKey);
  }

  /** What a client may have made its mac1 with; the newest first, which is the one to announce. */
  get stealthKeys(): Uint8Array[] {
    return this.#stored.stealth.map(({ key }) => unbase64url(key));
  }

  /** Makes a new stealth key when the newest is a day old. @returns whether it did. */
  rotateStealth(nowMs: number): boolean {
    const [newest] = this.#stored.stealth;
    // A clock that went backwards must not make a new key at every look.
    if (newest !== undefined && Math.abs(nowMs - newest.madeAt) < stealthLifeMs) return false;
    const fresh = { key: base64url(randomBytes(32)), madeAt: nowMs };
    this.#store({ stealth: newest === undefined ? [fresh] : [fresh, newest] });
    return true;
  }

  #store(change: Partial<StoredIdentity>): void {
    const next = { ...this.#stored, ...change };
    save(this.#path, next);
    this.#stored = next;
  }
}

function read(path: string): StoredIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new IdentityError(path, { cause });
  }
  const parsed = identitySchema.safeParse(parseJson(text));
  // The parser's own error would repeat what it read, and that is a key.
  if (!parsed.success) throw new IdentityError(path);
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function create(path: string): StoredIdentity {
  const { seeds } = generateComposite();
  const stored: StoredIdentity = {
    mldsaSeed: base64url(seeds.mldsa),
    ed25519Seed: base64url(seeds.ed25519),
    wireguardKey: base64url(randomBytes(32)),
    resetKey: base64url(randomBytes(32)),
    stealth: [],
  };
  wipe(seeds.mldsa, seeds.ed25519);
  save(path, stored);
  return stored;
}

const save = (path: string, stored: StoredIdentity): void => writeWhole(path, JSON.stringify(stored));
