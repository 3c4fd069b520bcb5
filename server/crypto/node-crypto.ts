/**
 * The server's Crypto (protocol/crypto.ts) on node:crypto, that is OpenSSL 3.5. The browser brings its Wasm, so two
 * independent implementations meet in every handshake. Not for signing: keys are made in composite-key.ts.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Crypto } from '../../protocol/crypto.ts';
import { verifyComposite } from './composite-key.ts';
import { answerOffer, NodeKeyOffer } from './key-exchange.ts';
import { plain } from './plain.ts';
import { NodeDatagramOpener, NodeOpener, NodeSealer } from './record-cipher.ts';

function hmac(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return plain(mac.digest());
}

/** RFC 5869 section 2.3; node's own hkdf would run Extract first. */
function expand(key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (length > 255 * 32) throw new RangeError('HKDF-Expand yields at most 8160 bytes');
  const out = new Uint8Array(length);
  let block: Uint8Array = new Uint8Array(0);
  for (let at = 0, i = 1; at < length; at += 32, i++) {
    block = hmac(key, block, info, Uint8Array.of(i));
    out.set(block.subarray(0, length - at), at);
  }
  block.fill(0);
  return out;
}

export const nodeCrypto: Crypto = Object.freeze({
  random: (length: number) => plain(randomBytes(length)),
  sha256(...parts: Uint8Array[]) {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return plain(hash.digest());
  },
  hmac,
  extract: (salt: Uint8Array, ikm: Uint8Array) => hmac(salt, ikm),
  expand,
  offer: () => new NodeKeyOffer(),
  answer: answerOffer,
  sealer: (key: Uint8Array) => new NodeSealer(key),
  opener: (key: Uint8Array) => new NodeOpener(key),
  datagramOpener: (key: Uint8Array) => new NodeDatagramOpener(key),
  verify: async (publicKey: Uint8Array, message: Uint8Array, context: string, signature: Uint8Array) =>
    verifyComposite(publicKey, message, context, signature),
});
