/**
 * RETRY: a gateway under load asks for proof of a round trip and, if need be, of work, before any key operation and
 * without keeping state (docs/protocol.md, "RETRY"; WireGuard's cookie, RFC 8019's puzzle).
 *
 *      0   1  reason, 1 cookie 2 puzzle         1   1  difficulty d, leading zero bits
 *      2  48  cookie = kid u32 | ts u64 ms | d u32 | HMAC(K_kid, "lk1 cookie" | ts | d | u8 len,address | SHA-256(core))
 *     50  16  HMAC(L(stealth, "retry", SHA-256(gw_pk)), SHA-256(core) | bytes 0..50)[0..16]
 */
import { concat, copy, DecodeError, equal, hex, Reader, utf8, Writer, wipe } from './bytes.ts';
import type { Clock } from './clock.ts';
import type { Crypto } from './crypto.ts';
import type { Init, StealthTarget } from './init.ts';
import { L } from './labels.ts';
import * as limits from './limits.ts';

type Mac = Pick<Crypto, 'sha256' | 'hmac' | 'expand'>;

/** What a client does with a RETRY: these go into its second INIT. */
export type RetryDemand = { readonly cookie: Uint8Array; readonly difficulty: number };

const reason = { cookie: 1, puzzle: 2 } as const;

export function encodeRetry(crypto: Mac, target: StealthTarget, core: Uint8Array, demand: RetryDemand): Uint8Array {
  const clear = new Writer()
    .u8(demand.difficulty === 0 ? reason.cookie : reason.puzzle)
    .u8(demand.difficulty)
    .bytes(demand.cookie)
    .done();
  return concat(clear, retryMac(crypto, target, core, clear));
}

/** Only the gateway the client meant can have made it, and only for this very INIT. @throws DecodeError otherwise. */
export function decodeRetry(crypto: Mac, target: StealthTarget, core: Uint8Array, body: Uint8Array): RetryDemand {
  const reader = new Reader(body);
  const [why, difficulty] = [reader.u8(), reader.u8()];
  const cookie = copy(reader.bytes(limits.cookieBytes));
  const mac = reader.bytes(limits.mac1Bytes);
  reader.end();
  if (!equal(mac, retryMac(crypto, target, core, body.subarray(0, 2 + limits.cookieBytes))))
    throw new DecodeError('RETRY MAC');
  if (why !== (difficulty === 0 ? reason.cookie : reason.puzzle)) throw new DecodeError('RETRY reason');
  if (difficulty > limits.maxPuzzleBits) throw new DecodeError('RETRY difficulty');
  return { cookie, difficulty };
}

function retryMac(crypto: Mac, target: StealthTarget, core: Uint8Array, clear: Uint8Array): Uint8Array {
  const key = L(crypto, target.stealthKey, 'retry', target.gatewayKeyHash);
  try {
    return crypto.hmac(key, crypto.sha256(core), clear).slice(0, limits.mac1Bytes);
  } finally {
    wipe(key);
  }
}

/** Hashes between two pauses: a few milliseconds' work, after which a Worker looks at its other business. */
const hashesAtATime = 2_048;

/**
 * The least x for which {@link solves} holds: about 2^difficulty hashes.
 * @param pause awaited every few milliseconds; what it throws ends the search.
 */
export async function solvePuzzle(
  crypto: Pick<Crypto, 'sha256'>,
  { cookie, difficulty }: RetryDemand,
  pause: () => Promise<void>,
): Promise<bigint> {
  if (difficulty === 0) return 0n;
  const message = puzzleMessage(cookie, 0n);
  const solution = new DataView(message.buffer, message.length - 8);
  for (let x = 0n; ; x++) {
    solution.setBigUint64(0, x);
    if (leadingZeros(crypto.sha256(message), difficulty)) return x;
    if (Number(x) % hashesAtATime === hashesAtATime - 1) await pause();
  }
}

