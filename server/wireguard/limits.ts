/**
 * The numbers of WireGuard (Donenfeld, "WireGuard: Next Generation Kernel Network Tunnel", section 6.1 for the timers,
 * 5.4 for the messages), under the names the paper gives them, and after them our own bounds on memory and work.
 */

/** Section 6.1. A session is renewed by its initiator when it has sent for this long. */
export const REKEY_AFTER_TIME_MS = 120_000;
/** Section 6.1. No packet is sent or taken with a key older than this. */
export const REJECT_AFTER_TIME_MS = 180_000;
/** Section 6.1. How long one handshake attempt is given before the next. */
export const REKEY_TIMEOUT_MS = 5_000;
/** Section 6.1. After this long without an answer the attempts end and what was waiting is dropped. */
export const REKEY_ATTEMPT_TIME_MS = 90_000;
/** Section 6.1. Silence after a received packet that an empty packet breaks. */
export const KEEPALIVE_TIMEOUT_MS = 10_000;
/** Section 6.3: keys are erased after three times REJECT_AFTER_TIME without a new session. */
export const ERASE_KEYS_AFTER_MS = 3 * REJECT_AFTER_TIME_MS;
/** Section 6.1 allows 0 to 333 ms on top of REKEY_TIMEOUT, so that two peers do not keep colliding. */
export const REKEY_JITTER_MAX_MS = 333;
/** Section 6.7: a cookie, and the secret that cookies are made with, are good for two minutes. */
export const COOKIE_REFRESH_TIME_MS = 120_000;

/**
 * REKEY_AFTER_MESSAGES is 2^60 and REJECT_AFTER_MESSAGES 2^64 - 2^13 - 1 in the paper. Our counters are JavaScript
 * numbers, exact to 2^53, so both lie lower; the paper's are upper bounds, and at a million packets a second
 * 2^52 takes 140 years while a key lives three minutes.
 */
export const REKEY_AFTER_MESSAGES = 2 ** 52;
export const REJECT_AFTER_MESSAGES = 2 ** 53 - 2 ** 13 - 1;

export const KEY_BYTES = 32;
export const TAG_BYTES = 16;
export const MAC_BYTES = 16;
export const COOKIE_BYTES = 16;
export const TIMESTAMP_BYTES = 12;
/** Section 5.4.6: the plaintext is padded to a multiple of this, but never beyond the tunnel's MTU. */
export const PADDING_MULTIPLE = 16;

/** RFC 6479: counters that may arrive late; WireGuard's own 8,192 bits less the block that is recycled. */
export const REPLAY_WINDOW = 8_192 - 32;

/** The tunnel's MTU: 1500 less IPv6, UDP and WireGuard's own 32 bytes, as every WireGuard has it. */
export const DEFAULT_MTU = 1_420;
/** The largest inner packet that still fits a UDP datagram over IPv6, with our header, tag and UDP's own 8 bytes. */
export const MAX_PACKET_BYTES = 65_535 - 8 - 40 - 32;

/** Packets kept for a peer while its handshake runs; the oldest goes first, since a retransmission will follow it. */
export const MAX_STAGED_PACKETS = 128;
/** Bytes that may wait in one UDP socket before packets are dropped: about 20 ms at 1 Gbit/s. */
export const MAX_SOCKET_BACKLOG_BYTES = 4 * 1_048_576;
/** Asked of the kernel for each UDP socket; it grants what rmem_max and wmem_max allow. */
export const SOCKET_BUFFER_BYTES = 4 * 1_048_576;
/** How often a UDP port is tried again when IPv4 found one free that IPv6 did not. */
export const PORT_ATTEMPTS = 8;

/** Peers of one device. */
export const MAX_PEERS = 65_536;
/** Section 5.1: one peer's initiations are not answered more often than this (50 a second). */
export const INITIATION_INTERVAL_MS = 20;
/** Valid handshake messages in a second from which the device asks for cookies: about a tenth of a core. */
export const HANDSHAKES_AT_EASE_PER_SECOND = 256;
/** How long it goes on asking after the last second that was too busy. */
export const UNDER_LOAD_MS = 1_000;
/**
 * While under load, what each address (IPv4 /32, IPv6 /64) may open at once and a second. Addresses beyond those
 * remembered wait.
 */
export const SOURCE_HANDSHAKES = { burst: 5, perSecond: 20, names: 65_536 } as const;
