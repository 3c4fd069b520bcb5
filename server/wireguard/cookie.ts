/**
 * mac1, mac2 and the cookie between them (paper sections 5.4.4 and 5.4.7). mac1 shows that the sender knows whom it
 * speaks to; without it there is no answer of any kind. Under load mac2 must show that the sender receives at its
 * address: it is made with a cookie that was sent there.
 * Both halves: {@link CookieIssuer} is the side under load, {@link CookieHolder} the side that is asked.
 */
import { timingSafeEqual } from 'node:crypto';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { blake2s } from '@noble/hashes/blake2.js';
import type { Clock } from '../../protocol/clock.ts';
import type { StaticPublic } from './keys.ts';
import { COOKIE_BYTES, COOKIE_REFRESH_TIME_MS, KEY_BYTES, MAC_BYTES } from './limits.ts';
import { buildCookieReply, COOKIE_NONCE_BYTES, type CookieReply, macParts } from './messages.ts';
import { hash } from './noise.ts';
import { type Endpoint, endpointBytes } from './wire.ts';

const utf8 = new TextEncoder();
const mac1Label = utf8.encode('mac1----');
const cookieLabel = utf8.encode('cookie--');

function mac(key: Uint8Array, message: Uint8Array): Uint8Array {
  return blake2s(message, { key, dkLen: MAC_BYTES });
}

export interface CookieParts {
  readonly clock: Clock;
  readonly random: (length: number) => Uint8Array;
}

/** Judges the macs of what arrives, and issues cookies. One for a device. */
export class CookieIssuer {
  readonly #parts: CookieParts;
  readonly #mac1Key: Uint8Array;
  readonly #cookieKey: Uint8Array;
  #secret = new Uint8Array(0);
  #secretMadeAt = 0;

  constructor(local: StaticPublic, parts: CookieParts) {
    this.#parts = parts;
    this.#mac1Key = hash(mac1Label, local);
    this.#cookieKey = hash(cookieLabel, local);
  }

  /** @param message an initiation or a response, of the right length. */
  mac1Holds(message: Uint8Array): boolean {
    const { signed1, mac1 } = macParts(message);
    return timingSafeEqual(mac(this.#mac1Key, signed1), mac1);
  }

  mac2Holds(message: Uint8Array, from: Endpoint): boolean {
    if (!this.#secretIsFresh()) return false;
    const { signed2, mac2 } = macParts(message);
    return timingSafeEqual(mac(this.#cookieFor(from), signed2), mac2);
  }

  /** @param message has a mac1 that holds; the reply is bound to it, so that only its sender can read the cookie. */
  reply(message: Uint8Array, sender: number, from: Endpoint): Uint8Array {
    if (!this.#secretIsFresh()) {
      this.#secret = Uint8Array.from(this.#parts.random(KEY_BYTES));
      this.#secretMadeAt = this.#parts.clock.monotonic();
    }
    const nonce = this.#parts.random(COOKIE_NONCE_BYTES);
    const box = xchacha20poly1305(this.#cookieKey, nonce, macParts(message).mac1);
    return buildCookieReply(sender, nonce, box.encrypt(this.#cookieFor(from)));
  }

  #cookieFor(from: Endpoint): Uint8Array {
    return mac(this.#secret, endpointBytes(from));
  }

  #secretIsFresh(): boolean {
    const age = this.#parts.clock.monotonic() - this.#secretMadeAt;
    return this.#secret.length > 0 && age < COOKIE_REFRESH_TIME_MS;
  }
}

/** Puts the macs on what is sent, and keeps the cookie that the other side gave. One for a peer. */
export class CookieHolder {
  readonly #clock: Clock;
  readonly #mac1Key: Uint8Array;
  readonly #cookieKey: Uint8Array;
  #lastMac1: Uint8Array | null = null;
  #cookie: Uint8Array | null = null;
  #cookieTakenAt = 0;

  constructor(remote: StaticPublic, clock: Clock) {
    this.#clock = clock;
    this.#mac1Key = hash(mac1Label, remote);
    this.#cookieKey = hash(cookieLabel, remote);
  }

  /** Fills mac1, and mac2 while there is a cookie, into `message`. */
  sign(message: Uint8Array): void {
    const { signed1, mac1, signed2, mac2 } = macParts(message);
    mac1.set(mac(this.#mac1Key, signed1));
    this.#lastMac1 = Uint8Array.from(mac1);
    if (this.#cookie === null) return;
    if (this.#clock.monotonic() - this.#cookieTakenAt < COOKIE_REFRESH_TIME_MS) mac2.set(mac(this.#cookie, signed2));
    else this.#cookie = null;
  }

  /** @returns false when the reply is not the answer to the last message signed. */
  take(reply: CookieReply): boolean {
    if (this.#lastMac1 === null) return false;
    const cookie = openCookie(this.#cookieKey, reply, this.#lastMac1);
    if (cookie === null || cookie.length !== COOKIE_BYTES) return false;
    this.#lastMac1 = null; // one reply for one message: a second would be a replay
    this.#cookie = cookie;
    this.#cookieTakenAt = this.#clock.monotonic();
    return true;
  }
}

function openCookie(key: Uint8Array, reply: CookieReply, mac1: Uint8Array): Uint8Array | null {
  try {
    return xchacha20poly1305(key, reply.nonce, mac1).decrypt(reply.sealedCookie);
  } catch {
    return null; // noble says "wrong tag" by throwing; lengths were checked when the message was parsed
  }
}