/** `SHA-256("lk1 puzzle" | cookie | x u64)` begins with d zero bits; without a puzzle x is 0. */
export function solves(crypto: Pick<Crypto, 'sha256'>, demand: RetryDemand, solution: bigint): boolean {
  if (demand.difficulty === 0) return solution === 0n;
  return leadingZeros(crypto.sha256(puzzleMessage(demand.cookie, solution)), demand.difficulty);
}

function puzzleMessage(cookie: Uint8Array, solution: bigint): Uint8Array<ArrayBuffer> {
  return new Writer().bytes(utf8('lk1 puzzle')).bytes(cookie).u64(solution).done();
}

/** @param bits 1 to 32 */
function leadingZeros(hash: Uint8Array, bits: number): boolean {
  return new Reader(hash).u32() >>> (32 - bits) === 0;
}

/** What a gateway's cookies speak of: one address and one INIT. */
export type CookieSubject = { readonly address: string; readonly core: Uint8Array };

/**
 * The gateway's cookie keys: a new one every 120 s, the last two good, a cookie good once and for 60 s. All that is
 * kept is which cookies were used: one bought many handshakes otherwise, all with the same INIT.
 */
export class CookieKeys {
  readonly #crypto: Pick<Crypto, 'random' | 'sha256' | 'hmac'>;
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  #keys: { id: number; key: Uint8Array; since: number }[] = [];
  /** Of this minute and of the last, by their MACs. */
  #used = { now: new Set<string>(), before: new Set<string>(), since: 0 };

  constructor(crypto: Pick<Crypto, 'random' | 'sha256' | 'hmac'>, clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.#crypto = crypto;
    this.#clock = clock;
  }

  /** @param difficulty leading zero bits, 0 for a cookie alone. */
  issue(subject: CookieSubject, difficulty: number): RetryDemand {
    const { id, key } = this.#current();
    const head = new Writer().u32(id).u64(this.#clock.now()).u32(difficulty).done();
    return { cookie: concat(head, this.#mac(key, head, subject)), difficulty };
  }

  /** Whether this INIT carries a cookie of ours for this address, young enough, and its puzzle's solution. */
  accepts(address: string, init: Init & { readonly core: Uint8Array }): boolean {
    const head = init.cookie.subarray(0, 16);
    const reader = new Reader(head);
    const [id, time, difficulty] = [reader.u32(), Number(reader.u64()), reader.u32()];
    const key = this.#keys.find((known) => known.id === id)?.key;
    if (key === undefined) return false;
    if (!equal(this.#mac(key, head, { address, core: init.core }), init.cookie.subarray(16))) return false;
    const age = this.#clock.now() - time;
    if (age < 0 || age >= limits.cookieMs) return false;
    return solves(this.#crypto, { cookie: init.cookie, difficulty }, init.solution);
  }

  /**
   * Uses a cookie that was accepted. False for one that was used before. When so many were used that no more can be
   * remembered, none is good for the rest of the minute.
   */
  spend({ cookie }: Pick<Init, 'cookie'>): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#used.since >= limits.cookieMs) this.#used = { now: new Set(), before: this.#used.now, since: now };
    const name = hex(cookie.subarray(16));
    const { now: used, before } = this.#used;
    if (used.has(name) || before.has(name) || used.size >= limits.maxUsedCookies) return false;
    used.add(name);
    return true;
  }

  #current(): { id: number; key: Uint8Array } {
    const now = this.#clock.monotonic();
    const [newest] = this.#keys;
    if (newest !== undefined && now - newest.since < limits.cookieKeyMs) return newest;
    const next = { id: (newest?.id ?? 0) + 1, key: this.#crypto.random(limits.keyBytes), since: now };
    this.#keys = [next, ...this.#keys.slice(0, 1)];
    return next;
  }

  #mac(key: Uint8Array, head: Uint8Array, subject: CookieSubject): Uint8Array {
    const address = new Writer().vec8(utf8(subject.address)).done();
    // ts | d, as they stand in the cookie after its key id
    return this.#crypto.hmac(key, utf8('lk1 cookie'), head.subarray(4), address, this.#crypto.sha256(subject.core));
  }
}
