/** Header strings and sections: QPACK's own examples, every symbol against nghttp2 (in node:http2), and hostile input. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { Http3Error } from '../../../server/transport/quiche/error.ts';
import { decodeHuffman } from '../../../server/transport/quiche/huffman.ts';
import { decodeFieldSection, encodeFieldSection, type FieldLine } from '../../../server/transport/quiche/qpack.ts';
import { staticTable } from '../../../server/transport/quiche/qpack-table.ts';
import { encodeVarint, readVarint, varintLength } from '../../../server/transport/quiche/varint.ts';
import { Random } from './support/random.ts';

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const failed = (error: unknown) => error instanceof Http3Error && error.code === 'qpack_failed';

describe('Huffman strings', () => {
  for (const [text, code] of [
    ['www.example.com', 'f1e3 c2e5 f23a 6ba0 ab90 f4ff'],
    ['no-cache', 'a8eb 1064 9cbf'],
    ['custom-value', '25a8 49e9 5bb8 e8b4 bf'],
    ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff'],
    ['https://www.example.com', '9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3'],
  ] as const) {
    it(`decodes ${text} (RFC 7541, appendix C)`, () => assert.equal(latin1(decodeHuffman(hex(code))), text));
  }

  it('decodes every symbol that nghttp2 encodes in a header', async () => {
    const symbols = [...Array(256).keys()].filter((byte) => (byte >= 0x20 && byte !== 0x7f) || byte === 9);
    // Ten short codes make each string short enough that nghttp2 prefers its Huffman form.
    const sent = symbols.map((byte) => `${'0'.repeat(40)}${String.fromCharCode(byte)}e`);
    const seen = await huffmanStringsOfNode(sent);
    let checked = 0;
    for (const [i, text] of sent.entries()) {
      const byte = symbols[i]!;
      // node:http2 takes spaces and tabs in the middle of values, and bytes above 0x7f as latin-1.
      assert.ok(
        seen.some((code) => latin1(decodeHuffman(code)) === text),
        `symbol ${byte}`,
      );
      checked += 1;
    }
    assert.ok(checked > 200, `${checked} symbols were checked`);
  });

  it('refuses padding of a byte or more, padding of zeros, and EOS', () => {
    for (const code of ['ff', 'a8eb10649cbfff', '18', 'ffffffff', '00']) {
      assert.throws(() => decodeHuffman(hex(code)), failed, code);
    }
  });
});

describe('QPACK sections', () => {
  it('has the whole static table', () => {
    assert.equal(staticTable.length, 99);
    assert.deepEqual(staticTable[15], [':method', 'CONNECT']);
    assert.deepEqual(staticTable[98], ['x-frame-options', 'sameorigin']);
  });

  it('decodes the example of RFC 9204, appendix B.1', () => {
    assert.deepEqual(decodeFieldSection(hex('0000 510b 2f69 6e64 6578 2e68 746d 6c'), 10), [[':path', '/index.html']]);
  });

  it('decodes what it encodes, whole lines, names and values of every length', () => {
    const random = new Random();
    for (let round = 0; round < 200; round++) {
      const fields: FieldLine[] = Array.from({ length: random.below(8) }, () =>
        random.below(2) === 0
          ? staticTable[random.below(99)]!
          : [latin1(random.bytes(1 + random.below(200))), latin1(random.bytes(random.below(400)))],
      );
      assert.deepEqual(decodeFieldSection(encodeFieldSection(fields), 10), fields, `seed ${random.seed}`);
    }
  });

  it('answers random bytes with a section or with its own error', () => {
    const random = new Random();
    let refused = 0;
    for (let round = 0; round < 20_000; round++) {
      const bytes = random.bytes(random.below(40));
      if (random.below(2) === 0) bytes.fill(0, 0, 2);
      try {
        decodeFieldSection(bytes, 64);
      } catch (error) {
        assert.ok(error instanceof Http3Error, `seed ${random.seed}: ${error}`);
        refused += 1;
      }
    }
    assert.ok(refused > 0);
  });
});

describe('variable-length integers', () => {
  for (const [value, code] of [
    [494_878_333, '9d7f3e7d'],
    [15_293, '7bbd'],
    [37, '25'],
  ] as const) {
    it(`reads ${value} (RFC 9000, appendix A.1)`, () => assert.equal(readVarint(hex(code)), value));
  }

  it('keeps a number beyond 2^53 beyond 2^53', () => assert.ok(readVarint(hex('c219 7c5e ff14 e88c')) > 2 ** 53));

  it('reads what it writes, in the shortest form', () => {
    for (const [value, length] of [
      [0, 1],
      [63, 1],
      [64, 2],
      [16_383, 2],
      [16_384, 4],
      [2 ** 30 - 1, 4],
      [2 ** 30, 8],
      [2 ** 53 - 1, 8],
    ] as const) {
      const bytes = encodeVarint(value);
      assert.equal(bytes.length, length);
      assert.equal(varintLength(bytes[0]!), length);
      assert.equal(readVarint(bytes), value);
    }
  });
});

/** The Huffman strings in the header block that node:http2 sends for a request with these header values. */
async function huffmanStringsOfNode(values: string[]): Promise<Uint8Array[]> {
  const block = Promise.withResolvers<Buffer>();
  const server = createServer((socket) => {
    let received: Buffer = Buffer.alloc(0);
    socket
      .on('error', () => undefined)
      .on('data', (bytes: Buffer) => {
        received = Buffer.concat([received, bytes]);
        const found = headerBlock(received);
        if (found !== undefined) block.resolve(found);
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  session.on('error', () => undefined);
  session
    .request({ 'x-value': values })
    .on('error', () => undefined)
    .end();
  const strings = huffmanStrings(await block.promise);
  session.destroy();
  server.close();
  return strings;
}

/** The payload of the first HEADERS frame behind HTTP/2's preface, once it is whole. */
function headerBlock(bytes: Buffer): Buffer | undefined {
  for (let at = 24; at + 9 <= bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    const end = at + 9 + length;
    if (bytes[at + 3] === 1) return end <= bytes.length ? bytes.subarray(at + 9, end) : undefined;
    at = end;
  }
  return undefined;
}

/** The strings of an HPACK block (RFC 7541, section 6) that have the Huffman flag. */
function huffmanStrings(block: Buffer): Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = 0;
  const integer = (bits: number): number => {
    const max = 2 ** bits - 1;
    let value = block[at++]! & max;
    for (let shift = 0; value >= max; shift += 7) {
      value += (block[at]! & 0x7f) * 2 ** shift;
      if (!(block[at++]! & 0x80)) break;
    }
    return value;
  };
  const string = (): void => {
    const huffman = (block[at]! & 0x80) !== 0;
    const length = integer(7);
    if (huffman) found.push(new Uint8Array(block.subarray(at, at + length)));
    at += length;
  };
  while (at < block.length) {
    const first = block[at]!;
    if (first & 0x80) integer(7);
    else if ((first & 0xe0) === 0x20) integer(5);
    else {
      if (integer(first & 0x40 ? 6 : 4) === 0) string();
      string();
    }
  }
  return found;
}
