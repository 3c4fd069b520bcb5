/**
 * The numbers of the TCP/IP stack: first those a specification gives, then those chosen here, each with its reason.
 * Sizes are bytes, times are milliseconds.
 */

// From the specifications.

/** IPv4 header without options (RFC 791). */
export const IP4_HEADER = 20;
/** IPv6 header without extensions (RFC 8200). */
export const IP6_HEADER = 40;
/** TCP header without options (RFC 9293 section 3.1). */
export const TCP_HEADER = 20;
/** Segment size towards a peer that named none: 576 - 40 and 1280 - 60 (RFC 9293 section 3.7.1). */
export const DEFAULT_SEGMENT_SIZE = { 4: 536, 6: 1220 } as const;
/** NOP NOP Timestamps: what every segment after the handshake carries when both ends agreed (RFC 7323 appendix A). */
export const TIMESTAMP_OPTION = 12;
/** Room for options in a TCP header (RFC 9293 section 3.1). */
export const MAX_OPTIONS = 40;
/** The largest shift a window scale option may ask for (RFC 7323 section 2.3). */
export const MAX_WINDOW_SHIFT = 14;
/** Initial window in segments (RFC 6928). */
export const INITIAL_WINDOW_SEGMENTS = 10;
/** First retransmission timeout, before any round trip was measured (RFC 6298 section 2.1). */
export const INITIAL_RTO_MS = 1_000;
/** Ceiling of the retransmission timeout (RFC 6298 section 2.5 asks for at least 60 s). */
export const MAX_RTO_MS = 60_000;
/** Duplicate acknowledgments that start a fast retransmit (RFC 5681 section 3.2). */
export const DUPLICATE_THRESHOLD = 3;
/** The smallest MTU an IPv6 path may have (RFC 8200 section 5). */
export const MIN_MTU_6 = 1280;

// Chosen here.

/** What fits a WireGuard packet on an Ethernet path: 1500 - 40 (IPv6) - 8 (UDP) - 32 (WireGuard). */
export const DEFAULT_MTU = 1420;
/** A forged Packet Too Big must not shrink segments to nothing: RFC 791's 68 would; 576 is what every host must take. */
export const MIN_MTU_4 = 576;
/** A peer that announces a segment size of a few bytes would make us send mostly headers. */
export const MIN_SEGMENT_SIZE = 64;
/**
 * Floor of the retransmission timeout. RFC 6298 says 1 s where clocks are coarse; timestamps measure every
 * acknowledgment, and the peers' delayed ACK is at most 40 to 200 ms, so Linux's 200 ms causes no spurious ones.
 */
export const MIN_RTO_MS = 200;
/** Floor of the tail loss probe: below it the tick of our own timer would decide (RFC 8985 section 7.2). */
export const MIN_PROBE_MS = 2;
/** How long a peer may hold back the acknowledgment of a single segment: RFC 8985's max_ack_delay, Linux's most. */
export const PEER_ACK_DELAY_MS = 200;
/** A paced burst: two ticks of a timer. */
export const PACING_BURST_MS = 2;
/** Shorter round trips are not paced. */
export const PACED_FROM_MS = 5;
/** SYN goes out 1 + 4 times: 1 + 2 + 4 + 8 + 16 s, so an unanswered connect fails after 31 s. */
export const MAX_SYN_RETRANSMITS = 4;
/**
 * An established connection whose data nobody acknowledges is given up: the five minutes of RFC 9293 section 3.9.1.1
 * (R2 of section 3.8.3 asks >= 100 s). Two have room for nine repetitions: where one packet in five is lost each way,
 * one transfer of 10 MiB in some fifty has as many in vain.
 */
export const USER_TIMEOUT_MS = 300_000;
/** 2 MSL. RFC 9293's 4 min would hold ports and memory for long; like Linux, one minute. */
export const TIME_WAIT_MS = 60_000;
/** FIN-WAIT-2 without a reader: the peer has as long as TIME-WAIT to send its FIN. */
export const ORPHAN_FIN_WAIT_MS = 60_000;
/** A connection nobody holds any more does not probe a closed window for ever. */
export const MAX_ORPHAN_PROBES = 8;
/** RFC 9293 allows 500; 40 keeps request-response traffic over a tunnel brisk. */
export const DELAYED_ACK_MS = 40;
/**
 * One acknowledgment answers all segments that came together, as it does where a network card or kernel merges them
 * (RFC 5681 section 4.2 asks for one for every two; senders count bytes, RFC 3465). At most for as much as Linux merges.
 */
export const MAX_STRETCH = 64 * 1024;
/** The first segments of a connection are acknowledged without delay, so that the peer's slow start gets going. */
export const QUICK_ACKS = 16;
/** TCP keep-alive, once an application asked for it: probes this far apart, this many. */
export const KEEPALIVE_INTERVAL_MS = 10_000;
export const KEEPALIVE_PROBES = 6;
/** Answers to suspicious segments, for each connection and second (RFC 5961 section 7 leaves the number to us). */
export const CHALLENGE_ACKS_PER_S = 10;

/** Ceiling of the bytes a connection holds in each direction; a window of 4 MiB carries 40 MB/s over 100 ms. */
export const MAX_BUFFER = 4 * 1024 * 1024;
/** A connection starts with this much receive window and earns more by reading (memory for readers, not for sleepers). */
export const INITIAL_RECEIVE_BUFFER = 256 * 1024;
/** The send buffer is twice the congestion window, but at least this. */
export const MIN_SEND_BUFFER = 128 * 1024;
/** The piece in which a socket takes bytes from the stack, and both high-water marks of the Duplex. */
export const SOCKET_CHUNK = 64 * 1024;
/** Out-of-order pieces a connection keeps; more are dropped and come again. */
export const MAX_REASSEMBLY_PIECES = 4_096;
/** Connections of one stack, TIME-WAIT not counted. */
export const MAX_CONNECTIONS = 8_192;
/** Connections in TIME-WAIT; the oldest makes room. */
export const MAX_TIME_WAIT = 4_096;
/** Half-open connections of one listener; further SYNs are dropped, and their senders try again. */
export const MAX_BACKLOG = 512;
/** Fragments lie on this unit (RFC 791, RFC 8200 section 4.5). */
export const FRAGMENT_UNIT = 8;
/** The Fragment header of IPv6 (RFC 8200 section 4.5). */
export const IP6_FRAGMENT_HEADER = 8;
/** RFC 8200 gives up a datagram after at most 60 s; what takes half as long inside a tunnel does not come any more. */
export const FRAGMENT_LIFE_MS = 30_000;
/** Datagrams of which some pieces are missing: of all sources together, of one, and the bytes of them all. */
export const MAX_FRAGMENTED = 256;
export const MAX_FRAGMENTED_OF_SOURCE = 32;
export const MAX_FRAGMENT_BYTES = 1024 * 1024;
/** Pieces of one datagram: 64 KiB in packets of half the smallest size there is. */
export const MAX_FRAGMENTS = 128;
/** Extension headers walked in one IPv6 packet. */
export const MAX_EXTENSION_HEADERS = 8;
/** Ephemeral ports: the dynamic range of IANA (RFC 6335). */
export const EPHEMERAL_FIRST = 49_152;
export const EPHEMERAL_COUNT = 16_384;
