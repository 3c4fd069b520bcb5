/** What a stack counted: the data path drops and counts instead of throwing. */
import type { DropReason } from './ip-packet.ts';

export interface StackStats {
  /** Connections in every state but TIME-WAIT. */
  readonly connections: number;
  readonly timeWait: number;
  readonly listeners: number;
  /** Bytes of memory in send, receive and reassembly buffers. */
  readonly bufferedBytes: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
  /** Packets that arrived and were not used, by reason. `output` counts packets that could not be sent. */
  readonly dropped: Readonly<Record<DropReason, number>>;
}

export function noDrops(): Record<DropReason, number> {
  return {
    malformed: 0,
    checksum: 0,
    fragment: 0,
    extension: 0,
    'not-ours': 0,
    source: 0,
    protocol: 0,
    'no-connection': 0,
    unacceptable: 0,
    overload: 0,
    output: 0,
  };
}
