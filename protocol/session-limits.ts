/**
 * Numbers of the session that docs/protocol.md leaves to the implementation, and the few of limits.ts that tests make
 * small. The unit is in the name.
 */
import * as limits from './limits.ts';

/** A frame's plaintext, content with type and padding, never exceeds this, so one byte of it is never content. */
export const maxContentBytes = limits.maxRecordBytes - 1;

/** Growth of all receive windows of a session together, above {@link limits.initialCreditBytes} each. */
export const windowGrowthBytes = 32 * 1024 * 1024;

/** Below this a measured round trip says more about timers and event loops than about the path. */
export const minRoundTripMs = 2;

/** Small records share a block this big while nobody reads them, so that a record of one byte costs about one byte. */
export const queueBlockBytes = 4 * 1024;

/** Datagrams of one flow that nobody has read yet; what comes on top is dropped, as a socket does it. */
export const maxUnreadDatagramBytes = 256 * 1024;

/** What each of them costs there beside its content: one of no bytes takes room too. */
export const datagramCostBytes = 64;

/** A finished stream waits this long for the peer's end of the channel before it is dropped. */
export const lingerMs = 5_000;

/** And before that this long for the transport to take its last record: a phone in a tunnel is no reason to cut it off. */
export const deliveryMs = 60_000;

/** After CLOSE the peer has this long to take it before the transport goes. */
export const closeLingerMs = 1_000;

/** The client asks for a sign of life after this much silence, and gives up after as much again. */
export const keepAliveMs = 20_000;

/**
 * While streams wait, the client asks after this much silence; on streams that stay idle ever more seldom, up to
 * {@link keepAliveMs}. Below what a busy gateway or a hand-over between cells needs, it would ask for nothing.
 */
export const eagerMs = 2_000;

/** An answer that takes longer than this is told as silence. The transports' own limits are 5 s on QUIC, minutes on TCP. */
export const answerMs = 2_000;

/** A session that drains closes when it has had no stream for this long; the last one's end is then surely under way. */
export const drainedMs = 1_000;

/** PONGs that the transport has not taken yet; a peer that asks for more is flooding. */
export const maxPendingPongs = 16;

/**
 * Keys of an epoch stay at least this long after RK_DONE: on QUIC the first record of a new stream may come after
 * everything else has moved, and nothing tells that it is still on its way.
 */
export const oldKeyGraceMs = 10_000;

/** Epochs with keys at one time. Only a byte limit far below the default can get here. */
export const maxLiveEpochs = 64;

/** Bounds that a test lowers to reach them. */
export type RecordLimits = {
  /** Records sealed or opened with one key, never passed. */
  readonly maxRecordsPerKey: number;
  /** Records after which a rekey is asked for. */
  readonly rekeyAtRecords: number;
  /** Datagrams that fail their tag until their key ends. */
  readonly maxForgedDatagrams: number;
};

export const recordLimits: RecordLimits = {
  maxRecordsPerKey: limits.maxRecordsPerKey,
  rekeyAtRecords: limits.rekeyAtRecords,
  maxForgedDatagrams: limits.maxForgedDatagrams,
};
