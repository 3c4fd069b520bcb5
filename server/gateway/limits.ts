/**
 * Every bound of the gateway that the protocol does not set, with its unit in the name and its reason beside it.
 */

/**
 * Half-open handshakes at a time of strangers, of those asked for a cookie and of those answered each (docs/protocol.md,
 * "States"). Each stands on a connection, over QUIC some 130 KiB, which is what bounds them.
 */
export const maxHalfOpenHandshakes = 512;
/** Above so many a second cookies are asked for, and above so many that get through puzzles too: about a tenth of a core. */
export const handshakesAtEasePerSecond = 64;
/** The same for handshakes that were answered and wait for the client, which mostly takes one round trip. */
export const halfOpenAtEase = 128;
/** The first puzzle: about a thousand hashes, 2 ms in a browser. */
export const lightestPuzzleBits = 10;
export const puzzleBitsPerDoubling = 4;
/** The last: half a second in a browser on a good machine, and within the handshake's ten seconds on a slow one. */
export const hardestPuzzleBits = 18;
/** While cookies are asked for: for each IPv4 address or IPv6 /64, behind which there may be a whole office. */
export const addressHandshakes = { burst: 64, perSecond: 16, names: 65_536 } as const;
/** For each device at all times: a browser that comes back with all its tabs, and not a loop. */
export const credentialHandshakes = { burst: 128, perSecond: 4, names: 65_536 } as const;
/** Verdicts on credentials that are remembered, about 3 KiB each: a reconnect shows the same one again. */
export const svidVerdicts = 1_024;
/** Live sessions of one gateway process; about 40 KiB each above the transport. */
export const maxSessions = 10_000;
/** Live sessions of one session credential holder: a person with more tabs than that is a loop. */
export const maxSessionsPerDevice = 256;

/** A connection through the data plane that does not stand by then is given up. */
export const connectLimitMs = 10_000;
/** Kept connections are dropped after so long without use; services commonly drop them after 5 s. */
export const idleConnectionMs = 3_000;
/** A connection this silent is probed; the stack's own probes then find within a minute whether anybody is there. */
export const probeAfterMs = 10_000;
/** The client has opened a stream and owes the head of its request. */
export const requestHeadLimitMs = 10_000;
/** Long polls answer within minutes; a service that takes longer than this has forgotten the request. */
export const responseHeadLimitMs = 300_000;
/** Response heads of a service; the tunnel carries 64 KiB, and our own fields need room. */
export const maxResponseHeadBytes = 48 * 1024;

/** An upload of unknown length is held back up to this size, or this long after its first byte, to learn its length. */
export const gatherBytes = 64 * 1024;
export const gatherMs = 100;

/** UDP flows of one device at a time; the stack has ports for 32 such devices. */
export const maxUdpFlowsPerDevice = 256;
/** Datagrams of one flow on their way to the client; more are dropped. */
export const maxWaitingDatagrams = 64;

/** One message of a WebSocket, in either direction. */
export const maxMessageBytes = 64 * 1024 * 1024;
/** After one side said close, the other has this long to answer. */
export const closeLimitMs = 5_000;

/** Events sent to the control plane and not yet acknowledged. */
export const eventsUnderWay = 256;
/**
 * Between two messages with events: each costs the control plane a commit and a signed anchor, some milliseconds of a
 * core, which those of a tenth of a second share. The first after a silence goes at once.
 */
export const eventsPauseMs = 100;

/** A touch of the passkey counts for so long (docs/protocol.md, "ClientSvid": amr bit 5). */
export const stepUpMs = 300_000;
/** A nonce is good for 60 s at the control plane, which judges an answer that comes just too late; then nobody waits. */
export const stepUpAnswerLimitMs = 63_000;

/** What one probe of a service may take: a page of a large app with its scripts, and no more than a person waits for. */
export const probeBudget = { pages: 40, bytes: 12 * 1024 * 1024, timeMs: 20_000 } as const;
