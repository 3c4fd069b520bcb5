/** quiche's settings for our two roles. */
import quiche from '@matrixai/quic/native/quiche.js';
import type { Config } from '@matrixai/quic/native/types.js';
import { transportLimits } from '../limits.ts';

/** A certificate and its key, PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/**
 * The configuration of one server connection. Each connection has a TLS context of its own, thus ticket keys of its own:
 * no ticket of one is of use on another, so nothing is ever resumed and no early data can be accepted (which is left
 * disabled as well).
 */
export function serverConfig(identity: Identity): Config {
  const utf8 = new TextEncoder();
  const key = [utf8.encode(identity.key)];
  const chain = [utf8.encode(identity.certificate)];
  return limited(quiche.Config.withBoringSslCtx(false, false, null, key, chain, null));
}

/** A client that checks no certificate: for tests, whose pin check is their own. */
export function clientConfig(): Config {
  return limited(quiche.Config.withBoringSslCtx(false, false, null, null, null, null));
}

function limited(config: Config): Config {
  config.setApplicationProtos(['h3']);
  config.grease(false);
  config.setMaxIdleTimeout(transportLimits.idleTimeoutMs);
  config.setMaxRecvUdpPayloadSize(65_527);
  config.setMaxSendUdpPayloadSize(transportLimits.udpPayloadBytes);
  config.setInitialMaxData(transportLimits.connectionWindowBytes);
  config.setInitialMaxStreamDataBidiLocal(transportLimits.streamWindowBytes);
  config.setInitialMaxStreamDataBidiRemote(transportLimits.streamWindowBytes);
  config.setInitialMaxStreamDataUni(64 * 1024);
  config.setInitialMaxStreamsBidi(transportLimits.bidirectionalStreams);
  config.setInitialMaxStreamsUni(transportLimits.unidirectionalStreams);
  config.setMaxStreamWindow(transportLimits.maxStreamWindowBytes);
  config.setMaxConnectionWindow(transportLimits.maxConnectionWindowBytes);
  config.enableDgram(true, transportLimits.datagramQueue, transportLimits.datagramQueue);
  config.setDisableActiveMigration(true);
  // We do not wait for the times it gives, as Node has no timer fine enough. But without it quiche 0.18 stamps packets with a time
  // that may be long past, by which round trips grow without end: on a path that lost 2 % each loss cost seconds.
  config.enablePacing(true);
  return config;
}
