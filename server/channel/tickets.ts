/**
 * Tunnel tickets: what stands in for the Origin header where a transport's engine hides it. The control plane mints them
 * into the answer to a launch, which only a page of our own origins can read; the gateway takes each once. A ticket grants
 * nothing but the right to say INIT: who somebody is, the handshake says.
 *
 *     base64url( expires u48, ms since the epoch | random 12 | address of who asked, ASCII | HMAC-SHA256 over these, 16 bytes )
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { base64url, unbase64url } from '../../protocol/bytes.ts';

/** Longer than the time to a renewal, which brings new ones. */
export const ticketLifeMs = 600_000;
/** In each answer: for the first connection, and for a few that replace it before the next answer. */
export const ticketsPerAnswer = 4;
/** Spent tickets that are remembered until they expire. Who fills it had to launch; then no more are taken. */
const spentLimit = 65_536;

const label = 'latchkey tunnel ticket';
const randomFrom = 6;
const addressFrom = randomFrom + 12;
const macBytes = 16;
/** An IPv6 address with a zone, in characters. */
const maxAddressBytes = 64;

/** A new ticket. @param key 32 bytes that the gateway made. @param address as the socket tells it, or '' */
export function mintTicket(key: Uint8Array, now: number, address: string): string {
  const head = Buffer.alloc(addressFrom);
  head.writeUIntBE(now + ticketLifeMs, 0, randomFrom);
  randomBytes(addressFrom - randomFrom).copy(head, randomFrom);
  const content = Buffer.concat([head, Buffer.from(address.slice(0, maxAddressBytes), 'latin1')]);
  return base64url(Buffer.concat([content, mac(key, content)]));
}

/** The gateway's side: opens tickets of one key, each once. */
export class TicketGate {
  readonly #key: Uint8Array;
  readonly #now: () => number;
  readonly #limit: number;
  /** Random parts, by when they may be forgotten; about in that order. */
  readonly #spent = new Map<string, number>();

  /** @param key see {@link mintTicket}. @param now ms since the epoch. @param limit spent tickets to remember. */
  constructor(key: Uint8Array, now: () => number, limit: number = spentLimit) {
    this.#key = key;
    this.#now = now;
    this.#limit = limit;
  }

  /** Spends a ticket. @returns who asked for it; undefined for what is none, is too old, or was taken before. */
  spend(ticket: string): { readonly address: string } | undefined {
    const content = this.#open(ticket);
    if (content === undefined) return undefined;
    const now = this.#now();
    const expires = content.readUIntBE(0, randomFrom);
    // A clock far ahead of ours would have us remember for as long.
    if (expires <= now || expires > now + 2 * ticketLifeMs) return undefined;
    const random = content.toString('latin1', randomFrom, addressFrom);
    this.#forget(now);
    if (this.#spent.has(random) || this.#spent.size >= this.#limit) return undefined;
    this.#spent.set(random, expires);
    return { address: content.toString('latin1', addressFrom) };
  }

  #open(ticket: string): Buffer | undefined {
    const bytes = decoded(ticket);
    if (bytes === undefined || bytes.length < addressFrom + macBytes) return undefined;
    const content = bytes.subarray(0, bytes.length - macBytes);
    return timingSafeEqual(bytes.subarray(content.length), mac(this.#key, content)) ? content : undefined;
  }

  #forget(now: number): void {
    for (const [random, expires] of this.#spent) {
      if (expires > now) return;
      this.#spent.delete(random);
    }
  }
}

function mac(key: Uint8Array, content: Buffer): Buffer {
  return createHmac('sha256', key).update(label).update(content).digest().subarray(0, macBytes);
}

function decoded(ticket: string): Buffer | undefined {
  if (ticket.length > 2 * (addressFrom + maxAddressBytes + macBytes)) return undefined;
  try {
    return Buffer.from(unbase64url(ticket));
  } catch {
    return undefined;
  }
}
