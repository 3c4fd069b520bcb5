/**
 * The Huffman code of HTTP header strings (RFC 7541, appendix B; QPACK takes it over unchanged). Decoding only: we send
 * our three header lines as plain strings. Nothing here is secret, so a table walk by bits is fine.
 *
 * The code is canonical: among codes of one length, symbols rise with their codes. So the lengths alone define it.
 */
import { Http3Error } from './error.ts';

/** Code length of the symbols 0..255 and of EOS (256), one base-36 digit each. */
const lengths =
  'dnsssssssoussussssssssusssssssss' +
  '6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6' +
  'f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnno' +
  'mlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrr' +
  'koklmllnmmppooqnqrqqrrrrrsrrrrrq' +
  'u';

const eos = 256;

/** A binary tree in one array: node n has its children at 2n and 2n + 1; a negative entry is the symbol -(entry + 1). */
const tree = buildTree();

function buildTree(): Int16Array {
  const nodes = new Int16Array(2 * lengths.length + 2);
  let free = 1;
  let code = 0;
  let width = 0;
  for (const { symbol, length } of bySize()) {
    code *= 2 ** (length - width);
    width = length;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const slot = 2 * node + (Math.floor(code / 2 ** bit) & 1);
      if (nodes[slot] === 0) nodes[slot] = free++;
      node = nodes[slot]!;
    }
    nodes[2 * node + (code & 1)] = -(symbol + 1);
    code += 1;
  }
  return nodes;
}

function bySize(): { symbol: number; length: number }[] {
  const symbols = [...lengths].map((digit, symbol) => ({ symbol, length: Number.parseInt(digit, 36) }));
  return symbols.sort((a, b) => a.length - b.length || a.symbol - b.symbol);
}

/** Decodes a whole string. Padding must be the first bits of EOS, shorter than a byte (RFC 7541, section 5.2). */
export function decodeHuffman(bytes: Uint8Array): Uint8Array {
  // No code is shorter than 5 bits.
  const out = new Uint8Array(Math.floor((bytes.length * 8) / 5));
  let length = 0;
  let node = 0;
  let depth = 0;
  let onlyOnes = true;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const one = (byte >> bit) & 1;
      const next = tree[2 * node + one]!;
      depth += 1;
      onlyOnes &&= one === 1;
      if (next >= 0) {
        node = next;
        continue;
      }
      const symbol = -next - 1;
      if (symbol === eos) throw new Http3Error('qpack_failed');
      out[length++] = symbol;
      node = 0;
      depth = 0;
      onlyOnes = true;
    }
  }
  if (depth > 7 || !onlyOnes) throw new Http3Error('qpack_failed');
  return out.subarray(0, length);
}
