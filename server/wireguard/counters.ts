/**
 * What happened to packets. Every drop has a name here, because nothing else will tell of it: the data path
 * neither throws nor answers garbage.
 */

const names = [
  /** Outer datagrams. */
  'datagramsIn',
  'datagramsOut',
  /** A UDP send that the system refused (no route, a firewall), or a socket's queue that was full. */
  'socketFailed',
  'socketFull',
  /** Not one of the four messages, or of the wrong length. */
  'malformed',
  /** Handshake messages whose mac1 is not made with our public key. */
  'mac1Wrong',
  'cookiesSent',
  'cookiesTaken',
  'cookiesRefused',
  /** Under load: proof of address missing or wrong; more than one address may have. */
  'mac2Wrong',
  'sourceLimited',
  'handshakesCompleted',
  'handshakesFailed',
  'handshakesGivenUp',
  /** An initiation that is no newer than one we have answered. */
  'initiationReplayed',
  'initiationTooSoon',
  'peerUnknown',
  'indexUnknown',
  /** Transport data that does not open, was seen before, or came with a key past its time. */
  'tagWrong',
  'counterReplayed',
  'keyExpired',
  /** Plaintext that is not an IP packet, or whose source address is not the peer's. */
  'packetMalformed',
  'sourceRefused',
  /** Outgoing packets. */
  'routeMissing',
  'endpointMissing',
  'packetTooLarge',
  'stagedDropped',
  /** The receiver of packets threw. */
  'consumerFailed',
] as const;

export type CounterName = (typeof names)[number];

/** Counts by name, all from zero. */
export type Counters = Record<CounterName, number>;

export function newCounters(): Counters {
  // The cast is exact: every name of the union is a key of the object just made.
  return Object.fromEntries(names.map((name) => [name, 0])) as Counters;
}
