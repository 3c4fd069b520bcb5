/**
 * What an ICMP error does to a connection (RFC 5927): it counts only when it quotes a sequence number in flight, and
 * it ends nothing but an attempt to connect; an established connection has its own timers.
 */
import type { Connection } from './connection.ts';
import { NetworkError } from './errors.ts';
import type { IcmpError } from './icmp.ts';
import { distance } from './sequence.ts';

/** @returns whether the error was believed. */
export function icmpErrorArrives(connection: Connection, error: IcmpError): boolean {
  const { send } = connection;
  const offset = distance(error.seq, send.una);
  if (offset < 0 || offset >= distance(send.nxt, send.una)) return false;
  if (error.kind === 'too-big') connection.limitPath(error.mtu);
  else if (connection.state === 'syn-sent') {
    connection.release(new NetworkError(error.kind === 'refused' ? 'ECONNREFUSED' : 'EHOSTUNREACH', 'connect'));
  }
  return true;
}
