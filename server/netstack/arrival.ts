/**
 * SEGMENT ARRIVES (RFC 9293 section 3.10.7.3 and 3.10.7.4), with the stricter RST, SYN and ACK checks of RFC 5961
 * and PAWS (RFC 7323). The steps stand in the order of the RFC. CLOSED and LISTEN are the stack's.
 * The segment is hostile: each step drops it or passes it on, and none throws.
 */
import type { Connection } from './connection.ts';
import { NetworkError } from './errors.ts';
import { add, after, distance } from './sequence.ts';
import { isSynchronized, mayReceive } from './state.ts';
import { ACK, FIN, RST, type Segment, SYN } from './tcp-header.ts';

/** @returns false when the segment was not believed. */
export function segmentArrives(connection: Connection, segment: Segment): boolean {
  if (connection.state === 'syn-sent') return arrivesInSynSent(connection, segment);
  if (segment.has(SYN) && connection.state === 'syn-received') {
    if (!repeatsSyn(connection, segment)) return false;
  }
  if (!passesPaws(connection, segment)) return false;
  if (!passesSequence(connection, segment)) return false;
  if (segment.has(RST)) return onReset(connection, segment);
  if (segment.has(SYN)) {
    connection.challenge();
    return false;
  }
  if (!segment.has(ACK) || !onAck(connection, segment)) return false;
  onText(connection, segment);
  settle(connection);
  return true;
}

/** Section 3.10.7.3. */
function arrivesInSynSent(connection: Connection, segment: Segment): boolean {
  const { send } = connection;
  const acknowledges = segment.has(ACK);
  if (acknowledges && segment.ack !== send.nxt) {
    if (!segment.has(RST)) connection.refuse(segment);
    return false;
  }
  if (segment.has(RST)) {
    if (acknowledges) connection.release(new NetworkError('ECONNREFUSED', 'connect'));
    return acknowledges;
  }
  if (!segment.has(SYN)) return false;
  connection.learnSyn(segment);
  if (!acknowledges) {
    // Both ends called each other.
    connection.state = 'syn-received';
    connection.sendSyn();
    connection.schedule(true);
    return true;
  }
  connection.establish(segment);
  connection.ackOwed = true;
  connection.user?.established();
  // Text on a SYN is left for the peer to repeat: nothing here asked for TCP Fast Open.
  settle(connection);
  return true;
}

/**
 * In SYN-RECEIVED the peer's SYN comes again when our answer was lost, or with an ACK when both ends called. Its SYN
 * is taken off and the rest judged like any segment; a bare one gets our answer again.
 */
function repeatsSyn(connection: Connection, segment: Segment): boolean {
  if (add(segment.seq, 1) !== connection.receive.nxt || segment.has(RST)) return true;
  if (!segment.has(ACK)) {
    connection.sendSyn();
    return false;
  }
  segment.flags &= ~SYN;
  segment.seq = connection.receive.nxt;
  return true;
}

/** RFC 7323 section 3.2 and 5.3, R1 to R3. */
function passesPaws(connection: Connection, segment: Segment): boolean {
  const { timestamps } = connection;
  if (!timestamps.enabled || segment.has(RST)) return true;
  if (!segment.options.hasTimestamps) return false;
  const now = connection.now();
  if (timestamps.isOld(segment, now)) {
    acknowledgeStray(connection, segment);
    return false;
  }
  if (connection.receive.isAcceptable(segment)) timestamps.update(segment, connection.lastAckSent, now);
  return true;
}

/** First: the sequence number. */
function passesSequence(connection: Connection, segment: Segment): boolean {
  if (connection.receive.isAcceptable(segment)) return true;
  if (!segment.has(RST)) acknowledgeStray(connection, segment);
  // The peer's FIN again: it missed our ACK, so TIME-WAIT begins anew.
  if (connection.state === 'time-wait' && segment.has(FIN)) connection.enterTimeWait();
  return false;
}

