import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { auditEventSchema } from '../../../server/channel/audit-event.ts';
import { cidrField, endpointField, wireguardKeyField } from '../../../server/channel/fields.ts';
import { encodeMessage, MessageReader } from '../../../server/channel/framing.ts';
import { maxMessageBytes } from '../../../server/channel/limits.ts';

describe('control channel framing', () => {
  const documents = [{ t: 'ping', n: 1 }, { text: 'é\u0000\n' }, {}, { long: 'x'.repeat(5_000) }];
  const bytes = Buffer.concat(documents.map(encodeMessage));

  test('documents survive one byte at a time', () => {
    const reader = new MessageReader();
    const seen: unknown[] = [];
    for (const byte of bytes) {
      reader.push(Uint8Array.of(byte));
      for (let next = reader.next(); next !== undefined; next = reader.next()) seen.push(next);
    }
    assert.deepEqual(seen, documents);
  });

  test('documents survive arriving all at once', () => {
    const reader = new MessageReader();
    reader.push(bytes);
    for (const document of documents) assert.deepEqual(reader.next(), document);
    assert.equal(reader.next(), undefined);
  });

  test('a document over the limit is neither sent nor awaited', () => {
    assert.throws(() => encodeMessage({ text: 'x'.repeat(maxMessageBytes) }), { code: 'too_large' });
    const reader = new MessageReader();
    reader.push(Uint8Array.of(0x7f, 0xff, 0xff, 0xff));
    assert.throws(() => reader.next(), { code: 'too_large' });
  });
});

describe('fields of the control channel', () => {
  const table: [string, { safeParse(text: unknown): { success: boolean } }, string, boolean][] = [
    ['range', cidrField, '10.0.0.0/8', true],
    ['range', cidrField, 'fd6c:6b::/48', true],
    ['range', cidrField, '10.0.0.0/33', false],
    ['range', cidrField, '10.0.0.0', false],
    ['range', cidrField, '10.0.0.0/8/8', false],
    ['range', cidrField, '10.0.0.0/08', false],
    ['endpoint', endpointField, '192.0.2.1:51820', true],
    ['endpoint', endpointField, '[2001:db8::1]:51820', true],
    ['endpoint', endpointField, '2001:db8::1:51820', false],
    ['endpoint', endpointField, '192.0.2.1:70000', false],
    ['endpoint', endpointField, 'example.test:1', false],
    ['key', wireguardKeyField, Buffer.alloc(32).toString('base64'), true],
    ['key', wireguardKeyField, `${'A'.repeat(42)}B=`, false],
    ['key', wireguardKeyField, Buffer.alloc(31).toString('base64'), false],
  ];
  for (const [kind, field, text, right] of table) {
    test(`QPT-9: the ${kind} ${text} is ${right ? 'taken' : 'refused'}`, () =>
      assert.equal(field.safeParse(text).success, right));
  }

  test('QPT-9: an audit event cannot forge a line or turn the reading direction', () => {
    const parsed = auditEventSchema.parse({
      id: '6f1d2a3b-0000-4000-8000-000000000000',
      time: 1,
      type: 'bypass',
      actor: 'anonymous\r\n{"forged":true}',
      detail: { path: '/\u001b[2J\u202egnp.exe' },
    });
    assert.equal(parsed.actor, 'anonymous\ufffd\ufffd{"forged":true}');
    assert.equal(parsed.detail?.['path'], '/\ufffd[2J\ufffdgnp.exe');
  });
});
