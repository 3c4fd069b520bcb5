/**
 * Where the parts of an arrived IP packet lie. One view per stack is filled again for every packet: nothing is
 * copied and nothing allocated before a packet has proven to be for us.
 */

/** Protocol numbers this stack answers (IANA). */
export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmp6: 58 } as const;

/** Why a packet was dropped; each is a counter of the stack. */
export type DropReason =
  | 'malformed'
  | 'checksum'
  | 'fragment'
  | 'extension'
  | 'not-ours'
  | 'source'
  | 'protocol'
  | 'no-connection'
  | 'unacceptable'
  | 'overload'
  | 'output';

/** Offsets into the packet that is being read. The two addresses lie side by side, source first. */
export class IpView {
  addressLength = 4;
  sourceAt = 0;
  destinationAt = 0;
  protocol = 0;
  payloadAt = 0;
  /** One past the last byte of the packet; what follows in the buffer is padding. */
  end = 0;
  /** A part of a larger datagram: then `payloadAt` is where its piece begins. */
  isFragment = false;
  /** In bytes. */
  fragmentOffset = 0;
  moreFragments = false;
  fragmentId = 0;
  /** IPv6: the Fragment header, and the byte before it that names it. */
  fragmentHeaderAt = 0;
  fragmentNamedAt = 0;
}