/** Old data wants its ACK at once; an empty stray gets one only now and then, or two confused ends would never stop. */
function acknowledgeStray(connection: Connection, segment: Segment): void {
  const end = add(segment.seq, segment.payloadLength);
  // Said of what was not taken, the peer would believe that we have it, and send it no more.
  if (segment.payloadLength > 0 && !after(end, connection.receive.nxt))
    connection.receive.report.repeated(segment.seq, end);
  if (segment.length > 0) connection.sendAck();
  else connection.challenge();
}

/** Second: RST (RFC 5961 section 3.2). Only the exact next sequence number proves that the peer sent it. */
function onReset(connection: Connection, segment: Segment): boolean {
  // RFC 1337: a RST must not end TIME-WAIT early.
  if (connection.state === 'time-wait') return false;
  if (segment.seq !== connection.receive.nxt) {
    connection.challenge();
    return false;
  }
  const refused = connection.state === 'syn-received' && !connection.passive;
  connection.release(new NetworkError(refused ? 'ECONNREFUSED' : 'ECONNRESET', refused ? 'connect' : 'read'));
  return true;
}

/** Fifth: the ACK field. @returns false when nothing more is to be done with the segment. */
function onAck(connection: Connection, segment: Segment): boolean {
  const { send } = connection;
  if (connection.state === 'syn-received') {
    if (segment.ack !== send.nxt) {
      connection.refuse(segment);
      return false;
    }
    connection.establish(segment);
    connection.user?.established();
    return true;
  }
  if (!send.isAcceptable(segment.ack)) {
    connection.challenge();
    return false;
  }
  connection.timers.heard();
  send.acknowledge(segment, connection.timestamps.sample(segment, connection.now()));
  if (send.finAcknowledged) onFinAcknowledged(connection);
  return connection.state !== 'closed';
}

function onFinAcknowledged(connection: Connection): void {
  if (connection.state === 'fin-wait-1') {
    connection.state = 'fin-wait-2';
    if (connection.orphaned) connection.orphanedInFinWait(false);
  } else if (connection.state === 'closing') {
    connection.enterTimeWait();
  } else if (connection.state === 'last-ack') {
    connection.release(null);
  }
}

/** Seventh and eighth: the text and FIN. */
function onText(connection: Connection, segment: Segment): void {
  if (!mayReceive(connection.state)) return;
  const { receive } = connection;
  const before = receive.nxt;
  const due = receive.take(segment);
  if (due === 'now') connection.ackOwed = true;
  else if (due === 'later') connection.timers.acknowledgeLater();
  if (receive.nxt !== before) onProgress(connection, distance(receive.nxt, before));
  // Last, so that what the reader answers at once can carry it.
  if (due === 'soon') connection.acknowledgeSoon();
}

function onProgress(connection: Connection, arrived: number): void {
  if (connection.orphaned && !discard(connection, arrived)) return;
  if (connection.receive.finished) onFin(connection);
  connection.user?.readable();
}

/**
 * Text for an application that has gone. While it still has something to deliver, the text is acknowledged and
 * dropped, so that a last response survives a request nobody read to its end; after that it is answered with RST.
 */
function discard(connection: Connection, arrived: number): boolean {
  connection.receive.discard();
  const isText = arrived > (connection.receive.finished ? 1 : 0);
  if (connection.state !== 'fin-wait-2' || !isText) return true;
  connection.abort(null);
  return false;
}

function onFin(connection: Connection): void {
  if (connection.state === 'established') connection.state = 'close-wait';
  else if (connection.state === 'fin-wait-1') connection.state = 'closing';
  else if (connection.state === 'fin-wait-2') {
    // The ACK of the FIN must go out before TIME-WAIT forgets the rest.
    connection.enterTimeWait();
  }
}

/** Sends what the segment made possible; an acknowledgment rides on it, or goes alone. */
function settle(connection: Connection): void {
  if (isSynchronized(connection.state) && connection.state !== 'time-wait') {
    connection.send.output();
    connection.user?.writable();
  }
  if (connection.ackOwed && connection.state !== 'closed') connection.sendAck();
}
