/** Bounds of the control channel. Ours, no standard asks for them; the reason stands beside each. */

/** One message: a snapshot of some thousand services is about 1 MiB. */
export const maxMessageBytes = 8 * 1024 * 1024;
/** Unread bytes a peer may leave with us before it is cut off: two of the largest messages. */
export const maxBacklogBytes = 2 * maxMessageBytes;
/** A connection that has not said hello by then is not one of ours. */
export const helloTimeoutMs = 5_000;
/** Peers of one installation: gateways and connectors; more connections than that are a fault. */
export const maxConnections = 256;
export const maxEventsPerMessage = 512;
/** Reconnecting: first wait and longest wait; doubled between them, with up to half again as jitter. */
export const reconnectFirstMs = 100;
export const reconnectLongestMs = 5_000;
/** A quiet channel is asked for a sign of life this often and given up after {@link silenceMs}. */
export const pingEveryMs = 10_000;
export const silenceMs = 30_000;
/** Live sessions that one answer names: as many as a gateway has, about 250 bytes each. */
export const maxLiveSessions = 10_000;
/** A few lines for each WireGuard peer. */
export const maxMetricsText = 2 * 1024 * 1024;
/** Credentials that one question about live sessions names: those of a page, each with the few that overlap. */
export const maxSerials = 4_096;
