/**
 * The name that a TLS client asks for, read off its ClientHello (RFC 8446 section 4.1.2, RFC 6066 section 3) so that the
 * front door can hand the connection over. Nothing else of it is looked at; whoever gets the connection judges it.
 */
import { DecodeError, Reader, utf8Decode } from '../../protocol/bytes.ts';

/** The first byte of a TLS record that holds a handshake. No request of HTTP begins with it. */
export const handshakeRecord = 22;
const clientHello = 1;
const serverNameExtension = 0;
const hostName = 0;
/** A ClientHello with post-quantum key shares and everything browsers add is below 3 KB. */
const largestHelloBytes = 16 * 1024;

export type HelloRead =
  | { readonly t: 'incomplete' }
  | { readonly t: 'malformed' }
  /** In lower case; empty when the client named none. */
  | { readonly t: 'name'; readonly name: string };

/** @param bytes what came so far. */
export function readServerName(bytes: Uint8Array): HelloRead {
  try {
    const message = joinRecords(bytes);
    if (message === undefined) return { t: 'incomplete' };
    return { t: 'name', name: serverName(new Reader(message)).toLowerCase() };
  } catch (error) {
    if (error instanceof DecodeError) return { t: 'malformed' };
    throw error;
  }
}

/** The handshake message without its header, from as many records as it takes; undefined when more has to come. */
function joinRecords(bytes: Uint8Array): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  let [at, have] = [0, 0];
  while (at + 5 <= bytes.length) {
    if (bytes[at] !== handshakeRecord) throw new DecodeError('record type');
    const length = (bytes[at + 3]! << 8) | bytes[at + 4]!;
    if (length === 0 || length > largestHelloBytes) throw new DecodeError('record length');
    if (at + 5 + length > bytes.length) return undefined;
    parts.push(bytes.subarray(at + 5, at + 5 + length));
    have += length;
    at += 5 + length;
    const message = Buffer.concat(parts);
    if (have < 4) continue;
    if (message[0] !== clientHello) throw new DecodeError('handshake type');
    const size = message.readUIntBE(1, 3);
    if (size > largestHelloBytes) throw new DecodeError('hello length');
    if (have >= 4 + size) return message.subarray(4, 4 + size);
  }
  return undefined;
}

function serverName(hello: Reader): string {
  hello.bytes(2 + 32); // legacy_version, random
  hello.vec8(); // legacy_session_id
  hello.vec16(); // cipher_suites
  hello.vec8(); // legacy_compression_methods
  const extensions = hello.vec16();
  hello.end();
  const reader = new Reader(extensions);
  for (let left = extensions.length; left > 0; ) {
    const type = reader.u16();
    const content = reader.vec16();
    left -= 4 + content.length;
    if (type === serverNameExtension) return firstName(new Reader(new Reader(content).vec16()));
  }
  return '';
}

function firstName(list: Reader): string {
  return list.u8() === hostName ? utf8Decode(list.vec16()) : '';
}
