/** The first bytes of a tunnel over WebSocket as they stand on a TCP connection, for those who stop there or go on wrongly. */
import { concat } from '../../protocol/bytes.ts';
import { encodeMessage } from '../../protocol/frames.ts';
import { encodeFrame } from '../../protocol/handshake-frame.ts';
import { encodeInit, encodeInitCore, mac1, type StealthTarget } from '../../protocol/init.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';

/** A request to upgrade (RFC 6455 section 4.1), whole. */
export function upgradeRequest(host: string, origin: string): Buffer {
  return Buffer.from(
    `GET /tunnel HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16, 1).toString('base64')}\r\n\r\n`,
  );
}

/** One message with an INIT in it, as WebSocket has it (RFC 6455 section 5.2); a mask of zeros changes nothing. */
export function initMessage(target: StealthTarget, share: Uint8Array): Buffer {
  const core = encodeInitCore({ transport: 2, random: nodeCrypto.random(32), share });
  const body = encodeInit(core, new Uint8Array(0), 0n);
  const message = encodeMessage(0n, encodeFrame('init', concat(body, mac1(nodeCrypto, target, body))));
  const head = Uint8Array.of(0x82, 0x80 | 126, message.length >> 8, message.length & 0xff, 0, 0, 0, 0);
  return Buffer.concat([head, message]);
}
