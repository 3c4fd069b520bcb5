/** The states of a connection (RFC 9293 section 3.3.2). LISTEN is a listener here, and CLOSED has no transitions. */
export type State =
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'close-wait'
  | 'closing'
  | 'last-ack'
  | 'time-wait'
  | 'closed';

/** Both SYNs are acknowledged, and not all is over. */
export function isSynchronized(state: State): boolean {
  return state !== 'syn-sent' && state !== 'syn-received' && state !== 'closed';
}

/** The peer may still send data. */
export function mayReceive(state: State): boolean {
  return state === 'established' || state === 'fin-wait-1' || state === 'fin-wait-2';
}

/** An abort in this state tells the peer with a RST (RFC 9293 section 3.10.5). */
export function abortsWithReset(state: State): boolean {
  return state === 'syn-received' || state === 'close-wait' || mayReceive(state);
}
