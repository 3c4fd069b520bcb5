/** The numbers of the pre-shared key exchange, with the reason beside each. */

/** The connector's port on its tunnel address. Inside the tunnel and for the gateway alone, so it disturbs nobody. */
export const pskPort = 51_821;
/** A key that was not followed by another for so many times that long lets no new connection through. */
export const rejectAfterRenewals = 3;
/** One exchange: three round trips, and a handshake of WireGuard's before them at most. */
export const exchangeLimitMs = 10_000;
/** Between attempts, doubled each time. */
export const retryFirstMs = 500;
export const retryLongestMs = 15_000;
/**
 * The two ends hold different keys when a DONE was lost and the session ended before the next attempt. No session of
 * WireGuard's is younger than its REJECT_AFTER_TIME then, so both begin again from the control plane's key.
 */
export const outOfStepMs = 195_000;
