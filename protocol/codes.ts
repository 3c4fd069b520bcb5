/** The numbers the two ends tell each other. The peer is told a code and nothing else; causes stay in the local log. */

/** CLOSE and REJECT (docs/protocol.md, "States"). 3 is unassigned. */
export const closeCode = {
  done: 0,
  version: 1,
  suite: 2,
  decode: 4,
  decrypt: 5,
  bad_svid: 6,
  expired: 7,
  revoked: 8,
  denied: 9,
  posture: 10,
  rekey_timeout: 11,
  too_many: 12,
  idle: 13,
  internal: 14,
  replay: 15,
  downgrade: 16,
  going_away: 17,
  stepup_required: 18,
} as const;
export type CloseCode = keyof typeof closeCode;

/** RST and OPEN_ERR of one stream. */
export const streamCode = {
  cancelled: 0,
  denied: 1,
  unknown_service: 2,
  unreachable: 3,
  wrong_peer: 4,
  upstream_failed: 5,
  truncated: 6,
  protocol: 7,
  too_many: 8,
  timeout: 9,
  policy_stale: 10,
  internal: 11,
  /** The number CLOSE has for it: a passkey touch is wanted, and this request did not wait for one or got none. */
  stepup_required: 18,
} as const;
export type StreamCode = keyof typeof streamCode;

/** What a stream carries (OPEN.kind). */
export const streamKind = { http: 1, websocket: 2, tcp: 3, udp: 4 } as const;
export type StreamKind = keyof typeof streamKind;

/** The name of a number in one of the tables above, or undefined for a number nobody assigned. */
export function nameOf<T extends Record<string, number>>(table: T, value: number): keyof T | undefined {
  return Object.keys(table).find((key) => table[key] === value);
}
