/** The transports' numbers: what a peer may cost us before it has proved anything, and how soon a lost one is noticed. */
export const transportLimits = {
  /** A connection from which nothing came for this long is lost. Three pings fit in it. */
  idleTimeoutMs: 5_000,
  keepAliveMs: 1_500,
  /** From the first packet to the WebTransport session. */
  sessionDeadlineMs: 6_000,
  /** What was written before a close has this long to go out. */
  closeLingerMs: 1_000,
  /** A Retry token proves an address for this long. */
  retryTokenMs: 10_000,
  /**
   * Of each transport: above what the gateway's own bounds let stand, sessions and half-open ones, with room for those
   * that it has told to go. Those bounds choose whom to send away; this one would turn away whoever comes next.
   */
  connections: 16_384,
  /** Those among them without a session; above that, the oldest of the address that has the most goes. */
  halfOpenConnections: 1_024,
  /** Two for HTTP/3 and a few to spare are beside the session's own streams. */
  bidirectionalStreams: 520,
  /** Control, QPACK's two, one to grease. */
  unidirectionalStreams: 8,
  /** What a peer may send ahead of a reader, on a stream and in all (quiche grows up to these from the first ones). */
  streamWindowBytes: 1 << 20,
  maxStreamWindowBytes: 4 << 20,
  connectionWindowBytes: 4 << 20,
  maxConnectionWindowBytes: 8 << 20,
  /** Datagrams of a connection that wait to be sent or read; more are dropped. */
  datagramQueue: 128,
  /** Fits any path that carries 1,400-byte packets, tunnels included. */
  udpPayloadBytes: 1_350,
  /** Sent in one go by one connection before others have their turn. */
  packetsPerTurn: 64,
  socketBufferBytes: 4 << 20,
  /** A header section, encoded. */
  fieldSectionBytes: 16 * 1024,
  fieldLines: 64,
  settingsBytes: 1_024,
  /** The code and the longest reason of CLOSE_WEBTRANSPORT_SESSION. */
  closeCapsuleBytes: 4 + 1_024,
  /** WebTransport streams that may come before their session's request; the rest is told to try again. */
  earlyStreams: 16,
  /** A record's 16,384 bytes with its overhead, and the eight bytes of a stream's id before it. */
  messageBytes: 17 * 1024 + 12,
  /** Above this, a WebSocket's sender waits; below half of it, it goes on. */
  webSocketBufferedBytes: 256 * 1024,
  /** Messages of a WebSocket that no reader took yet: above this the socket is paused, below half of it read again. */
  webSocketQueuedBytes: 1 << 20,
  webSocketPingMs: 15_000,
  /** Channels of one WebSocket at one time: the session allows fewer, and those of it that end linger. */
  webSocketChannels: 1_024,
  /** Ids of a peer's streams may run ahead of the highest seen by this many (docs/protocol.md, "Records"). */
  streamIdLead: 1_024,
} as const;
