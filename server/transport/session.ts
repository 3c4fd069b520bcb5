/**
 * What the gateway sees of a transport, whichever engine carries it: carriers that arrive, with who is at the far end.
 * The engines are quinn/ and quiche/ (WebTransport over HTTP/3) and websocket.ts.
 */
import type { Carrier, TransportName } from '../../protocol/carrier.ts';

/** The path of the tunnel on every transport; an engine with tickets wants one behind a further slash. */
export const tunnelPath = '/tunnel';

/** The far end of a carrier, as the transport tells it. */
export interface CarrierPeer {
  /** IP address; where the engine hides it, the one that asked for the ticket. */
  readonly address: string;
  /** The page's origin, one of those allowed; undefined where a ticket stood in for it. */
  readonly origin: string | undefined;
  readonly transport: TransportName;
}

/** What came in and led to nothing. Numbers only: they grow with every stranger, so nothing else may be kept of them. */
export interface TransportCounters {
  /** Carriers handed over. */
  accepted: number;
  /** Well-formed requests that were turned away: path, origin, limits. */
  refused: number;
  /** Datagrams that belong to nothing, late ones of a connection just closed among them. */
  dropped: number;
  /** Connections, streams and messages that broke the rules of their protocol. */
  malformed: number;
}

export function newCounters(): TransportCounters {
  return { accepted: 0, refused: 0, dropped: 0, malformed: 0 };
}

export type OnCarrier = (carrier: Carrier, peer: CarrierPeer) => void;

/** Common to all engines. */
export interface CarrierSource {
  /** Called for each carrier; before it is set, nobody is let in. */
  onCarrier: OnCarrier | undefined;
  readonly counters: Readonly<TransportCounters>;
  /** Ends all carriers. Resolves when nothing of the engine is left. */
  close(): Promise<void>;
}

/** An engine with a port and a certificate of its own. */
export interface TransportServer extends CarrierSource {
  /** What the log calls the engine. */
  readonly engine: string;
  /** 32 bytes for minting tickets (server/channel/tickets.ts), where the engine cannot see a request's origin. */
  readonly ticketKey: Uint8Array | undefined;
  /** `host` is an IP literal; port 0 takes a free one. Rejects with the system's error when the port is taken. */
  listen(address: { host: string; port: number }): Promise<{ port: number }>;
  /** SHA-256 of the certificate in use and of the one that comes next, for `serverCertificateHashes`. */
  certHashes(): Uint8Array[];
  /** Called when {@link certHashes} has changed and should be announced again. */
  onCertHashes: (() => void) | undefined;
}
