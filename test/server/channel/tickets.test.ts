/** Tunnel tickets: single use, short-lived, bounded in number, of one key. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { mintTicket, TicketGate, ticketLifeMs } from '../../../server/channel/tickets.ts';

const key = randomBytes(32);
const start = 1_790_000_000_000;

/** A gate whose clock the test holds. */
function gateAt(now: { ms: number }, limit?: number): TicketGate {
  return new TicketGate(key, () => now.ms, limit);
}

describe('a tunnel ticket', () => {
  it('BR-6: is taken once, and tells who asked for it', () => {
    const gate = gateAt({ ms: start });
    for (const address of ['192.0.2.7', '2001:db8::1', 'fe80::1%eth0', '']) {
      const ticket = mintTicket(key, start, address);
      assert.match(ticket, /^[A-Za-z0-9_-]+$/);
      assert.deepEqual(gate.spend(ticket), { address });
      assert.equal(gate.spend(ticket), undefined);
    }
  });

  it('BR-6: ends after its life, and none from a clock far ahead is taken', () => {
    const now = { ms: start };
    const gate = gateAt(now);
    const [early, late, last] = [0, 1, 2].map(() => mintTicket(key, start, '')) as [string, string, string];
    assert.ok(gate.spend(early));
    now.ms = start + ticketLifeMs - 1;
    assert.ok(gate.spend(late));
    now.ms = start + ticketLifeMs;
    assert.equal(gate.spend(last), undefined);
    assert.equal(gate.spend(mintTicket(key, now.ms + 2 * ticketLifeMs, '')), undefined);
  });

  it('BR-6: is refused with any bit turned, any byte missing or more, or under another key', () => {
    const gate = gateAt({ ms: start });
    const bytes = Buffer.from(mintTicket(key, start, '192.0.2.7'), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const turned = Buffer.from(bytes);
      turned[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(gate.spend(turned.toString('base64url')), undefined, `bit ${bit}`);
    }
    for (let length = 0; length < bytes.length; length++)
      assert.equal(gate.spend(bytes.toString('base64url', 0, length)), undefined, `${length} bytes`);
    for (const text of [`${bytes.toString('base64url')}A`, bytes.toString('hex'), '=', 'A'.repeat(1 << 20)])
      assert.equal(gate.spend(text), undefined);
    assert.equal(gate.spend(mintTicket(randomBytes(32), start, '')), undefined);
    assert.ok(gate.spend(bytes.toString('base64url')), 'the ticket itself is good');
  });

  it('BR-6: is refused while as many are remembered as may be, and taken when some have ended', () => {
    const now = { ms: start };
    const gate = gateAt(now, 3);
    for (let i = 0; i < 3; i++) assert.ok(gate.spend(mintTicket(key, start, '')));
    assert.equal(gate.spend(mintTicket(key, start, '')), undefined);
    now.ms = start + ticketLifeMs;
    assert.ok(gate.spend(mintTicket(key, now.ms, '')));
  });
});
